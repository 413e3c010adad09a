package websocket_test

import (
	"testing"
	"time"
)

// The app of these tests pings after 60 seconds of silence, and waits for 30
// more. Nobody waits in truth: the tests turn the wheel.

// pass lets time pass, second by second.
func (s *server) pass(d time.Duration) {
	for end := s.wheel.Now() + d; s.wheel.Now() < end; {
		s.wheel.Advance(s.wheel.Now() + time.Second)
	}
}

func TestSilentClientIsPingedAndThenClosed(t *testing.T) {
	for _, with := range []struct {
		name      string
		subscribe bool
		setup
	}{
		{"subscribed", true, setup{}},
		{"not subscribed to anything", false, setup{}},
		{"over TLS", true, setup{secure: true}},
	} {
		t.Run(with.name, func(t *testing.T) {
			s := start(t, with.setup)
			c, id := s.connect(t)
			if with.subscribe {
				c.join(id, "presence-room", "ann")
			}
			c.pings() // once it is answered, time passes for the client
			s.pass(60 * time.Second)
			if got := c.next(finPing); got != "" {
				t.Errorf("got ping %q, want an empty one", got)
			}
			s.pass(29 * time.Second)
			if n := s.connections(t); n != 1 {
				t.Fatalf("got %d connections before the time was up, want 1", n)
			}
			s.pass(2 * time.Second)
			c.told(4201)
			c.closed(4201)
			s.empty(t)
			if got := s.metric(t, `revurb_closes_total{app="app-id",code="4201"}`); got != 1 {
				t.Errorf("got %v closes counted, want 1", got)
			}
		})
	}
}

func TestAnythingFromTheClientKeepsItAlive(t *testing.T) {
	tests := []struct {
		name string
		say  func(c *client)
	}{
		{"pong", func(c *client) { c.frame(finPong, "") }},
		{"ping", func(c *client) { c.frame(finPing, "x"); c.next(finPong) }},
		{"pusher:pong", func(c *client) { c.text(`{"event":"pusher:pong","data":{}}`) }},
		{"pusher:ping", func(c *client) { c.pings() }},
		{"a message that is wrong", func(c *client) { c.text("{"); c.told(0) }},
		{"pong in the middle of a message", func(c *client) { c.frame(text, "{"); c.frame(finPong, ""); c.frame(fin, "}"); c.told(0) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, setup{})
			c, _ := s.connect(t)
			c.pings() // once it is answered, time passes for the client
			for range 5 {
				s.pass(60 * time.Second)
				c.next(finPing)
				s.pass(25 * time.Second)
				tt.say(c)
				c.pings() // what came before it has been seen
				s.pass(59 * time.Second)
				c.pings()
			}
		})
	}
}

func TestClientThatTalksIsNotPinged(t *testing.T) {
	s := start(t, setup{})
	c, _ := s.connect(t)
	c.pings() // once it is answered, time passes for the client
	for range 10 {
		s.pass(50 * time.Second)
		c.pings() // fails if a ping frame comes instead
	}
}

func TestClientThatVanishedIsCleanedUp(t *testing.T) {
	s := start(t, setup{config: closeSoon})
	stays, staysID := s.connect(t)
	stays.join(staysID, "presence-room", "stays")
	gone, goneID := s.connect(t)
	gone.join(goneID, "presence-room", "gone")
	stays.event("pusher_internal:member_added")

	// The other end is there, but nobody reads or answers: so it looks when a
	// cable is cut.
	s.pass(60 * time.Second)
	stays.next(finPing)
	stays.frame(finPong, "")
	stays.pings()
	s.pass(31 * time.Second)
	if got := stays.event("pusher_internal:member_removed"); got != `{"user_id":"gone"}` {
		t.Errorf("got %s removed, want gone", got)
	}
	eventually(t, "the connection is closed", func() bool { return s.connections(t) == 1 })
}
