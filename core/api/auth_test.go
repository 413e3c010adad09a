package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
)

// set replaces the parameter called name, which is added if value is of one that
// is not there; drop takes it out.
func set(name, value string) func(*[]string) {
	return func(params *[]string) {
		drop(name)(params)
		*params = append(*params, name+"="+value)
	}
}

func drop(name string) func(*[]string) {
	return func(params *[]string) {
		*params = slices.DeleteFunc(*params, func(p string) bool { return strings.HasPrefix(p, name+"=") })
	}
}

func add(param string) func(*[]string) {
	return func(params *[]string) { *params = append(*params, param) }
}

func ago(seconds int) string { return fmt.Sprint(time.Now().Unix() - int64(seconds)) }

func TestAuthentication(t *testing.T) {
	const events, body = "/apps/1/events", `{"name":"e","channel":"news","data":"x"}`
	post := call{method: "POST", path: events, body: body}
	get := call{method: "GET", path: "/apps/1/channels"}
	with := func(c call, change func(*call)) call { change(&c); return c }
	tests := []struct {
		name   string
		call   call
		status int
		want   string // the body of the response has it in it
	}{
		{"HA-01 a signed request is served", post, 200, "{}"},
		{
			"HA-03 a bad signature is told what to sign",
			with(post, func(c *call) { c.after = set("auth_signature", strings.Repeat("0", 64)) }),
			401, `Invalid signature: you should have sent HmacSHA256Hex("POST\n/apps/1/events\nauth_key=key1&`,
		},
		{"HA-04 no signature", with(get, func(c *call) { c.after = drop("auth_signature") }), 401, `but you sent ""`},
		{"HA-04 no key", with(get, func(c *call) { c.sign = drop("auth_key") }), 401, "Missing parameter: auth_key\n"},
		{"HA-05 an unknown key", with(get, func(c *call) { c.sign = set("auth_key", "nope") }), 401, "Unknown auth_key\n"},
		{"HA-06 the key of another app", with(get, func(c *call) { c.sign = set("auth_key", "key2") }), 401, "Unknown auth_key\n"},
		{"HA-07 590 s early", with(get, func(c *call) { c.sign = set("auth_timestamp", ago(590)) }), 200, ""},
		{"HA-07 590 s late", with(get, func(c *call) { c.sign = set("auth_timestamp", ago(-590)) }), 200, ""},
		{"HA-07 610 s early", with(get, func(c *call) { c.sign = set("auth_timestamp", ago(610)) }), 401, "Timestamp expired: Given timestamp ("},
		{"HA-07 610 s late", with(get, func(c *call) { c.sign = set("auth_timestamp", ago(-610)) }), 401, "not within 600s of server time ("},
		{"HA-08 no timestamp", with(get, func(c *call) { c.sign = drop("auth_timestamp") }), 401, "Timestamp required"},
		{"HA-08 a timestamp that is none", with(get, func(c *call) { c.sign = set("auth_timestamp", "now") }), 401, "Timestamp required"},
		{"HA-09 no version", with(get, func(c *call) { c.sign = drop("auth_version") }), 401, "Version required\n"},
		{"HA-09 another version", with(get, func(c *call) { c.sign = set("auth_version", "2.0") }), 401, "Version not supported\n"},
		{
			"HA-10 a wrong body_md5", with(post, func(c *call) { c.sign = set("body_md5", strings.Repeat("0", 32)) }),
			401, "Invalid body_md5: expected ",
		},
		{"HA-10 a body without body_md5", with(post, func(c *call) { c.sign = drop("body_md5") }), 401, "Missing parameter: body_md5"},
		{
			"HA-11 a GET may have the body_md5 of nothing",
			with(get, func(c *call) { c.sign = add("body_md5=d41d8cd98f00b204e9800998ecf8427e") }), 200, "",
		},
		{
			"HA-12 encoded commas, spaces and semicolons",
			with(get, func(c *call) {
				c.query = "filter_by_prefix=presence-%20%3B&info=user_count%2Csubscription_count"
				c.signed = "filter_by_prefix=presence- ;&info=user_count,subscription_count"
			}), 200, "",
		},
		{"HA-13 a raw query", with(get, func(c *call) { c.query = "filter_by_prefix=presence-;&info=user_count,subscription_count" }), 200, ""},
		{
			"HA-14 upper-case keys",
			with(get, func(c *call) {
				c.after = func(params *[]string) {
					for i, p := range *params {
						(*params)[i] = strings.Replace(p, "auth_", "AUTH_", 1)
					}
				}
			}), 200, "",
		},
		{"HA-14 any order", with(get, func(c *call) { c.after = func(params *[]string) { slices.Reverse(*params) } }), 200, ""},
		{"HA-15 an array of the gem", with(get, func(c *call) { c.query = "filter_by_prefix=presence-&info[]=user_count&info[]=subscription_count" }), 200, ""},
		{
			"HA-15 an array of PHP",
			with(get, func(c *call) {
				c.query = "filter_by_prefix=presence-&info%5B0%5D=user_count&info%5B1%5D=subscription_count"
				c.signed = "filter_by_prefix=presence-&info=user_count,subscription_count"
			}), 200, "",
		},
		{"HA-17 no parameters", with(get, func(c *call) { c.after = func(params *[]string) { *params = nil } }), 401, "Missing parameter: auth_key\n"},
		{"HA-20 an unknown app", call{method: "GET", path: "/apps/9/channels"}, 404, "No matching application for ID [9].\n"},
		{"fault 37 an upper-case signature", with(get, func(c *call) {
			c.after = func(params *[]string) {
				last := len(*params) - 1
				name, value, _ := strings.Cut((*params)[last], "=")
				(*params)[last] = name + "=" + strings.ToUpper(value)
			}
		}), 401, "Invalid signature"},
		{"fault 37 an empty signature", with(get, func(c *call) { c.after = set("auth_signature", "") }), 401, "Invalid signature"},
		{"fault 41 a second key", with(get, func(c *call) { c.after = add("auth_key=key2") }), 400, `"auth_key" occurs twice`},
		{"fault 41 a second key in front", with(get, func(c *call) { c.query = "Auth_Key=key2" }), 400, `"auth_key" occurs twice`},
		{"fault 41 a key that is an array", with(get, func(c *call) { c.after = add("auth_key[]=key2") }), 400, `"auth_key" must not be an array`},
		{"fault 41 another parameter twice", with(get, func(c *call) { c.query = "info=a&info=b" }), 400, `"info" occurs twice`},
		{"a parameter that was added afterwards", with(get, func(c *call) { c.after = add("filter_by_prefix=x") }), 401, "Invalid signature"},
	}
	s := newStage(t, options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			got := s.do(tt.call)
			if got.status != tt.status || !strings.Contains(got.body, tt.want) {
				t.Errorf("got %d %q,\nwant %d and %q", got.status, got.body, tt.status, tt.want)
			}
			if got.status == http.StatusOK {
				return
			}
			if !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") || !strings.HasSuffix(got.body, "\n") { // HA-19
				t.Errorf("got %s %q, want a line of text/plain", got.header.Get("Content-Type"), got.body)
			}
			if strings.Contains(got.body, "secret1") {
				t.Errorf("the secret of the app is in %q", got.body)
			}
		})
	}
}

