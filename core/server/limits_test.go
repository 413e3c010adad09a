package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/config"
)

const path = "/app/" + appKey + "?protocol=7"

func forwarded(ip string) http.Header { return http.Header{"X-Forwarded-For": {ip}} }

func TestConnectionsPerIP(t *testing.T) {
	s := serve(t, func(c *config.Config) { c.Server.MaxConnectionsPerIP = 2 })
	first := s.connect()
	s.connect()
	// A header that anyone can send does not make another client of him.
	if c, status := s.ask(path, forwarded("198.51.100.7")); c != nil || status != http.StatusTooManyRequests {
		t.Errorf("the third of two: got %d, want 429", status)
	}
	if status, _ := get(t, s.server.Addr(), "/up"); status != http.StatusOK {
		t.Errorf("GET /up: got %d, want 200: the limit is that of WebSockets", status)
	}
	_ = first.Close()
	eventually(t, "let in who comes after the first has left", func() bool {
		c, _ := s.ask(path, nil)
		return c != nil
	})
	if _, text := get(t, s.server.AdminAddr(), "/metrics"); !strings.Contains(text, `revurb_refused_connections_total{reason="ip_connections"}`) {
		t.Errorf("got no count of those who were refused:\n%s", text)
	}
}

func TestConnectionsPerIPBehindAProxy(t *testing.T) {
	s := serve(t, func(c *config.Config) {
		c.Server.MaxConnectionsPerIP = 1
		c.Server.TrustedProxies = []string{"127.0.0.0/8"}
	})
	for _, test := range []struct {
		name, from string
		let        bool
	}{
		{"one client", "198.51.100.7", true},
		{"another client", "198.51.100.8", true},
		{"the first one again", "198.51.100.7", false},
		{"the first one, who claims to be another", "203.0.113.1, 198.51.100.7", false},
		{"an IPv6 client", "2001:db8::1", true},
		{"the same from its network", "2001:db8::2", false},
	} {
		if c, status := s.ask(path, forwarded(test.from)); (c != nil) != test.let {
			t.Errorf("%s: got %d, want to be let in: %v", test.name, status, test.let)
		}
	}
}

func TestConnectionRatePerIP(t *testing.T) {
	s := serve(t, func(c *config.Config) {
		c.Server.ConnectionRatePerIP = 3
		c.Server.TrustedProxies = []string{"127.0.0.1"}
	})
	in := 0
	start := time.Now()
	for range 12 {
		if c, _ := s.ask(path, forwarded("198.51.100.7")); c != nil {
			in++
		}
	}
	if most := 3 + int(3*time.Since(start).Seconds()); in < 3 || in > most {
		t.Errorf("got %d of 12 in, want 3 to %d", in, most)
	}
	if c, status := s.ask(path, forwarded("198.51.100.8")); c == nil {
		t.Errorf("another client: got %d, want to be let in", status)
	}
	eventually(t, "let the first one in again", func() bool {
		c, _ := s.ask(path, forwarded("198.51.100.7"))
		return c != nil
	})
}

func TestTLSOnlyBelievesTrustedProxies(t *testing.T) {
	for name, test := range map[string]struct {
		trusted []string
		want    string
	}{
		"a proxy that is trusted is believed": {[]string{"127.0.0.1"}, "pusher:connection_established"},
		"nobody else is":                      {nil, "pusher:error"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(c *config.Config) {
				c.Server.TrustedProxies = test.trusted
				c.Apps[0].TLSOnly = true
			})
			c, status := s.ask(path, http.Header{"X-Forwarded-Proto": {"https"}})
			if c == nil {
				t.Fatalf("got %d, want a WebSocket", status)
			}
			m, err := c.read()
			must(t, err)
			if m.Event != test.want {
				t.Errorf("got %s %s, want %s", m.Event, m.Data, test.want)
			}
		})
	}
}

// However a client goes, its place in the app is free again, once.
func TestMaxConnections(t *testing.T) {
	s := serve(t, func(c *config.Config) { c.Apps[0].MaxConnections = 2 })
	refused := func() bool {
		t.Helper()
		c, _ := s.ask(path, nil)
		m, err := c.read()
		must(t, err)
		defer func() { _ = c.Close() }()
		return m.Event == "pusher:error" && strings.Contains(string(m.Data), `"code":4004`)
	}
	s.connect()
	for name, leave := range map[string]func(*client){
		"with a close frame": func(c *client) {
			must(t, c.write(0x88, []byte{3, 232}))
			_, _ = c.read()
			_ = c.Close()
		},
		"without one":                 func(c *client) { _ = c.Close() },
		"with a reset":                func(c *client) { reset(c) },
		"with a frame that is none":   func(c *client) { must(t, c.write(0xff, nil)); _, _ = c.read() },
		"with a length that is none":  func(c *client) { _, _ = c.Write([]byte("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00")) },
		"with subscriptions, at once": func(c *client) { must(t, c.subscribe("news", nil)); reset(c) },
	} {
		eventually(t, name+": a free place", func() bool { n, _, _ := s.gauges(); return n == 1 })
		c := s.connect()
		if !refused() {
			t.Errorf("%s: got the third of two in", name)
		}
		leave(c)
		eventually(t, name+": a place that is free again", func() bool { n, _, _ := s.gauges(); return n == 1 })
		again := s.connect()
		if !refused() {
			t.Errorf("%s: got two places for one who left", name)
		}
		_ = again.Close()
	}
}
