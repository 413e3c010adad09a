package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
)

// metricsText is what Prometheus reads.
func (s *stage) metricsText() string {
	w := httptest.NewRecorder()
	s.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w.Body.String()
}

// metric returns the first line that begins with name, or "".
func (s *stage) metric(name string) string {
	for line := range strings.Lines(s.metricsText()) {
		if strings.HasPrefix(line, name) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// Fault 47: who asks too often is told when to come back. Publishing and asking
// are counted apart.
func TestRates(t *testing.T) {
	publish := call{method: "POST", path: "/apps/1/events", body: body}
	batch := call{method: "POST", path: "/apps/1/batch_events", body: `{"batch":[` + body + `,` + body + `]}`}
	query := call{method: "GET", path: "/apps/1/channels"}
	const enough = 50 // requests, of which the third is too many unless the machine is very slow
	tests := []struct {
		name     string
		rate     func(*app.App)
		limited  call
		free     call
		metric   string
		contains string
	}{
		{"of events", func(a *app.App) { a.PublishRate = 2 }, publish, query, `revurb_rate_limited_total{app="1",limit="publish"} 1`, "publish_rate"},
		{"of a batch", func(a *app.App) { a.PublishRate = 2 }, batch, query, `revurb_rate_limited_total{app="1",limit="publish"} 1`, "publish_rate"},
		{"of queries", func(a *app.App) { a.QueryRate = 2 }, query, publish, `revurb_rate_limited_total{app="1",limit="query"} 1`, "query_rate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, options{app: tt.rate})
			for i := 0; ; i++ {
				got := s.do(tt.limited)
				if got.status == http.StatusTooManyRequests {
					if !regexp.MustCompile(`^[1-9]\d*$`).MatchString(got.header.Get("Retry-After")) {
						t.Errorf("Retry-After = %q, want whole seconds", got.header.Get("Retry-After"))
					}
					if !strings.Contains(got.body, tt.contains) {
						t.Errorf("got %q, want it to name %s", got.body, tt.contains)
					}
					break
				}
				if got.status != http.StatusOK || i == enough {
					t.Fatalf("request %d: got %d %s, want 429 before long", i, got.status, got.body)
				}
			}
			if got := s.metric("revurb_rate_limited_total"); got != tt.metric {
				t.Errorf("got metric %s, want %s", got, tt.metric)
			}
			if got := s.do(tt.free); got.status != http.StatusOK {
				t.Errorf("the other kind: got %d, want 200", got.status)
			}
		})
	}
}

// faultyBroker fails to publish a number of times.
type faultyBroker struct {
	broker.Broker
	err    error
	times  atomic.Int64
	called chan struct{} // gets something once Publish is called
}

func (b *faultyBroker) Publish(ctx context.Context, m broker.Message) error {
	select {
	case b.called <- struct{}{}:
	default:
	}
	if b.times.Add(-1) >= 0 {
		return b.err
	}
	return b.Broker.Publish(ctx, m)
}

func withFault(err error, times int64) (*faultyBroker, options) {
	f := &faultyBroker{err: err, called: make(chan struct{}, 1)}
	f.times.Store(times)
	return f, options{broker: func(b broker.Broker) broker.Broker { f.Broker = b; return f }}
}

func TestOverload(t *testing.T) {
	t.Run("that is over soon is waited for", func(t *testing.T) {
		_, o := withFault(channel.ErrOverloaded, 3)
		s := newStage(t, o)
		s.join("amy", "news", "")
		if got := s.do(call{method: "POST", path: "/apps/1/events", body: body}); got.status != http.StatusOK {
			t.Errorf("got %d %s, want 200", got.status, got.body)
		}
		if got := len(s.heard()["amy"]); got != 1 {
			t.Errorf("amy heard %d messages, want 1", got)
		}
		if got, want := s.metric("revurb_published_events_total"), `revurb_published_events_total{app="1"} 1`; got != want {
			t.Errorf("got metric %s, want %s", got, want)
		}
	})
	t.Run("that goes on is 503", func(t *testing.T) {
		_, o := withFault(channel.ErrOverloaded, 1_000_000)
		s := newStage(t, o)
		got := s.do(call{method: "POST", path: "/apps/1/events", body: body})
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
			t.Errorf("got %d, Retry-After %q, want 503 and 1", got.status, got.header.Get("Retry-After"))
		}
	})
	t.Run("does not outlast its client", func(t *testing.T) {
		f, o := withFault(channel.ErrOverloaded, 1_000_000)
		s := newStage(t, o)
		c := s.dial()
		query := s.signedQuery(call{method: "POST", path: "/apps/1/channels/news/events", query: "name=e", body: "x"})
		c.send("POST /apps/1/channels/news/events?" + query + " HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
		<-f.called
		c.conn.Close()
		s.server.Close() // waits for the request to end
		if log := s.log.String(); !strings.Contains(log, "status=499") {
			t.Errorf("got log %s, want a request that ended with its client", log)
		}
	})
}

// finder fails to find apps, in its own way.
type finder func() (*app.App, error)

func (f finder) ByID(context.Context, string) (*app.App, error)  { return f() }
func (f finder) ByKey(context.Context, string) (*app.App, error) { return f() }

// What goes wrong in the server is told with an ID by which it is found in the
// log, and without its cause. It is the end of one request only.
func TestInternalErrors(t *testing.T) {
	tests := []struct {
		name   string
		find   finder
		logged string
		panics string
	}{
		{"an error", func() (*app.App, error) { return nil, errors.New("the database is down") }, "find app: the database is down", "revurb_panics_total 0"},
		{"a panic", func() (*app.App, error) { panic("the database is a teapot") }, "panic: the database is a teapot", "revurb_panics_total 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broken := true
			s := newStage(t, options{finder: func(f app.Finder) app.Finder {
				return finder(func() (*app.App, error) {
					if broken {
						return tt.find()
					}
					return f.ByID(t.Context(), "1")
				})
			}})
			get := call{method: "GET", path: "/apps/1/channels", header: http.Header{"X-Request-Id": {"my-id"}}}
			got := s.do(get)
			if want := "Internal server error. Its cause is in the server's log, at request_id my-id\n"; got.status != 500 || got.body != want {
				t.Errorf("got %d %q, want 500 %q", got.status, got.body, want)
			}
			found := false
			for line := range strings.Lines(s.log.String()) {
				found = found || strings.Contains(line, "level=ERROR") && strings.Contains(line, tt.logged) && strings.Contains(line, "request_id=my-id")
			}
			if !found {
				t.Errorf("got log %s, want an error with %q and the request ID", s.log, tt.logged)
			}
			if got := s.metric("revurb_panics_total"); got != tt.panics {
				t.Errorf("got metric %s, want %s", got, tt.panics)
			}
			broken = false
			if got := s.do(get); got.status != http.StatusOK {
				t.Errorf("afterwards: got %d %s, want 200", got.status, got.body)
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	s := newStage(t, options{})
	for _, tt := range []struct{ name, sent, want string }{
		{"one is made", "", `^[0-9a-f]{16}$`},
		{"one that came is kept", "a1:B/c-d_e.f=+", `^a1:B/c-d_e\.f=\+$`},
		{"one with spaces is not", "a b", `^[0-9a-f]{16}$`},
		{"one that would write in the log is not", `a"b`, `^[0-9a-f]{16}$`},
		{"one that is long is not", strings.Repeat("x", 129), `^[0-9a-f]{16}$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			got := s.do(call{method: "GET", path: "/apps/1/channels", header: http.Header{"X-Request-Id": {tt.sent}}})
			id := got.header.Get("X-Request-Id")
			if !regexp.MustCompile(tt.want).MatchString(id) {
				t.Errorf("got %q, want %s", id, tt.want)
			}
			if !strings.Contains(s.log.String(), id) {
				t.Errorf("the log does not have %q", id)
			}
		})
	}
}

// Fault 49: neither the log at its most talkative nor the metrics have a secret,
// a signature or data in them, nor a response any of it that its sender did not
// send.
func TestNothingSecretIsTold(t *testing.T) {
	s := newStage(t, options{app: func(a *app.App) { a.Secret = "canary-secret" }})
	canaries := []string{"canary", strings.Repeat("ab", 32)}
	for _, c := range []call{
		{method: "POST", path: "/apps/1/events", body: `{"name":"e","channel":"news","data":"canary-data"}`},
		{method: "POST", path: "/apps/1/events", query: "name=e&channel=a&data=canary-data"},
		{method: "POST", path: "/apps/1/events", query: "name=e&channel=a", body: "{"},
		{method: "GET", path: "/apps/1/channels", after: add("x=1")},
		{method: "GET", path: "/apps/1/channels/" + strings.Repeat("ab", 32)},
	} {
		for p := range strings.SplitSeq(s.signedQuery(c), "&") {
			if signature, ok := strings.CutPrefix(p, "auth_signature="); ok {
				canaries = append(canaries, signature)
			}
		}
		if got := s.do(c); strings.Contains(got.body, "canary") {
			t.Errorf("%s %s: the response is %s", c.method, c.path, got.body)
		}
	}
	if got := strings.Count(s.log.String(), "msg=request "); got != 5 {
		t.Fatalf("got %d lines of requests in %s, want 5", got, s.log)
	}
	for _, canary := range canaries {
		if strings.Contains(s.log.String(), canary) {
			t.Errorf("%s is in the log: %s", canary, s.log)
		}
		if strings.Contains(s.metricsText(), canary) {
			t.Errorf("%s is in the metrics", canary)
		}
	}
}

func TestRequestsAreCounted(t *testing.T) {
	s := newStage(t, options{})
	s.do(call{method: "POST", path: "/apps/1/events", body: body})
	if got, want := s.metric(`revurb_http_requests_total`), `revurb_http_requests_total{app="1",endpoint="events",status="200"} 1`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := s.metric(`revurb_http_request_seconds_count{endpoint="events"}`); !strings.HasSuffix(got, " 1") {
		t.Errorf("got %q, want one request to be timed", got)
	}
	s = newStage(t, options{})
	s.do(call{method: "GET", path: "/apps/9/channels"}) // an app that anyone may have made up
	if got, want := s.metric(`revurb_http_requests_total`), `revurb_http_requests_total{app="",endpoint="channels",status="404"} 1`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Fault 50: the API is not for browsers, and says so to none.
func TestNoCORS(t *testing.T) {
	s := newStage(t, options{})
	for _, method := range []string{"GET", "OPTIONS"} {
		got := s.do(call{method: method, path: "/apps/1/channels", header: http.Header{
			"Origin": {"https://example.com"}, "Access-Control-Request-Method": {"GET"},
		}})
		for name := range got.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: got header %s, want none of them", method, name)
			}
		}
	}
}

// HEAD is no GET without a body: it is not signed as one.
func TestHead(t *testing.T) {
	s := newStage(t, options{})
	got := s.do(call{method: "HEAD", path: "/apps/1/channels"})
	if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "GET" {
		t.Errorf("got %d, Allow %q, want 405 and GET", got.status, got.header.Get("Allow"))
	}
}
