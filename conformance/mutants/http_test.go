package mutants

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/config"
)

// bodies is a mutant's http in which the body of a request arrives otherwise,
// signed for what it is.
func bodies(endpoint string, change func(body object) object) func(*exchange) answer {
	return func(x *exchange) answer {
		if o := parse([]byte(x.body)); x.is(http.MethodPost, endpoint) && o != nil {
			if c := change(o); c.String() != o.String() {
				x.body = c.String()
				return x.signedIfItWas().send()
			}
		}
		return x.send()
	}
}

// signedIfItWas signs the request anew if it carries a signature at all.
func (x *exchange) signedIfItWas() *exchange {
	if strings.Contains(x.query, "auth_signature=") {
		x.resign(nil)
	}
	return x
}

// answers is a mutant's http in which the answers to a request with status 200
// arrive otherwise.
func answers(method string, path *regexp.Regexp, change func(x *exchange, body object) string) func(*exchange) answer {
	return func(x *exchange) answer {
		a := x.send()
		if o := parse([]byte(a.body)); x.method == method && path.MatchString(x.path) && a.status == http.StatusOK && o != nil {
			a.body = change(x, o)
		}
		return a
	}
}

// accepts is a mutant's http that publishes what the server refuses with one of
// the statuses, after it has been put right.
func accepts(right func(x *exchange, a answer) bool) func(*exchange) answer {
	return func(x *exchange) answer {
		a := x.send()
		if a.status >= 400 && right(x, a) {
			return x.resign(nil).send()
		}
		return a
	}
}

// refused has requests refused for which it holds.
func refused(holds func(x *exchange) bool, status int) func(*exchange) answer {
	return func(x *exchange) answer {
		if holds(x) {
			return answer{status, http.Header{"Content-Type": {"text/plain"}}, "refused\n"}
		}
		return x.send()
	}
}

var (
	channelsPath = regexp.MustCompile(`/channels$`)
	channelPath  = regexp.MustCompile(`/channels/[^/]+$`)
	usersPath    = regexp.MustCompile(`/channels/[^/]+/users$`)
	stringID     = regexp.MustCompile(`"id":"(\d+)"`)
)

// list is the value of a key, as a list.
func (o object) list(key string) (values []json.RawMessage) {
	_ = json.Unmarshal(o[key], &values) // anything else has none
	return values
}

func encode(v any) string {
	b, _ := json.Marshal(v) // it was JSON before
	return string(b)
}

func httpMutants() []mutant {
	return slices.Concat(httpAuthMutants(), publishMutants(), queryMutants(), securityMutants())
}

func reason(texts ...string) func(string) bool {
	return func(body string) bool {
		return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(body, t) })
	}
}

