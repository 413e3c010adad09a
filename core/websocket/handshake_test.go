package websocket_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/websocket"
)

func TestRequestThatIsNoHandshakeIsToldWhatToDo(t *testing.T) {
	s := start(t, setup{})
	path := "/app/" + testKey
	good := handshake(path)
	tests := []struct {
		name    string
		request string
		status  int
		header  map[string]string
		text    string
	}{
		{
			"a browser that was given the address", "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 426,
			map[string]string{"Upgrade": "websocket"},
			"Ask for one with the headers Upgrade: websocket",
		},
		{"an upgrade to something else", strings.Replace(good, "Upgrade: websocket", "Upgrade: h2c", 1), 426, map[string]string{"Upgrade": "websocket"}, ""},
		{"a proxy that dropped Connection", strings.Replace(good, "Connection: Upgrade", "Connection: keep-alive", 1), 426, map[string]string{"Upgrade": "websocket"}, "proxy"},
		{"an old version", strings.Replace(good, "Version: 13", "Version: 8", 1), 426, map[string]string{"Sec-WebSocket-Version": "13"}, "13"},
		{"no version", strings.Replace(good, "Sec-WebSocket-Version: 13\r\n", "", 1), 426, map[string]string{"Sec-WebSocket-Version": "13"}, "13"},
		{"no key", strings.Replace(good, "Sec-WebSocket-Key: "+handshakeKey+"\r\n", "", 1), 400, nil, "Sec-WebSocket-Key"},
		{"a key that is not base64", strings.Replace(good, handshakeKey, "????", 1), 400, nil, "Sec-WebSocket-Key"},
		{"a key of 15 bytes", strings.Replace(good, handshakeKey, "MTIzNDU2Nzg5MDEyMzQ1", 1), 400, nil, "16 bytes"},
		{"two keys", strings.Replace(good, "Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Key: "+handshakeKey, 1), 400, nil, "once"},
		{"a body", strings.Replace(good, "Upgrade: websocket", "Upgrade: websocket\r\nContent-Length: 3", 1) + "abc", 400, nil, "body"},
		{"another method", strings.Replace(good, "GET", "POST", 1), 405, map[string]string{"Allow": "GET"}, "GET"},
		{"HTTP/1.0", strings.Replace(good, "HTTP/1.1", "HTTP/1.0", 1), 505, nil, "HTTP/1.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := s.dial(t)
			c.raw([]byte(tt.request))
			r, err := http.ReadResponse(c.br, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			if r.StatusCode != tt.status {
				t.Errorf("got status %d, want %d", r.StatusCode, tt.status)
			}
			for name, want := range tt.header {
				if got := r.Header.Get(name); got != want {
					t.Errorf("got %s: %q, want %q", name, got, want)
				}
			}
			if !strings.Contains(string(body), tt.text) {
				t.Errorf("got %q, want it to say %q", body, tt.text)
			}
			c.ended()
		})
	}
	if n := s.connections(t); n != 0 {
		t.Errorf("got %d connections, want 0", n)
	}
}

func TestHandshakesOfAllSpellingsAreAccepted(t *testing.T) {
	s := start(t, setup{})
	good := handshake("/app/" + testKey)
	tests := []struct{ name, request string }{
		{"lower case", strings.Replace(good, "Upgrade: websocket\r\nConnection: Upgrade", "upgrade: WebSocket\r\nconnection: upgrade", 1)},
		{"lists", strings.Replace(good, "Upgrade: websocket\r\nConnection: Upgrade", "Upgrade: h2c, websocket\r\nConnection: keep-alive, Upgrade", 1)},
		{"headers that occur twice", strings.Replace(good, "Connection: Upgrade", "Connection: keep-alive\r\nConnection: Upgrade", 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := s.dial(t)
			c.raw([]byte(tt.request))
			r, err := http.ReadResponse(c.br, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("got status %d, want 101", r.StatusCode)
			}
			c.established()
		})
	}
}

