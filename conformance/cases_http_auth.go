package conformance

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// Where the promises of the HTTP API and of webhooks are made.
const (
	srcHTTPAuth     = "Pusher docs, HTTP API reference: Authentication"
	srcHTTPErrors   = "Pusher docs, HTTP API reference: Success and error codes"
	srcHTTPEvents   = "Pusher docs, HTTP API reference: POST event (trigger an event)"
	srcHTTPBatch    = "Pusher docs, HTTP API reference: POST batch events"
	srcHTTPChannels = "Pusher docs, HTTP API reference: GET channels"
	srcHTTPChannel  = "Pusher docs, HTTP API reference: GET channel"
	srcHTTPUsers    = "Pusher docs, HTTP API reference: GET users"
	srcWebhooks     = "Pusher docs, Webhooks"
	srcSignatureGem = "pusher-signature (Ruby), lib/pusher/signature.rb"
)

// httpAuthCases are the signatures of the HTTP API.
var httpAuthCases = []Case{
	{
		ID: "HA-01", Title: "a signed request is answered", Level: Must, Source: srcHTTPAuth,
		Requirement: "A request that is signed as the documentation says is answered with 200.",
		Run: func(t *T) {
			t.Publish(Publishing{Name: "e", Channel: t.Name("room-"), Data: "{}"})
			t.Get("/channels")
		},
	},
	{
		ID: "HA-02", Title: "the documented signatures are the right ones", Level: Must,
		Source:      "Pusher docs, HTTP API reference: Worked authentication example; Authentication signatures; Webhooks",
		Requirement: "What this suite signs has the signatures that the documentation prints: whatever it finds at fault elsewhere is not a fault of its own.",
		Run:         vectors,
	},
	{
		ID: "HA-03", Title: "a wrong signature is refused", Level: Must, Source: srcHTTPErrors + "; " + srcSignatureGem,
		Requirement: "A request whose signature is not that of the app's secret is answered with 401; the body begins with what should have been signed.",
		Run: func(t *T) {
			res := t.refused(0, func(q []client.Param) []client.Param {
				return set(q, "auth_signature", strings.Repeat("0", 64))
			})
			if t.Target.Dialect == Pusher {
				t.ExpectText(res, "Invalid signature: you should have sent HmacSHA256Hex(")
			}
		},
	},
	{
		ID: "HA-04", Title: "a request without key or signature is refused", Level: Must, Source: srcHTTPAuth + "; " + srcSignatureGem,
		Requirement: "A request without auth_signature or auth_key is answered with 401; without auth_key it says so.",
		Run: func(t *T) {
			t.refused(0, func(q []client.Param) []client.Param { return without(q, "auth_signature") })
			// Signed as it is sent: what is missing is the key alone.
			res := t.refused(0, func(q []client.Param) []client.Param { return resign(t, without(q, "auth_key")) })
			if t.Target.Dialect == Pusher {
				t.ExpectText(res, "Missing parameter: auth_key")
			}
		},
	},
	{
		ID: "HA-05", Title: "an unknown key is refused", Level: Must, Reverb: Should, Source: srcHTTPAuth + "; " + srcSignatureGem,
		Requirement: "A request with a key that no app has is answered with 401, even if it is signed with the secret of the app in the path.",
		Run: func(t *T) {
			res := t.refused(0, func(q []client.Param) []client.Param {
				return resign(t, set(q, "auth_key", t.Name("nobody-")))
			})
			if t.Target.Dialect == Pusher {
				t.ExpectText(res, "Unknown auth_key")
			}
		},
	},
	{
		ID: "HA-06", Title: "the key of another app is refused", Level: Must, Source: srcHTTPAuth,
		Requirement: "A request that is signed with key and secret of another app than the one in its path is answered with 401.",
		Needs:       []Capability{CapSecondApp},
		Run: func(t *T) {
			other := t.Fixture(Second)
			for _, body := range []string{"", t.event(t.Name("room-"))} {
				t.ExpectStatus(Request{Path: probe(body), Body: body, Sign: func(s Signing) string {
					s.App = other
					return Encode(s.Signed(time.Now()))
				}}, http.StatusUnauthorized)
			}
		},
	},
	{
		ID: "HA-07", Title: "an old request is refused", Level: Must, Reverb: Should, Source: srcHTTPAuth,
		Requirement: "auth_timestamp may be 600 seconds from the server's time: 590 s are answered with 200, 610 s with 401, in both directions.",
		Run: func(t *T) {
			for _, s := range []time.Duration{-590 * time.Second, 590 * time.Second} {
				t.OK(t.Do(Request{Path: "/channels", Sign: signedAt(s)}))
			}
			for _, s := range []time.Duration{-610 * time.Second, 610 * time.Second} {
				res := t.ExpectStatus(Request{Path: "/channels", Sign: signedAt(s)}, http.StatusUnauthorized)
				if t.Target.Dialect == Pusher {
					t.ExpectText(res, "Timestamp expired")
				}
			}
		},
	},
	{
		ID: "HA-08", Title: "a timestamp that is none is refused", Level: Must, Reverb: Should, Source: srcHTTPAuth,
		Requirement: "A request without auth_timestamp, or with one that is no whole number of seconds, is answered with 401.",
		Run: func(t *T) {
			t.refused(0, func(q []client.Param) []client.Param { return resign(t, without(q, "auth_timestamp")) })
			now := strconv.FormatInt(time.Now().Unix(), 10)
			for _, stamp := range []string{"", "now", now + "s", "0x" + now, "99999999999999999999", "-" + now} {
				t.refused(0, func(q []client.Param) []client.Param { return resign(t, set(q, "auth_timestamp", stamp)) })
			}
		},
	},
	{
		ID: "HA-09", Title: "the version of the signature is checked", Level: Should, Source: srcHTTPAuth + "; " + srcSignatureGem,
		Requirement: "A request without auth_version, or with another one than 1.0, is answered with 401 and a body that names the version.",
		Run: func(t *T) {
			for _, change := range []func([]client.Param) []client.Param{
				func(q []client.Param) []client.Param { return without(q, "auth_version") },
				func(q []client.Param) []client.Param { return set(q, "auth_version", "2.0") },
			} {
				res := t.refused(0, func(q []client.Param) []client.Param { return resign(t, change(q)) })
				if t.Target.Dialect == Pusher {
					t.ExpectText(res, "Version")
				}
			}
		},
	},
	{
		ID: "HA-10", Title: "the body is signed", Level: Must, Source: srcHTTPAuth,
		Requirement: "A request with a body whose body_md5 is missing, wrong, or that of another body is answered with 401, and nothing of it is published.",
		Run:         bodyIsSigned,
	},
	{
		ID: "HA-11", Title: "the MD5 of no body is accepted", Level: Must, Source: "pusher-http-python, pusher/http.py: body_md5 is part of every request",
		Requirement: "A GET may carry the body_md5 of an empty body, which some libraries sign.",
		Run: func(t *T) {
			sum := md5.Sum(nil)
			t.Get("/channels", client.Param{Name: "body_md5", Value: hex.EncodeToString(sum[:])})
		},
	},
	{
		ID: "HA-12", Title: "a query may be percent-encoded", Level: Must, Source: "pusher-http-php, src/Pusher.php: http_build_query, and what it signs is not encoded",
		Requirement: "What is signed are the decoded parameters: a query with %2C, %20, %3B or %26 is answered with 200, and means what it says.",
		Run:         encodedQuery,
	},
	{
		ID: "HA-13", Title: "a query may be raw", Level: Must, Source: "pusher-http-node, pusher-http-go, pusher-http-python: the query is sent as it is signed",
		Requirement: "A query with commas and semicolons that are not encoded is answered with 200, and the parameter is not cut at a semicolon.",
		Run:         rawQuery,
	},
	{
		ID: "HA-14", Title: "case and order of parameters do not matter", Level: Must, Source: srcHTTPAuth,
		Requirement: "Parameters are lower-cased and sorted before they are signed, so they may be sent in any order, and in upper case.",
		Run: func(t *T) {
			for _, change := range []func([]client.Param) []client.Param{
				func(q []client.Param) []client.Param { slices.Reverse(q); return q },
				func(q []client.Param) []client.Param {
					for i := range q {
						q[i].Name = strings.ToUpper(q[i].Name)
					}
					return q
				},
			} {
				t.OK(t.Do(Request{Path: "/channels", Query: []client.Param{{Name: "filter_by_prefix", Value: t.Name("none-")}}, Sign: func(s Signing) string {
					return Encode(change(s.Signed(time.Now())))
				}}))
			}
		},
	},
	{
		ID: "HA-15", Title: "arrays are signed as the libraries do", Level: May,
		Source:      srcSignatureGem + "; pusher-http-php, src/Pusher.php: array_implode",
		Requirement: "info[]=a&info[]=b is signed as it stands, as the Ruby library does; info[0]=a&info[1]=b is signed as info=a,b, as the PHP library does.",
		Run:         arrays,
	},
	{
		ID: "HA-16", Title: "method and path are signed", Level: Must, Source: srcHTTPAuth,
		Requirement: "A signature for another method or another path is answered with 401.",
		Run: func(t *T) {
			body := t.event(t.Name("room-"))
			for _, other := range []func(*Signing){
				func(s *Signing) { s.Method = http.MethodGet },
				func(s *Signing) { s.Path = strings.Replace(s.Path, "/events", "/batch_events", 1) },
				func(s *Signing) { s.Method = strings.ToLower(s.Method) },
			} {
				t.ExpectStatus(Request{Path: "/events", Body: body, Sign: func(s Signing) string {
					other(&s)
					return Encode(s.Signed(time.Now()))
				}}, http.StatusUnauthorized)
			}
		},
	},
	{
		ID: "HA-17", Title: "no request goes without a signature", Level: Must, Source: srcHTTPAuth,
		Requirement: "Every endpoint answers a request without any parameters with 401.",
		Run: func(t *T) {
			room := t.Name("presence-")
			for _, r := range []Request{
				{Path: "/channels"},
				{Path: "/channels/" + room},
				{Path: "/channels/" + room + "/users"},
				{Path: "/events", Body: t.event(room)},
				{Path: "/batch_events", Body: `{"batch":[` + t.event(room) + `]}`},
			} {
				r.Sign = func(Signing) string { return "" }
				t.ExpectStatus(r, http.StatusUnauthorized)
			}
		},
	},
	{
		ID: "HA-18", Title: "a path prefix is not signed", Level: Should,
		Source:      "pusher-http-php, src/Pusher.php: the option path is put before the URL, and not signed",
		Requirement: "Behind a path prefix, the signature covers the path from /apps on.",
		Needs:       []Capability{CapPathPrefix},
		Run: func(t *T) {
			if strings.Trim(t.Target.HTTP.Path, "/") == "" {
				t.Skipf("the URL that was given has no path prefix")
			}
			t.Get("/channels")
			t.ExpectStatus(Request{Path: "/channels", Sign: func(s Signing) string {
				s.Path += "x"
				return Encode(s.Signed(time.Now()))
			}}, http.StatusUnauthorized)
		},
	},
	{
		ID: "HA-19", Title: "errors are a line of text", Level: Should, Source: "The hosted service, as issues of pusher-http-go (#91) quote it",
		Requirement: "The body of an error is text/plain and ends with a newline: libraries show it as it is.",
		Run: func(t *T) {
			res := t.refused(0, func(q []client.Param) []client.Param { return set(q, "auth_signature", "x") })
			if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
				t.Mismatch("Content-Type", "text/plain", res.Header.Get("Content-Type"))
			}
			if !strings.HasSuffix(res.Body, "\n") || strings.Trim(res.Body, "\n") == "" {
				t.Mismatch("body", "a line of text that ends with a newline", strconv.Quote(res.Body))
			}
		},
	},
	{
		ID: "HA-20", Title: "an unknown app is refused", Level: Should, Source: srcHTTPErrors,
		Requirement: "A request to an app that there is not is answered with 401 or 404, and with nothing of another app.",
		Run: func(t *T) {
			room := t.Name("room-")
			t.Connect().Subscribe(room)
			stranger := t.App()
			stranger.ID = t.Name("nobody-")
			res := t.ExpectStatus(Request{App: stranger, Path: "/channels"}, http.StatusUnauthorized, http.StatusNotFound)
			if strings.Contains(res.Body, room) {
				t.Mismatch("body", "nothing of another app", res.Body)
			}
			t.Note("an unknown app is answered with %d", res.Status)
		},
	},
}