func httpAuthMutants() []mutant {
	main, second := credentialsOf(mainApp), credentialsOf(conformance.Second)
	return []mutant{
		{
			name: "http-auth-off", bug: "requests are answered whoever sends them",
			killedBy: []string{"HA-03", "HA-04", "HA-05", "HA-06", "HA-08", "HA-10", "HA-16", "HA-17", "security.http.signatures", "security.http.pollution"},
			also:     []string{"HA-07", "HA-09"},
			http:     func(x *exchange) answer { return x.resign(nil).send() },
		},
		{
			name: "http-signature-unchecked", bug: "a request needs a signature, but not the right one",
			killedBy: []string{"HA-03", "HA-16", "security.http.signatures"},
			also:     []string{"HA-04", "security.http.pollution"},
			http:     func(x *exchange) answer { return x.retry(reason("Invalid signature")) },
		},
		{
			name: "http-unsigned", bug: "a request without auth parameters is answered",
			killedBy: []string{"HA-17"},
			http: func(x *exchange) answer {
				if x.query == "" {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-key-optional", bug: "a request needs no auth_key",
			killedBy: []string{"HA-04"},
			http: func(x *exchange) answer {
				if !strings.Contains(strings.ToLower(x.query), "auth_key=") && x.query != "" {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-any-key", bug: "the key of a request is not looked at, only its signature",
			killedBy: []string{"HA-05"},
			http: func(x *exchange) answer {
				key := x.params().Get("auth_key")
				a := x.send()
				if a.status == http.StatusUnauthorized && key != "" && key != main.Key && key != second.Key && x.rightlySigned(main) {
					return x.resign(nil).send()
				}
				return a
			},
		},
		{
			name: "http-other-app", bug: "key and secret of any app are good for every app",
			killedBy: []string{"HA-06"},
			http: func(x *exchange) answer {
				if x.params().Get("auth_key") == second.Key && x.rightlySigned(second) {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-time-unchecked", bug: "a request may be of any time",
			killedBy: []string{"HA-07"},
			also:     []string{"HA-08"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].TimestampWindow = 0
				}
			},
		},
		{
			name: "http-time-narrow", bug: "a request may be a minute old",
			killedBy: []string{"HA-07"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].TimestampWindow = time.Minute
				}
			},
		},
		{
			name: "http-time-any-form", bug: "a time that is none is now",
			killedBy: []string{"HA-08"},
			http: func(x *exchange) answer {
				if t := x.params().Get("auth_timestamp"); !regexp.MustCompile(`^\d{10}$`).MatchString(t) && x.query != "" {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-version-unchecked", bug: "auth_version is not looked at",
			killedBy: []string{"HA-09"},
			http: func(x *exchange) answer {
				if v := x.params().Get("auth_version"); v != "1.0" && x.rightlySigned(main) {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-body-unsigned", bug: "body_md5 is not looked at",
			killedBy: []string{"HA-10"},
			http: func(x *exchange) answer {
				if x.method == http.MethodPost && x.body != "" && x.rightlySigned(main) {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-md5-of-nothing", bug: "a GET must not have a body_md5",
			killedBy: []string{"HA-11"},
			http: refused(func(x *exchange) bool {
				return x.method == http.MethodGet && x.params().Has("body_md5")
			}, http.StatusUnauthorized),
		},
		{
			name: "http-query-encoded", bug: "a query is signed as it is sent, and not as it is meant",
			killedBy: []string{"HA-12"},
			http: func(x *exchange) answer {
				if strings.Contains(x.query, "%") {
					x.query = strings.ReplaceAll(x.query, "%", "%25")
				}
				return x.send()
			},
		},
		{
			name: "http-query-cut", bug: "a query is cut at a semicolon",
			killedBy: []string{"HA-13"},
			http: func(x *exchange) answer {
				x.query = strings.ReplaceAll(x.query, ";", "&")
				return x.send()
			},
		},
		{
			name: "http-case-matters", bug: "the names of parameters have a case",
			killedBy: []string{"HA-14"},
			http: func(x *exchange) answer {
				if strings.Contains(x.query, "AUTH_KEY=") {
					x.query = strings.ReplaceAll(x.query, "AUTH_KEY=", "X_KEY=")
				}
				return x.send()
			},
		},
		{
			name: "http-all-refused", bug: "the server signs otherwise than the documentation says", total: true,
			killedBy: []string{"HA-01", "HA-11", "HA-12", "HA-13", "HA-14", "HE-01"},
			http: func(x *exchange) answer {
				x.query = strings.Replace(x.query, "auth_version=1.0", "auth_version=1.0.0", 1)
				return x.send()
			},
		},
		{
			name: "http-error-json", bug: "errors are JSON",
			killedBy: []string{"HA-19"},
			http: func(x *exchange) answer {
				a := x.send()
				if a.status >= 400 {
					a.header.Set("Content-Type", "application/json")
				}
				return a
			},
		},
	}
}

// rightlySigned reports whether the signature of x is that of c for what its
// query says.
func (x *exchange) rightlySigned(c conformance.Credentials) bool {
	var list []client.Param
	signature := ""
	for name, values := range x.params() {
		if name == "auth_signature" {
			signature = values[0]
			continue
		}
		list = append(list, client.Param{Name: name, Value: values[0]})
	}
	return signature == client.Sign(c.Secret, client.StringToSign(x.method, x.path, list))
}

func publishMutants() []mutant {
	return []mutant{
		{
			name: "publish-array", bug: "the answer to an event is an array", total: true,
			killedBy: []string{"HE-01", "HE-02", "HE-19"},
			http:     answers(http.MethodPost, regexp.MustCompile(`/events$`), func(*exchange, object) string { return "[]" }),
		},
		{
			name: "publish-html", bug: "the answer to an event is HTML", total: true,
			killedBy: []string{"HE-01"},
			http: func(x *exchange) answer {
				a := x.send()
				a.header.Set("Content-Type", "text/html")
				return a
			},
		},
		{
			name: "publish-lost", bug: "events are answered and then forgotten", total: true,
			killedBy: []string{"HE-01", "HE-02", "HE-03", "HE-05", "SUB-03"},
			http: func(x *exchange) answer {
				if x.is(http.MethodPost, "/events") {
					return answer{200, http.Header{"Content-Type": {"application/json"}}, "{}"}
				}
				return x.send()
			},
		},
		{
			name: "publish-no-channel", bug: "channel is not known, only channels", total: true,
			killedBy: []string{"HE-02"},
			http:     bodies("/events", func(o object) object { return o.set("channel", "") }),
		},
		{
			name: "publish-first-channel", bug: "an event goes to the first of its channels",
			killedBy: []string{"HE-03", "HE-05"},
			http: bodies("/events", func(o object) object {
				if l := o.list("channels"); len(l) > 1 {
					return o.set("channels", encode(l[:1]))
				}
				return o
			}),
		},
		{
			name: "publish-socket-id-ignored", bug: "socket_id leaves nobody out",
			killedBy: []string{"HE-05"},
			http:     bodies("/events", func(o object) object { return o.set("socket_id", "") }),
		},
		{
			name: "publish-socket-id-strict", bug: "a socket_id that nobody has is refused",
			killedBy: []string{"HE-06"},
			http: refused(func(x *exchange) bool {
				id := parse([]byte(x.body)).str("socket_id")
				if id == "" {
					return false
				}
				x.mu.Lock()
				defer x.mu.Unlock()
				return !slices.ContainsFunc(x.links, func(l *link) bool { return l.id() == id })
			}, http.StatusBadRequest),
			down: func(_ *link, f frame) []frame { return pass(f) }, // so that socket IDs are known
		},
		{
			name: "publish-trimmed", bug: "data is trimmed",
			killedBy: []string{"HE-04"},
			http: bodies("/events", func(o object) object {
				if d := o.str("data"); d != strings.TrimSpace(d) {
					return o.setString("data", strings.TrimSpace(d))
				}
				return o
			}),
		},
		{
			name: "publish-10000", bug: "data may have 10,000 bytes",
			killedBy: []string{"HE-07"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].MaxEventSize = 10_000
				}
			},
		},
		{
			name: "publish-unlimited", bug: "data may have any size",
			killedBy: []string{"HE-07", "HE-23"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].MaxEventSize = 0
				}
			},
		},
		{
			name: "publish-channels-unlimited", bug: "an event may have any number of channels, and a batch any number of events",
			killedBy: []string{"HE-08", "HE-22"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].MaxChannelsPerEvent, c.Apps[i].MaxBatchEvents = 0, 0
				}
			},
		},
		{
			name: "publish-name-unlimited", bug: "the name of an event may have any length",
			killedBy: []string{"HE-09"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].MaxEventName = 0
				}
			},
		},
		{
			name: "publish-422", bug: "what is wrong is answered with 422",
			killedBy: []string{"HE-10", "HE-11", "HE-12", "HE-13"},
			also:     []string{"HE-09"},
			http: func(x *exchange) answer {
				a := x.send()
				if x.method == http.MethodPost && a.status == http.StatusBadRequest {
					a.status = http.StatusUnprocessableEntity
				}
				return a
			},
		},
		{
			name: "publish-500", bug: "a body that is no JSON is an internal error",
			killedBy: []string{"HE-11"},
			http: func(x *exchange) answer {
				a := x.send()
				if a.status == http.StatusBadRequest && !json.Valid([]byte(x.body)) {
					a.status = http.StatusInternalServerError
				}
				return a
			},
		},
		{
			name: "publish-nameless", bug: "an event needs no name",
			killedBy: []string{"HE-10"},
			http: accepts(func(x *exchange, _ answer) bool {
				o := parse([]byte(x.body))
				if !x.is(http.MethodPost, "/apps/"+credentialsOf(mainApp).ID+"/events") || o == nil || o["name"] != nil {
					return false
				}
				x.body = o.set("name", `"event"`).String()
				return true
			}),
		},
		{
			name: "publish-bad-channels-skipped", bug: "channels with bad names are passed over",
			killedBy: []string{"HE-12"},
			http: accepts(func(x *exchange, _ answer) bool {
				o := parse([]byte(x.body))
				good := slices.DeleteFunc(o.list("channels"), func(c json.RawMessage) bool {
					return !validName.MatchString(strings.Trim(string(c), `"`))
				})
				if len(good) == 0 || len(good) == len(o.list("channels")) {
					return false
				}
				x.body = o.set("channels", encode(good)).String()
				return true
			}),
		},
		{
			name: "publish-reserved", bug: "a backend may publish events of the protocol",
			killedBy: []string{"HE-13"},
			http: accepts(func(x *exchange, a answer) bool {
				if !strings.Contains(a.body, "reserved") {
					return false
				}
				x.body = strings.NewReplacer(`"pusher:`, `"x-pusher:`, `"pusher_internal:`, `"x-pusher_internal:`).Replace(x.body)
				return true
			}),
		},
		{
			name: "publish-names-few", bug: "the name of an event is of letters and digits",
			killedBy: []string{"HE-14"},
			http: refused(func(x *exchange) bool {
				return strings.ContainsAny(parse([]byte(x.body)).str("name"), `\ .`)
			}, http.StatusBadRequest),
		},
		{
			name: "publish-nobody-there", bug: "an event to a channel that nobody is in is not found",
			killedBy: []string{"HE-19"},
			up: subscribing(func(l *link, d object) object {
				l.share("occupied:"+d.str("channel"), "yes")
				return d
			}),
			http: refused(func(x *exchange) bool {
				c := parse([]byte(x.body)).str("channel")
				x.mu.Lock()
				defer x.mu.Unlock()
				return x.is(http.MethodPost, "/events") && c != "" && x.memo["occupied:"+c] == ""
			}, http.StatusNotFound),
		},
		{
			name: "batch-backwards", bug: "a batch is published from its end",
			killedBy: []string{"HE-20"},
			http: bodies("/batch_events", func(o object) object {
				l := o.list("batch")
				if len(l) < 2 {
					return o
				}
				slices.Reverse(l)
				return o.set("batch", encode(l))
			}),
		},
		{
			name: "batch-info-object", bug: "the counts of a batch are an object",
			killedBy: []string{"HE-21"},
			http: answers(http.MethodPost, regexp.MustCompile(`/batch_events$`), func(_ *exchange, o object) string {
				if l := o.list("batch"); len(l) > 0 {
					return o.set("batch", `{"0":{}}`).String()
				}
				return o.String()
			}),
		},
		{
			name: "batch-halves", bug: "what is good in a batch is published, and the rest is not",
			killedBy: []string{"HE-23"},
			http: func(x *exchange) answer {
				a := x.send()
				o := parse([]byte(x.body))
				if x.is(http.MethodPost, "/batch_events") && a.status >= 400 && a.status != 401 && len(o.list("batch")) == 2 {
					x.body = o.set("batch", encode(o.list("batch")[:1])).String()
					x.resign(nil).send()
				}
				return a
			},
		},
		{
			name: "batch-socket-id", bug: "in a batch, socket_id leaves nobody out",
			killedBy: []string{"HE-24"},
			http: bodies("/batch_events", func(o object) object {
				l := o.list("batch")
				for i := range l {
					if e := parse(l[i]); e["socket_id"] != nil {
						l[i] = json.RawMessage(e.set("socket_id", "").String())
					}
				}
				if l == nil {
					return o
				}
				return o.set("batch", encode(l))
			}),
		},
		{
			name: "publish-disabled", bug: "an app that is switched off can publish",
			killedBy: []string{"HE-25", "CON-11"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].Enabled = true
				}
			},
		},
	}
}

