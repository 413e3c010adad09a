package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/api"
)

const body = `{"name":"e","channel":"news","data":"x"}`

// Fault 45: what a proxy could take for one request and the server for two is
// refused, and nothing behind it is run.
func TestChunkedBodiesAreRefused(t *testing.T) {
	s := newStage(t, options{})
	s.join("amy", "news", "")
	query := s.signedQuery(call{method: "POST", path: "/apps/1/events", body: body})
	second := fmt.Sprintf("POST /apps/1/events?%s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", query, len(body), body)
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	for _, tt := range []struct{ name, headers string }{
		{"in chunks", "Transfer-Encoding: chunked\r\n"},
		{"in chunks and with a length", fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n", len(chunks)+len(second))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			c := s.dial()
			c.send("POST /apps/1/events?" + query + " HTTP/1.1\r\nHost: h\r\n" + tt.headers + "\r\n" + chunks + second)
			got := c.response()
			if got.status != http.StatusLengthRequired {
				t.Errorf("got %d %s, want 411", got.status, got.body)
			}
			c.mustEnd()
			if heard := s.heard(); len(heard) > 0 {
				t.Errorf("clients heard %v, want nothing", heard)
			}
		})
	}
}

// An endpoint that does not exist is no way around that.
func TestChunkedBodiesAreRefusedEverywhere(t *testing.T) {
	s := newStage(t, options{})
	c := s.dial()
	c.send("POST /apps/nope HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /apps/x HTTP/1.1\r\nHost: h\r\n\r\n")
	if got := c.response(); got.status != http.StatusLengthRequired {
		t.Errorf("got %d, want 411", got.status)
	}
	c.mustEnd()
}

// Fault 44: a body is taken as it is, and only so much of it.
func TestBodies(t *testing.T) {
	const limit = 200
	fits := `{"name":"e","channel":"news","data":"x"` + strings.Repeat(" ", limit-len(body)) + "}"
	post := func(body string, header http.Header) call {
		return call{method: "POST", path: "/apps/1/events", body: body, header: header}
	}
	tests := []struct {
		name   string
		call   call
		status int
		want   string
	}{
		{"one that just fits", post(fits, nil), 200, "{}"},
		{"one that is too big", post(fits+" ", nil), 413, "Request entity too large: the body exceeds the allowed maximum (200 bytes): see api.max_request_size\n"},
		{"one that is compressed", post(body, http.Header{"Content-Encoding": {"gzip"}}), 415, "Unsupported Content-Encoding: send the body as it is\n"},
		{"one that says that it is not compressed", post(body, http.Header{"Content-Encoding": {"Identity"}}), 200, "{}"},
		{"one that is not UTF-8", post(`{"name":"e","channel":"news","data":"`+"\xff"+`"}`, nil), 400, "The body must be one JSON object: not valid UTF-8\n"},
		{"one that is nested without end", post(`{"name":"e","channel":"news","data":`+strings.Repeat("[", 160), nil), 400, "The body must be one JSON object: nested deeper than 64\n"},
		{"one of another type", post(body, http.Header{"Content-Type": {"text/plain"}}), 200, "{}"},
	}
	s := newStage(t, options{config: api.Config{MaxRequestSize: limit}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			if got := s.do(tt.call); got.status != tt.status || got.body != tt.want {
				t.Errorf("got %d %q, want %d %q", got.status, got.body, tt.status, tt.want)
			}
		})
	}
}

// A body that is promised to be too big is refused before it is sent.
func TestTooBigIsRefusedAtOnce(t *testing.T) {
	s := newStage(t, options{})
	query := s.signedQuery(call{method: "POST", path: "/apps/1/events", body: body})
	c := s.dial()
	c.send("POST /apps/1/events?" + query + " HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n")
	if got := c.response(); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d %s, want 413", got.status, got.body)
	}
	c.mustEnd()
}

// HTTP/2 has bodies that say nothing of their length. They may be no longer.
func TestBodyOfUnknownLength(t *testing.T) {
	s := newStage(t, options{config: api.Config{MaxRequestSize: len(body)}})
	for _, tt := range []struct {
		body string
		want int
	}{{body, http.StatusOK}, {body + " ", http.StatusRequestEntityTooLarge}} {
		r := s.request(call{method: "POST", path: "/apps/1/events", body: tt.body})
		r.ContentLength = -1
		w := httptest.NewRecorder()
		s.server.Config.Handler.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("a body of %d bytes: got %d %s, want %d", len(tt.body), w.Code, w.Body, tt.want)
		}
	}
}

// Fault 46: one that sends slowly is not waited for. The time is the server's;
// the API says what happened.
func TestSlowBody(t *testing.T) {
	s := newStage(t, options{server: func(h *http.Server) { h.ReadTimeout = 2 * time.Second }})
	query := s.signedQuery(call{method: "POST", path: "/apps/1/events", body: body})
	c := s.dial()
	c.send(fmt.Sprintf("POST /apps/1/events?%s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", query, len(body), body[:5]))
	if got := c.response(); got.status != http.StatusRequestTimeout {
		t.Errorf("got %d %s, want 408", got.status, got.body)
	}
	c.mustEnd()
}

// HA-13, HQ-13: targets that no library of Go would send.
func TestOddTargets(t *testing.T) {
	s := newStage(t, options{})
	s.join("amy", "foo-bar_1234@=,.;", "")
	for _, tt := range []struct{ name, path, query, want string }{
		{"a raw name", "/apps/1/channels/foo-bar_1234@=,.;", "", `{"occupied":true}`},
		{"an encoded name", "/apps/1/channels/foo-bar_1234%40%3D%2C.%3B", "", `{"occupied":true}`},
		{"a raw list", "/apps/1/channels/foo-bar_1234@=,.;", "info=subscription_count,subscription_count", `{"occupied":true,"subscription_count":1}`},
		{"a raw semicolon", "/apps/1/channels", "filter_by_prefix=foo-bar_1234@=,.;", `{"channels":{"foo-bar_1234@=,.;":{}}}`},
		{"a semicolon too many", "/apps/1/channels", "filter_by_prefix=foo-bar_1234@=,.;;", `{"channels":{}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			c := s.dial()
			c.send("GET " + tt.path + "?" + s.signedQuery(call{method: "GET", path: tt.path, query: tt.query}) + " HTTP/1.1\r\nHost: h\r\n\r\n")
			if got := c.response(); got.status != http.StatusOK || got.body != tt.want {
				t.Errorf("got %d %s, want 200 %s", got.status, got.body, tt.want)
			}
		})
	}
}

// Fault 45: a query of any size is answered, and the server lives on.
func TestHugeQuery(t *testing.T) {
	s := newStage(t, options{})
	got := s.do(call{method: "GET", path: "/apps/1/channels", query: strings.Repeat("&a[]=b", 20_000), signed: "a[]=b"})
	if got.status != http.StatusUnauthorized {
		t.Errorf("got %d, want 401", got.status)
	}
	if got := s.do(call{method: "GET", path: "/apps/1/channels"}); got.status != http.StatusOK {
		t.Errorf("afterwards: got %d, want 200", got.status)
	}
}
