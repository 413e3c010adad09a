package websocket_test

import (
	"testing"
)

func TestEcho(t *testing.T) {
	for _, with := range transports {
		t.Run(with.name, func(t *testing.T) {
			s := start(t, with.setup)
			c, _ := s.connect(t)
			c.subscribe("news")
			s.publish(t, "news", "hello")
			if got := c.event("news"); got != "hello" {
				t.Errorf("got %q, want hello", got)
			}
			c.frame(finPing, "payload")
			if got := c.next(finPong); got != "payload" {
				t.Errorf("got pong %q, want payload", got)
			}
			c.frame(finClose, closing(1000, "bye"))
			c.closed(1000)
			s.empty(t)
		})
	}
}

// transports are the ways in which a connection can come.
var transports = []struct {
	name string
	setup
}{
	{"TCP", setup{}},
	{"Unix socket", setup{listen: listenUnix}},
	{"TLS", setup{secure: true}},
	{"TCP from another listener", setup{bare: true}},
	{"TLS from another listener", setup{bare: true, secure: true}},
}