// vectors compares this suite's own signer with what is printed for others.
func vectors(t *T) {
	const key, secret = "278d425bdf160c739803", "7ad3773142a6692b25b8"
	const body = `{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`
	sum := md5.Sum([]byte(body))
	signature := func(q []client.Param) string { return q[len(q)-1].Value }
	at := time.Unix(1353088179, 0)
	for _, v := range []struct{ what, got, want string }{
		{"MD5 of a body", hex.EncodeToString(sum[:]), "ec365a775a4cd0599faeb73354201b6f"},
		{
			"POST /events", signature(client.SignQuery(key, secret, "POST", "/apps/3/events", nil, []byte(body), at)),
			"da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c",
		},
		{"GET /channels", signature(client.SignQuery(key, secret, "GET", "/apps/3/channels", []client.Param{
			{Name: "info", Value: "user_count"}, {Name: "filter_by_prefix", Value: "presence-"},
		}, nil, at)), "16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291"},
		{
			"private channel", client.ChannelAuth(key, secret, "1234.1234", "private-foobar", ""),
			key + ":58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4",
		},
		{
			"presence channel", client.ChannelAuth(key, secret, "1234.1234", "presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Channels"}}`),
			key + ":31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80",
		},
		{
			"user", client.UserAuth(key, secret, "1234.1234", `{"id":"12345"}`),
			key + ":4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba",
		},
		{
			"webhook", client.Sign(secret, `{"time_ms":1327078148132,"events":[{"name":"channel_occupied","channel":"my-channel"}]}`),
			"c19001ae3963ccb13bf618e5b16ba9848e7e74df0993aa0689168e341c6833cf",
		},
	} {
		if v.got != v.want {
			t.Mismatch("signature of "+v.what, v.want, v.got)
		}
	}
}

func bodyIsSigned(t *T) {
	room := t.Name("room-")
	c := t.Connect()
	c.Subscribe(room)
	body, another := t.event(room), t.event(t.Name("room-"))
	sum := md5.Sum([]byte(another))
	for _, change := range []func([]client.Param) []client.Param{
		func(q []client.Param) []client.Param { return without(q, "body_md5") },
		func(q []client.Param) []client.Param { return set(q, "body_md5", "") },
		func(q []client.Param) []client.Param { return set(q, "body_md5", hex.EncodeToString(sum[:])) },
	} {
		t.ExpectStatus(Request{Path: "/events", Body: body, Sign: func(s Signing) string {
			return Encode(resignAs(s, change(s.Signed(time.Now()))))
		}}, http.StatusUnauthorized)
	}
	// Altered on the way, after it was signed.
	t.ExpectStatus(Request{Path: "/events", Body: body, Sign: func(s Signing) string {
		s.Body = []byte(another)
		return Encode(s.Signed(time.Now()))
	}}, http.StatusUnauthorized)
	c.expectOnlyFence(room, "a request that was refused publishes nothing")
}

func encodedQuery(t *T) {
	room := t.Name("presence-;,@=")
	t.Connect().SubscribePresence(room, "u1")
	v := t.Get("/channels", client.Param{Name: "filter_by_prefix", Value: room}, client.Param{Name: "info", Value: "user_count,subscription_count"})
	t.Field(v, "channels", room, "user_count").is(1)
	for _, value := range []string{"a b", "a&b", "a%b", "ü"} {
		v := t.Get("/channels", client.Param{Name: "filter_by_prefix", Value: value})
		t.Field(v, "channels").is(map[string]any{})
	}
}

func rawQuery(t *T) {
	stem := t.Name("room-")
	a, b := stem+";a", stem+";b"
	c := t.Connect()
	c.Subscribe(a)
	c.Subscribe(b)
	res := t.OK(t.Do(Request{Path: "/channels", Encode: EncodeRaw, Query: []client.Param{{Name: "filter_by_prefix", Value: stem + ";a"}}}))
	t.Field(t.Object(res), "channels").is(map[string]any{a: map[string]any{}})
	room := t.Name("presence-")
	c.SubscribePresence(room, "u1")
	res = t.OK(t.Do(Request{Path: "/channels/" + room, Encode: EncodeRaw, Query: []client.Param{{Name: "info", Value: "user_count,subscription_count"}}}))
	t.Field(t.Object(res), "user_count").is(1)
}

func arrays(t *T) {
	room := t.Name("presence-")
	t.Connect().SubscribePresence(room, "u1")
	gem := t.Do(Request{Path: "/channels/" + room, Query: []client.Param{
		{Name: "info[]", Value: "user_count"}, {Name: "info[]", Value: "subscription_count"},
	}})
	t.Field(t.Object(t.OK(gem)), "user_count").is(1)
	php := t.Do(Request{
		Path: "/channels/" + room, Query: []client.Param{{Name: "info", Value: "user_count,subscription_count"}},
		Sign: func(s Signing) string {
			return Encode(append([]client.Param{{Name: "info[0]", Value: "user_count"}, {Name: "info[1]", Value: "subscription_count"}},
				without(s.Signed(time.Now()), "info")...))
		},
	})
	t.Field(t.Object(t.OK(php)), "user_count").is(1)
}

// refused sends a request whose signed query was changed, and expects it to be
// refused; status 0 is 401.
func (t *T) refused(status int, change func([]client.Param) []client.Param) Response {
	if status == 0 {
		status = http.StatusUnauthorized
	}
	return t.ExpectStatus(Request{Path: "/channels", Sign: func(s Signing) string {
		return Encode(change(s.Signed(time.Now())))
	}}, status)
}

// resign signs a query to /channels once more, after it was changed.
func resign(t *T, q []client.Param) []client.Param {
	return resignAs(Signing{App: t.App(), Method: http.MethodGet, Path: "/apps/" + t.App().ID + "/channels"}, q)
}

func resignAs(s Signing, q []client.Param) []client.Param {
	q = without(q, "auth_signature")
	return append(q, client.Param{Name: "auth_signature", Value: client.Sign(s.App.Secret, client.StringToSign(s.Method, s.Path, q))})
}

func without(q []client.Param, name string) []client.Param {
	return slices.DeleteFunc(slices.Clone(q), func(p client.Param) bool { return p.Name == name })
}

func set(q []client.Param, name, value string) []client.Param {
	return append(without(q, name), client.Param{Name: name, Value: value})
}

func signedAt(offset time.Duration) func(Signing) string {
	return func(s Signing) string { return Encode(s.Signed(time.Now().Add(offset))) }
}

// probe is an endpoint that takes a body, or one that takes none.
func probe(body string) string {
	if body == "" {
		return "/channels"
	}
	return "/events"
}
