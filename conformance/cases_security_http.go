package conformance

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// httpSecurity are requests to the HTTP API that pretend to be others, or cost too much.
var httpSecurity = []Case{
	{
		ID: "security.http.signatures", Title: "nothing but the right signature publishes", Level: Must, Source: srcHTTPAuth,
		Requirement: "An event whose signature is empty, cut short, in upper case or of another secret is answered with 401 and published to nobody.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			for _, change := range []func(string) string{
				func(string) string { return "" },
				func(s string) string { return s[:63] },
				func(s string) string { return s + "0" },
				strings.ToUpper,
				func(s string) string { return strings.Repeat("0", len(s)) },
				func(s string) string { return s + "\x00" },
			} {
				t.ExpectStatus(Request{Path: "/events", Body: t.event(room), Sign: func(s Signing) string {
					q := s.Signed(time.Now())
					q[len(q)-1].Value = change(q[len(q)-1].Value)
					return Encode(q)
				}}, http.StatusUnauthorized)
			}
			for _, secret := range []string{"", t.App().Secret + "x", t.App().Key} {
				app := t.App()
				app.Secret = secret
				t.ExpectStatus(Request{App: app, Path: "/events", Body: t.event(room)}, http.StatusUnauthorized)
			}
			c.expectOnlyFence(room, "an event that was refused is published to nobody")
		},
	},
	{
		ID: "security.http.pollution", Title: "no parameter can be added to a signed request", Level: Must, Source: srcHTTPAuth,
		Requirement: "A request to which a parameter was added after it was signed, even one that it has already, is answered with 400 or 401.",
		Run: func(t *T) {
			app := t.App()
			for _, added := range []string{
				"filter_by_prefix=presence-", "info=subscription_count", "auth_key=" + app.Key, "AUTH_KEY=" + app.Key, "auth_key=x", "auth_key[]=" + app.Key,
				"auth_timestamp=1", "auth_version=1.0", "auth_signature=x", "body_md5=x", "info[]=subscription_count", "Filter_By_Prefix=x", "x",
			} {
				for _, front := range []bool{true, false} {
					t.ExpectStatus(Request{Path: "/channels", Query: []client.Param{param("filter_by_prefix", "none-")}, Sign: func(s Signing) string {
						q := Encode(s.Signed(time.Now()))
						if front {
							return added + "&" + q
						}
						return q + "&" + added
					}}, http.StatusBadRequest, http.StatusUnauthorized)
				}
			}
		},
	},
	{
		ID: "security.http.replay", Title: "a request that comes again", Level: May, Source: "The hosted service publishes again within 600 seconds: retries are legal",
		Requirement: "The same signed request, sent ten times, is answered with 200 each time, or with 401 after the first; each 200 publishes once.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			body := t.event(room)
			query := ""
			accepted := 0
			for i := range 10 {
				res := t.ExpectStatus(Request{Path: "/events", Body: body, Sign: func(s Signing) string {
					if query == "" {
						query = Encode(s.Signed(time.Now()))
					}
					return query
				}}, http.StatusOK, http.StatusUnauthorized)
				switch {
				case res.Status == http.StatusOK:
					accepted++
				case i == 0:
					t.Mismatch("status of the first", "200", fmt.Sprint(res.Status))
				}
			}
			for range accepted {
				c.Expect("e", room)
			}
			c.expectOnlyFence(room, "no more than was answered with 200")
			t.Note("%d of 10 were accepted", accepted)
		},
	},
	{
		ID: "security.http.smuggling", Title: "no request hides behind another", Level: Must, Source: srcMessage,
		Requirement: "A request with both a Content-Length and a Transfer-Encoding, or with two lengths, is refused, and what stands behind it is not run.",
		Run: func(t *T) {
			hidden := t.head("GET", "/up") + "\r\n"
			for what, text := range map[string]string{
				"a length and chunks":   t.head("POST", "/nothing") + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
				"chunks and a length":   t.head("POST", "/nothing") + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
				"two lengths":           t.head("POST", "/nothing") + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
				"a length that is none": t.head("POST", "/nothing") + "Content-Length: +0\r\n\r\n",
				"an unknown coding":     t.head("POST", "/nothing") + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
				"a coding with a space": t.head("POST", "/nothing") + "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
				"a header that goes on": t.head("POST", "/nothing") + "Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
				"an upgrade and a body": t.head("POST", "/nothing") + "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			} {
				w := t.OpenWire()
				w.Send(text + hidden)
				w.ExpectRefused(what)
				if status, _ := w.Answer(); status != 0 {
					t.Mismatch("what stands behind "+what, "it is not run: the connection ends", fmt.Sprintf("an answer of %d", status))
				}
			}
		},
	},
	{
		ID: "security.http.announced", Title: "a body that is too large is not read", Level: Must, Source: "RFC 9110, section 15.5.14: 413 Content Too Large",
		Requirement: "A request that announces a body of 1 GiB is answered with 4xx, before the body comes.",
		Run: func(t *T) {
			w := t.OpenWire()
			w.Send(t.signedHead("/events", "x") + "Content-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n")
			if status := w.ExpectRefused("a body of 1 GiB"); status == 0 {
				t.Mismatch("the answer to a body of 1 GiB", "413", "the end of the connection")
			}
		},
	},
	{
		ID: "security.http.compressed", Title: "a compressed body does no harm", Level: Should, Source: "RFC 9110, section 15.5.16: 415 Unsupported Media Type",
		Requirement: "A body that is compressed, and would be 64 MiB, is answered with 4xx.",
		Run: func(t *T) {
			res := t.Do(Request{Path: "/events", Body: gzipBomb(), Header: http.Header{"Content-Encoding": {"gzip"}}})
			if res.Status < 400 || res.Status >= 500 {
				t.Mismatch("status", "4xx", fmt.Sprintf("%d %s", res.Status, res.Body))
			}
			t.Get("/channels")
		},
	},
	{
		ID: "security.http.slow-body", Title: "who drips a body is cut off", Level: Should, Timing: true, Source: "RFC 9110, section 15.5.9: 408 Request Timeout",
		Requirement: "A request whose body does not come is ended within 30 seconds.",
		Run: func(t *T) {
			body := t.event(t.Name("room-"))
			w := t.OpenWire()
			w.Send(t.signedHead("/events", body) + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body[:len(body)-1])
			w.ExpectEnd("a request whose body does not come", 30*time.Second)
		},
	},
	{
		ID: "security.http.huge-query", Title: "a huge query is refused", Level: Must, Source: "RFC 9110, section 15.5.15: 414 URI Too Long",
		Requirement: "A request with a query of 1 MiB is answered with 4xx or not at all.",
		Run: func(t *T) {
			w := t.OpenWire()
			w.Send(t.head("GET", "/apps/"+t.App().ID+"/channels?x="+strings.Repeat("x", 1<<20)) + "\r\n")
			w.ExpectRefused("a query of 1 MiB")
			t.Get("/channels")
		},
	},
	{
		ID: "security.http.operators", Title: "what is for operators is not public", Level: Must, Source: "CWE-200: Exposure of sensitive information",
		Requirement: "Metrics, profiles and configuration are not served where clients connect, without credentials.",
		Run: func(t *T) {
			for _, path := range []string{
				"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/vars", "/config", "/admin", "/apps", "/.env", "/usage",
			} {
				t.ExpectStatus(Request{Path: path, Root: true, Sign: func(Signing) string { return "" }},
					http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed)
			}
		},
	},
	{
		ID: "security.http.secrets", Title: "no error tells a secret", Level: Must, Source: "CWE-209: Error message containing sensitive information",
		Requirement: "No answer to a wrong request has the secret of the app in it, or the signature that would have been right.",
		Run: func(t *T) {
			right := ""
			for _, change := range []func([]client.Param) []client.Param{
				func(q []client.Param) []client.Param { return set(q, "auth_signature", "wrong") },
				func(q []client.Param) []client.Param { return without(q, "auth_signature") },
				func(q []client.Param) []client.Param { return set(q, "auth_key", "wrong") },
				func(q []client.Param) []client.Param { return set(q, "auth_timestamp", "1") },
			} {
				res := t.Do(Request{Path: "/channels", Sign: func(s Signing) string {
					q := change(s.Signed(time.Now()))
					signed := resignAs(s, q) // which is not what is sent: an answer may quote that
					right = signed[len(signed)-1].Value
					return Encode(q)
				}})
				if res.Status < 400 {
					t.Mismatch("status", "4xx", fmt.Sprint(res.Status))
				}
				for _, secret := range []string{t.App().Secret, right} {
					if strings.Contains(res.Body, secret) {
						t.Fatalf("the answer %d to a wrong request has the secret, or the right signature, in it", res.Status)
					}
				}
			}
			c := t.Connect()
			room := t.Name("private-")
			_, signature, _ := strings.Cut(c.Auth(room, ""), ":")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":"x:y","channel":%s}}`, room)
			for _, m := range c.Fence() {
				if strings.Contains(m.Text, t.App().Secret) || strings.Contains(m.Text, signature) {
					t.Fatalf("a pusher:error has the secret, or the right signature, in it")
				}
			}
		},
	},
	{
		ID: "security.http.cors", Title: "the API is not for browsers", Level: Should, Source: "Fetch standard: CORS protocol and credentials",
		Requirement: "The HTTP API does not allow other origins to send credentials.",
		Run: func(t *T) {
			for _, method := range []string{http.MethodOptions, http.MethodGet} {
				res := t.Do(Request{Method: method, Path: "/channels", Header: http.Header{
					"Origin": {"https://evil.example"}, "Access-Control-Request-Method": {"POST"},
				}})
				allowed := res.Header.Get("Access-Control-Allow-Origin")
				if (allowed == "*" || allowed == "https://evil.example") && res.Header.Get("Access-Control-Allow-Credentials") == "true" {
					t.Mismatch("CORS headers", "no other origin may send credentials", "Access-Control-Allow-Origin: "+allowed+" with credentials")
				}
			}
		},
	},
	{
		ID: "security.http.injection", Title: "no header can be put into an answer", Level: Must, Source: "CWE-113: HTTP response splitting",
		Requirement: "A line break in a path or a parameter does not come back as a header.",
		Run: func(t *T) {
			for _, r := range []Request{
				{Path: "/channels/a%0d%0aX-Injected:%20yes"},
				{Path: "/channels", Query: []client.Param{param("info", "a\r\nX-Injected: yes")}},
				{Root: true, Path: "/apps/a%0d%0aX-Injected:%20yes/channels"},
			} {
				res := t.Do(r)
				if res.Header.Get("X-Injected") != "" || res.Status >= 500 {
					t.Mismatch("the answer to a line break", "a status of 4xx, and no header of the request", fmt.Sprintf("%d with X-Injected: %q", res.Status, res.Header.Get("X-Injected")))
				}
			}
		},
	},
	{
		ID: "security.apps.isolated", Title: "apps hear nothing of one another", Level: Must, Source: "Pusher docs, Channels apps: keys and secrets are of one app", Needs: []Capability{CapSecondApp},
		Requirement: "A channel of one app and the channel of the same name of another have nothing in common: neither events nor subscribers.",
		Run: func(t *T) {
			room, other := t.Name("private-"), t.Fixture(Second)
			a := t.Connect()
			b := t.ConnectTo(Dialing{App: other})
			a.Subscribe(room)
			t.Field(t.Object(t.OK(t.Do(Request{App: other, Path: "/channels/" + room}))), "occupied").is(false)
			b.Subscribe(room)
			t.Publish(Publishing{Name: "for-a", Channel: room, Data: "{}", SocketID: b.SocketID})
			t.PublishAs(other, Publishing{Name: "for-b", Channel: room, Data: "{}"})
			a.Expect("for-a", room)
			b.Expect("for-b", room)
			a.expectOnlyFence(room, "what is of another app")
			b.expectOnlyFence(room, "what is of another app")
			t.Field(t.Get("/channels/"+room, param("info", "subscription_count")), "subscription_count").is(1)
		},
	},
}

// gzipBomb is 64 MiB, compressed. It takes a while to make, and is made once.
var gzipBomb = sync.OnceValue(func() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range 64 {
		_, _ = z.Write(zeros) // a bytes.Buffer does not fail
	}
	_ = z.Close()
	return b.String()
})