func queryMutants() []mutant {
	return []mutant{
		{
			name: "channels-array", bug: "no channels are an empty array, as PHP has it",
			killedBy: []string{"HQ-01"},
			http: answers(http.MethodGet, channelsPath, func(_ *exchange, o object) string {
				return strings.ReplaceAll(o.String(), `"channels":{}`, `"channels":[]`)
			}),
		},
		{
			name: "channels-names", bug: "channels are a list of names",
			killedBy: []string{"HQ-02", "HQ-01"},
			also:     []string{"HQ-03"},
			http: answers(http.MethodGet, channelsPath, func(_ *exchange, o object) string {
				names := []string{}
				for name := range parse(o["channels"]) {
					names = append(names, name)
				}
				return o.set("channels", encode(names)).String()
			}),
		},
		{
			name: "channels-prefix-ignored", bug: "filter_by_prefix is ignored",
			killedBy: []string{"HQ-03"},
			also:     []string{"HQ-02", "HQ-04"},
			http: func(x *exchange) answer {
				q := x.params()
				if x.method != http.MethodGet || !channelsPath.MatchString(x.path) || !q.Has("filter_by_prefix") || !x.rightlySigned(credentialsOf(mainApp)) {
					return x.send()
				}
				q.Del("filter_by_prefix")
				q.Del("info")
				return x.resign(q).send()
			},
		},
		{
			name: "users-are-connections", bug: "user_count counts connections",
			killedBy: []string{"HQ-07", "HQ-03"},
			http: func(x *exchange) answer {
				a := x.send()
				if strings.Contains(a.body, `"user_count":2`) {
					a.body = strings.ReplaceAll(a.body, `"user_count":2`, `"user_count":3`)
				}
				return a
			},
		},
		{
			name: "channel-404", bug: "a channel that nobody is in is not found",
			killedBy: []string{"HQ-06"},
			http: func(x *exchange) answer {
				a := x.send()
				if x.method == http.MethodGet && channelPath.MatchString(x.path) && strings.Contains(a.body, `"occupied":false`) {
					a.status = http.StatusNotFound
				}
				return a
			},
		},
		{
			name: "channel-stays-occupied", bug: "a channel that was occupied once always is",
			killedBy: []string{"HQ-06"},
			http: func(x *exchange) answer {
				a := x.send()
				if channelPath.MatchString(x.path) && strings.Contains(a.body, `"occupied":false`) {
					x.mu.Lock()
					defer x.mu.Unlock()
					if x.memo["was:"+x.path[strings.LastIndex(x.path, "/")+1:]] != "" {
						a.body = strings.ReplaceAll(a.body, "false", "true")
					}
				}
				return a
			},
			up: subscribing(func(l *link, d object) object { l.share("was:"+d.str("channel"), "yes"); return d }),
		},
		{
			name: "channel-strings", bug: "counts are strings",
			killedBy: []string{"HQ-07"},
			http: answers(http.MethodGet, channelPath, func(_ *exchange, o object) string {
				for _, key := range []string{"user_count", "subscription_count"} {
					if o[key] != nil {
						o = o.setString(key, string(o[key]))
					}
				}
				return o.String()
			}),
		},
		{
			name: "users-numbers", bug: "the ID of a user is a number if it can be",
			killedBy: []string{"HQ-09"},
			http: answers(http.MethodGet, usersPath, func(_ *exchange, o object) string {
				return stringID.ReplaceAllString(o.String(), `"id":$1`)
			}),
		},
		{
			name: "users-empty-404", bug: "a presence channel that nobody is in has no users, not even none",
			killedBy: []string{"HQ-10"},
			http: func(x *exchange) answer {
				a := x.send()
				if usersPath.MatchString(x.path) && strings.Contains(a.body, `"users":[]`) {
					a.status = http.StatusNotFound
				}
				return a
			},
		},
		{
			name: "users-of-any-channel", bug: "every channel has users",
			killedBy: []string{"HQ-11"},
			also:     []string{"HQ-12"},
			http: func(x *exchange) answer {
				a := x.send()
				if x.method == http.MethodGet && usersPath.MatchString(x.path) && a.status == http.StatusBadRequest {
					return answer{200, http.Header{"Content-Type": {"application/json"}}, `{"users":[]}`}
				}
				return a
			},
		},
		{
			name: "channel-path-encoded", bug: "a channel in a path is not decoded",
			killedBy: []string{"HQ-13"},
			http: func(x *exchange) answer {
				if channelPath.MatchString(x.path) && strings.Contains(x.path, "%") {
					return answer{200, http.Header{"Content-Type": {"application/json"}}, `{"occupied":false}`}
				}
				return x.send()
			},
		},
		{
			name: "not-found-200", bug: "what is no endpoint is answered with 200",
			killedBy: []string{"HQ-14"},
			http: func(x *exchange) answer {
				a := x.send()
				if a.status == http.StatusNotFound {
					a.status = http.StatusOK
				}
				return a
			},
		},
	}
}