func TestClientThatAsksForASubprotocolConnectsWithoutOne(t *testing.T) {
	s := start(t, setup{})
	c := s.upgrade(t, "/app/"+testKey, nil, "Sec-WebSocket-Protocol: pusher, v1")
	if got, ok := c.response.Header["Sec-Websocket-Protocol"]; ok {
		t.Errorf("got subprotocol %q, want none", got)
	}
	c.established()
}

func TestWhatIsSentTogetherWithTheHandshakeIsNotLost(t *testing.T) {
	for _, with := range transports {
		t.Run(with.name, func(t *testing.T) {
			s := start(t, with.setup)
			early := frames(
				masked(finText, `{"event":"pusher:subscribe","data":{"channel":"early"}}`),
				masked(finText, `{"event":"pusher:ping"}`+strings.Repeat(" ", 2000)),
				masked(finPing, "x")[:3],
			)
			c := s.upgrade(t, "/app/"+testKey, early)
			c.established()
			c.event(protocol.EventSubscriptionSucceeded)
			c.event(protocol.EventPong)
			c.raw(masked(finPing, "x")[3:])
			if got := c.next(finPong); got != "x" {
				t.Errorf("got pong %q, want x", got)
			}
		})
	}
}

func TestPathOfNoAppIsToldOnAWebSocket(t *testing.T) {
	s := start(t, setup{})
	for _, path := range []string{"/", "/apps/" + testKey, "/app/", "/app/a/b"} {
		c := s.upgrade(t, path, nil)
		c.told(4005)
		c.closed(4005)
	}
	c := s.dial(t)
	c.raw([]byte("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	r, err := http.ReadResponse(c.br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusNotFound {
		t.Errorf("got status %d without an upgrade, want 404", r.StatusCode)
	}
}

// gate lets so many in at once.
type gate struct{ free chan struct{} }

var errFull = errors.New("too many connections from your address")

func (g gate) Enter(*http.Request) (func(), error) {
	select {
	case <-g.free:
		return func() { g.free <- struct{}{} }, nil
	default:
		return nil, errFull
	}
}

func TestGateRefusesBeforeTheUpgradeAndIsLeftOnce(t *testing.T) {
	g := gate{make(chan struct{}, 2)} // the second place is for a client that leaves twice
	g.free <- struct{}{}
	s := start(t, setup{deps: func(d *websocket.Deps) { d.Gate = g }})
	first, _ := s.connect(t)

	second := s.dial(t)
	second.raw([]byte(handshake("/app/" + testKey)))
	r, err := http.ReadResponse(second.br, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" || !strings.Contains(string(body), errFull.Error()) {
		t.Errorf("got %d, Retry-After %q, %q; want 429, a time and the reason", r.StatusCode, r.Header.Get("Retry-After"), body)
	}
	second.ended()

	first.frame(finClose, closing(1000, ""))
	first.closed(1000)
	_ = first.tcp().Close() // or the server waits for that
	for _, leaves := range []func(c *client){
		func(c *client) { c.tcp().Close() },
		func(c *client) { c.raw([]byte{finText, 0}); c.closed(1002) },
		func(c *client) { reset(c) },
	} {
		eventually(t, "the place is free", func() bool { return len(g.free) == 1 })
		c, _ := s.connect(t)
		leaves(c)
		_ = c.tcp().Close()
	}
	rejected := func() {
		eventually(t, "the place is free", func() bool { return len(g.free) == 1 })
		c := s.upgrade(t, "/app/unknown", nil)
		c.told(4001)
		c.closed(4001)
		_ = c.tcp().Close()
	}
	rejected()
	rejected()
	eventually(t, "the place is free", func() bool { return len(g.free) == 1 })
}

func TestConnectionThatIsNotUpgradedWorksAsAnyOther(t *testing.T) {
	s := start(t, setup{config: func(c *websocket.Config) { c.SendBuffer = 4 << 10 }})
	c := s.dial(t)
	c.raw([]byte("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	r, err := http.ReadResponse(bufio.NewReaderSize(c.br, 64<<10), nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil || n != 8<<20 {
		t.Errorf("got %d bytes, %v; want all 8 MiB", n, err)
	}
}
