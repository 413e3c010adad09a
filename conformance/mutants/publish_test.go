package mutants

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/revurb/revurb/core/config"
)

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