// unusual are the heads of requests that no server may take.
var unusual = regexp.MustCompile(`(?i)\x00|X : a|evil\.example\r\n|^EHLO|^PRI `)

func securityMutants() []mutant {
	has := func(texts ...string) func(head string) bool {
		return func(head string) bool {
			return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(head, t) })
		}
	}
	return []mutant{
		{
			name: "request-malformed", bug: "a malformed request is read as well as can be",
			killedBy: []string{"security.handshake.malformed"},
			lax: func(head string) bool {
				return unusual.MatchString(head) || !strings.Contains(strings.ToLower(head), "\nhost:")
			},
		},
		{
			name: "request-smuggled", bug: "of two lengths of a body one is believed",
			killedBy: []string{"security.http.smuggling"},
			lax:      has("Transfer-Encoding", "Content-Length: 0\r\nContent-Length", "Content-Length: +"),
		},
		{
			name: "request-announced", bug: "a body is refused only when it is there",
			killedBy: []string{"security.http.announced"},
			lax:      has("Content-Length: 1073741824"),
		},
		{
			name: "request-huge", bug: "the head of a request may be of any size",
			killedBy: []string{"security.http.huge-query"},
			lax:      func(head string) bool { return len(head) > 32<<10 },
		},
		{
			name: "header-huge", bug: "a handshake may have headers of any size",
			killedBy: []string{"security.handshake.huge-header"},
			config:   func(c *config.Config) { c.Server.MaxHeaderSize = 4 << 20 },
		},
		{
			name: "handshake-guessed", bug: "a handshake that lacks something is one",
			killedBy: []string{"security.handshake.incomplete"},
			also:     []string{"security.handshake.version"},
			head: func(head string) string {
				line, _, _ := strings.Cut(head, "\r\n")
				if strings.HasPrefix(line, "POST") || wellFormedKey.MatchString(head) && strings.Contains(head, "Version: 13") {
					return head
				}
				return header("Sec-WebSocket-[KV]|Connection|Upgrade", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")(head)
			},
		},
		{
			name: "refused-served", bug: "who is told that there is no such app is served nevertheless",
			killedBy: []string{"security.handshake.refused"},
			down: func(l *link, f frame) []frame {
				if f.closeCode() == 4001 {
					return append(text(`{"event":"pusher_internal:subscription_succeeded","channel":"x","data":"{}"}`), f)
				}
				return pass(f)
			},
		},
		{
			name: "origin-exact", bug: "origins are compared as text",
			killedBy: []string{"security.origin.allowed"},
			head: func(head string) string {
				return regexp.MustCompile(`Origin: (https://[A-Z].*|.*:\d+)\r\n`).ReplaceAllString(head, "Origin: https://evil.example\r\n")
			},
		},
		{
			name: "origin-contains", bug: "an origin is allowed if an allowed one is in it",
			killedBy: []string{"security.origin.refused"},
			head: func(head string) string {
				return regexp.MustCompile(`Origin: .*allowed\.example.*\r\n`).ReplaceAllString(head, "Origin: https://allowed.example\r\n")
			},
		},
		{
			name: "json-deep", bug: "deep JSON ends the connection",
			killedBy: []string{"security.json.deep"},
			up: func(_ *link, f frame) []frame {
				if bytes.Contains(f.payload, []byte("[[[[[[[[")) {
					f.opcode, f.raw = 3, nil
				}
				return pass(f)
			},
		},
		{
			name: "json-twice", bug: "a channel that is named twice is checked once and used the other time",
			killedBy: []string{"security.json.duplicate-keys"},
			up: func(l *link, f frame) []frame {
				names := regexp.MustCompile(`(?i)"channel":"([^"]*)"`).FindAllStringSubmatch(string(f.payload), -1)
				if !bytes.Contains(f.payload, []byte("pusher:subscribe")) || len(names) < 2 {
					return pass(f)
				}
				for _, n := range names {
					if private(n[1]) {
						return pass(f.with(`{"event":"pusher:subscribe","data":` + l.signed(object{}.setString("channel", n[1])).String() + `}`))
					}
				}
				return pass(f)
			},
		},
		{
			name: "json-escaped", bug: "whether a channel is private is decided before its name is decoded",
			killedBy: []string{"security.json.escapes"},
			up: func(l *link, f frame) []frame {
				if o := parse(f.payload); bytes.Contains(f.payload, []byte(`privat\u0065`)) && o != nil {
					return pass(f.with(o.set("data", l.signed(o.data()).String()).String()))
				}
				return pass(f)
			},
		},
		{
			name: "json-floats", bug: "numbers are rounded",
			killedBy: []string{"security.json.numbers", "HQ-09"},
			up: subscribing(func(l *link, d object) object {
				if strings.Contains(d.str("channel_data"), "9007199254740993") {
					return l.signed(d.setString("channel_data", strings.Replace(d.str("channel_data"), "9007199254740993", "9007199254740992", 1)))
				}
				return d
			}),
		},
		{
			name: "subscribed-twice", bug: "who subscribes twice gets everything twice",
			killedBy: []string{"security.channel.twice", "SUB-04"},
			up: subscribing(func(l *link, d object) object {
				if l.note("once:"+d.str("channel"), "yes") != "" {
					l.note("twice:"+d.str("channel"), "yes")
				}
				return d
			}),
			down: events(func(l *link, o object) []frame {
				if l.noted("twice:"+o.str("channel")) != "" {
					return append(message(o), message(o)...)
				}
				return message(o)
			}),
		},
		{
			name: "operators-public", bug: "metrics are for everyone",
			killedBy: []string{"security.http.operators"},
			http: func(x *exchange) answer {
				if x.path == "/metrics" {
					return answer{200, http.Header{}, "go_goroutines 1\n"}
				}
				return x.send()
			},
		},
		{
			name: "error-tells-signature", bug: "an error tells the signature that would have been right",
			killedBy: []string{"security.http.secrets"},
			http: func(x *exchange) answer {
				a := x.send()
				if a.status == http.StatusUnauthorized {
					var q []client.Param
					for name, values := range x.params() {
						if name != "auth_signature" {
							q = append(q, client.Param{Name: name, Value: values[0]})
						}
					}
					a.body += client.Sign(credentialsOf(mainApp).Secret, client.StringToSign(x.method, x.path, q)) + "\n"
				}
				return a
			},
		},
		{
			name: "header-injected", bug: "a line break in a path ends a header",
			killedBy: []string{"security.http.injection"},
			http: func(x *exchange) answer {
				a := x.send()
				if strings.Contains(strings.ToLower(x.path), "%0d%0a") {
					a.header.Set("X-Injected", "yes")
				}
				return a
			},
		},
	}
}
