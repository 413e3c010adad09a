package websocket_test

import (
	"bytes"
	"compress/flate"
	"io"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/websocket"
)

const (
	rsv1    = 0x40
	offered = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
)

var compressing = setup{config: func(c *websocket.Config) { c.Compression = true }}

// deflated is payload as RFC 7692, section 7.2.1 has it.
func deflated(t testing.TB, payload string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, payload); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

func inflated(t testing.TB, payload string) string {
	t.Helper()
	raw, err := io.ReadAll(flate.NewReader(strings.NewReader(payload + "\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func (s *server) connectCompressed(t testing.TB) *client {
	t.Helper()
	c := s.upgrade(t, "/app/"+testKey, nil, offered)
	if got, want := c.response.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate; server_no_context_takeover; client_no_context_takeover"; got != want {
		t.Fatalf("got extensions %q, want %q", got, want)
	}
	if got := inflated(t, c.next(finText|rsv1)); !strings.Contains(got, "connection_established") {
		t.Fatalf("got %s, want the greeting", got)
	}
	return c
}

func TestCompressionWorksBothWays(t *testing.T) {
	s := start(t, compressing)
	c := s.connectCompressed(t)
	plain, _ := s.connect(t)
	plain.subscribe("news")
	c.frame(finText|rsv1, deflated(t, `{"event":"pusher:subscribe","data":{"channel":"news"}}`))
	if got := inflated(t, c.next(finText|rsv1)); !strings.Contains(got, "subscription_succeeded") {
		t.Fatalf("got %s, want to be subscribed", got)
	}
	for _, data := range []string{strings.Repeat("news ", 1000), "short"} {
		s.publish(t, "news", data)
		if got := inflated(t, c.next(finText|rsv1)); !strings.Contains(got, data) {
			t.Errorf("got %q, want it to have %q", got, data)
		}
		if got := plain.event("news"); got != data {
			t.Errorf("got %q without compression, want %q", got, data)
		}
	}
	c.text(ping7(0)) // a client need not compress
	if got := inflated(t, c.next(finText|rsv1)); !strings.Contains(got, "pusher:pong") {
		t.Errorf("got %s, want a pong", got)
	}
	c.frame(finPing, "p")
	if got := c.next(finPong); got != "p" {
		t.Errorf("got pong %q, want p: control frames are not compressed", got)
	}
}

func TestCompressionIsNegotiatedOnlyIfWeCanKeepToIt(t *testing.T) {
	tests := []struct {
		name, offer string
		want        bool
	}{
		{"nothing asked for", "permessage-deflate", true},
		{"everything we do anyway", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15", true},
		{"the second of two offers", "permessage-deflate; server_max_window_bits=10, permessage-deflate", true},
		{"a smaller window", "permessage-deflate; server_max_window_bits=10", false},
		{"an unknown parameter", "permessage-deflate; fast", false},
		{"a parameter twice", "permessage-deflate; client_max_window_bits; client_max_window_bits", false},
		{"a value out of range", "permessage-deflate; client_max_window_bits=16", false},
		{"a value where there is none", "permessage-deflate; server_no_context_takeover=1", false},
		{"another extension", "x-permessage-deflate-2", false},
		{"none", "", false},
	}
	s := start(t, compressing)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := s.upgrade(t, "/app/"+testKey, nil, "Sec-WebSocket-Extensions: "+tt.offer)
			got := c.response.Header.Get("Sec-WebSocket-Extensions")
			if (got != "") != tt.want {
				t.Errorf("got extensions %q, want some: %t", got, tt.want)
			}
			if !tt.want {
				c.established()
			}
		})
	}
}

func TestCompressionIsOffByDefault(t *testing.T) {
	s := start(t, setup{})
	c := s.upgrade(t, "/app/"+testKey, nil, offered)
	if got, ok := c.response.Header["Sec-Websocket-Extensions"]; ok {
		t.Errorf("got extensions %q, want none", got)
	}
	c.established()
}

func TestCompressedMessagesThatBreakTheRules(t *testing.T) {
	bomb := deflated(t, strings.Repeat("x", 4<<20))
	tests := []struct {
		name string
		wire []byte
		code int
	}{
		{"garbage", masked(finText|rsv1, "\xff\xff\xff\xff"), 1007},
		{"a bomb", masked(finText|rsv1, bomb), 1009},
		{"a small message that becomes too big", masked(finText|rsv1, deflated(t, ping7(10_001))), 1009},
		{"invalid UTF-8 inside", masked(finText|rsv1, deflated(t, "\xff")), 1007},
		{"RSV2", masked(finText|rsv1|0x20, deflated(t, ping7(0))), 1002},
		{"RSV3 without compression of the message", masked(finText|0x10, ping7(0)), 1002},
		{"RSV1 on a continuation", frames(masked(text|rsv1, "x"), masked(fin|rsv1, "x")), 1002},
		{"RSV1 on a ping", masked(finPing|rsv1, ""), 1002},
	}
	if len(bomb) > 9_000 {
		t.Fatalf("the bomb has %d bytes: it is refused before it goes off", len(bomb))
	}
	s := start(t, compressing)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := s.connectCompressed(t)
			c.raw(tt.wire)
			if tt.code == 1009 {
				if got := inflated(t, c.next(finText|rsv1)); !strings.Contains(got, "pusher:error") {
					t.Errorf("got %s, want an error in words", got)
				}
			}
			c.closed(tt.code)
		})
	}
	s.empty(t)
}