// HA-10, HA-16: a signature is of one method, one path and one body.
func TestSignatureIsBound(t *testing.T) {
	s := newStage(t, options{})
	tests := []struct {
		name   string
		call   call
		change func(*http.Request)
	}{
		{"to its method", call{method: "GET", path: "/apps/1/events"}, func(r *http.Request) { r.Method = "POST" }},
		{"to its path", call{method: "GET", path: "/apps/1/channels"}, func(r *http.Request) { r.URL.Path += "/news" }},
		{"to its app", call{method: "GET", path: "/apps/1/channels"}, func(r *http.Request) { r.URL.Path = "/apps/2/channels" }},
		{"to its body", call{method: "POST", path: "/apps/1/events", body: `{"name":"e","channel":"a","data":"x"}`}, func(r *http.Request) {
			r.Body, r.ContentLength = http.NoBody, 0
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.request(tt.call)
			tt.change(r)
			resp, err := s.server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("got %d, want 401", resp.StatusCode)
			}
		})
	}
}

// HA-12 continued: an ampersand in a value.
func TestEncodedAmpersand(t *testing.T) {
	s := newStage(t, options{})
	got := s.do(call{
		method: "GET", path: "/apps/1/channels",
		sign: add("filter_by_prefix=a&b"),
		after: func(params *[]string) {
			i := slices.Index(*params, "filter_by_prefix=a&b")
			(*params)[i] = "filter_by_prefix=a%26b"
		},
	})
	if got.status != http.StatusOK {
		t.Errorf("got %d %s, want 200", got.status, got.body)
	}
}

// HA-18: a server under a prefix takes the path with it and without it, as sent
// and decoded.
func TestPrefix(t *testing.T) {
	s := newStage(t, options{prefix: "/ws"})
	for _, signed := range []string{
		"/apps/1/channels/a%40b", "/apps/1/channels/a@b", "/ws/apps/1/channels/a%40b", "/ws/apps/1/channels/a@b",
	} {
		c := call{method: "GET", path: signed}
		r := s.request(c)
		r.URL.Path, r.URL.RawPath = "/ws/apps/1/channels/a@b", "/ws/apps/1/channels/a%40b"
		resp, err := s.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("signed as %s: got %d, want 200", signed, resp.StatusCode)
		}
	}
	if got := s.do(call{method: "GET", path: "/apps/1/channels"}); got.status != http.StatusNotFound {
		t.Errorf("without the prefix: got %d, want 404", got.status)
	}
}

func TestTimestampWindowOff(t *testing.T) {
	s := newStage(t, options{app: func(a *app.App) { a.TimestampWindow = 0 }})
	if got := s.do(call{method: "GET", path: "/apps/1/channels", sign: set("auth_timestamp", "1")}); got.status != http.StatusOK {
		t.Errorf("got %d %s, want 200", got.status, got.body)
	}
}

// A client that does not know the secret is told nothing of what it must not
// know, and cannot have a large body read.
func TestUnauthorizedBodyIsNotRead(t *testing.T) {
	s := newStage(t, options{})
	raw := s.dial()
	raw.send("POST /apps/1/events?" + url.Values{"auth_key": {"key1"}}.Encode() + " HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
	if got := raw.response(); got.status != http.StatusUnauthorized {
		t.Errorf("got %d %s, want 401 before the body is sent", got.status, got.body)
	}
}
