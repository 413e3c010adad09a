package websocket_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/websocket"
)

// reset ends the connection as a machine does that has lost its memory.
func reset(c *client) {
	_ = c.tcp().SetLinger(0)
	_ = c.tcp().Close()
}

func TestNothingIsLeftOfAClientHoweverItEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(s *server, c *client)
	}{
		{"close frame", func(_ *server, c *client) { c.frame(finClose, closing(1000, "")); c.closed(1000) }},
		{"close frame, and gone", func(_ *server, c *client) { c.frame(finClose, closing(1000, "")); c.tcp().Close() }},
		{"FIN", func(_ *server, c *client) { c.tcp().Close() }},
		{"half-close", func(_ *server, c *client) { c.tcp().CloseWrite(); c.ended() }},
		{"RST", func(_ *server, c *client) { reset(c) }},
		{"RST in the middle of a frame", func(_ *server, c *client) { c.raw(masked(finText, ping7(100))[:50]); reset(c) }},
		{"FIN in the middle of a message", func(_ *server, c *client) { c.frame(text, "x"); c.tcp().Close() }},
		{"bad frame", func(_ *server, c *client) { c.raw(unmasked(finText, "x")) }},
		{"shutdown", func(s *server, c *client) {
			for session := range s.hub.EachSession {
				session.Fail(protocol.ErrShutdown)
			}
			c.told(4200)
			c.closed(4200)
		}},
	}
	for _, with := range transports[:3] {
		if with.listen != nil {
			continue // these ends are those of TCP
		}
		s := start(t, with.setup)
		for _, tt := range tests {
			t.Run(with.name+"/"+tt.name, func(t *testing.T) { s.endOf(t, tt.end) })
		}
		with.config = closeSoon
		hasty := start(t, with.setup)
		t.Run(with.name+"/shutdown, and it does not answer", func(t *testing.T) {
			hasty.endOf(t, func(s *server, _ *client) {
				for session := range s.hub.EachSession {
					session.Fail(protocol.ErrShutdown)
				}
			})
		})
	}
}

// closeSoon is for clients that do not answer a close frame.
func closeSoon(c *websocket.Config) { c.CloseTimeout = 300 * time.Millisecond }

// endOf has a client end, and looks for what is left of it.
func (s *server) endOf(t *testing.T, end func(*server, *client)) {
	t.Helper()
	c, id := s.connect(t)
	c.subscribe("news")
	c.join(id, "presence-room", "ann")
	end(s, c)
	s.empty(t)
	if n, err := s.hub.UserCount(t.Context(), s.app, "presence-room"); n != 0 || err != nil {
		t.Errorf("got %d members, %v; want 0", n, err)
	}
	for _, series := range []string{`revurb_connections{app="app-id"}`, `revurb_channels{app="app-id",kind="presence"}`} {
		if got := s.metric(t, series); got != 0 {
			t.Errorf("got %s %v, want 0", series, got)
		}
	}
}

func TestSocketOfAClientThatHalfClosesIsFreedAtOnce(t *testing.T) {
	s := start(t, setup{config: func(c *websocket.Config) { c.CloseTimeout = time.Hour }})
	c, _ := s.connect(t)
	if err := c.tcp().CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.ended()
}

// bomb is a Members that fails badly.
type bomb struct{ presence.Memory }

func (b *bomb) Join(ctx context.Context, t channel.Topic, id string, m presence.Member, limit int) ([]presence.Member, bool, error) {
	if m.UserID == "bomb" {
		panic("the members are broken")
	}
	return b.Memory.Join(ctx, t, id, m, limit)
}

func TestPanicEndsThatConnectionAlone(t *testing.T) {
	s := start(t, setup{members: new(bomb)})
	bystander, id := s.connect(t)
	bystander.join(id, "presence-room", "ann")
	c, id := s.connect(t)
	c.subscribe("news")
	token, data := presenceAuth(id, "presence-other", "bomb")
	c.text(fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":"presence-other","auth":%q,"channel_data":%q}}`, token, data))
	c.closed(1011)
	bystander.pings()
	eventually(t, "only the bystander is left", func() bool { return s.connections(t) == 1 })
	if got := s.metric(t, "revurb_panics_total"); got != 1 {
		t.Errorf("got %v panics counted, want 1", got)
	}
	if log := s.logged.String(); !strings.Contains(log, "the members are broken") {
		t.Errorf("got log %q, want it to say what happened", log)
	}
}

func TestGaugesEqualRealityAfterAStormOfClients(t *testing.T) {
	s := start(t, setup{app: func(a *app.App) { a.MaxPresenceMembers = 0 }})
	var storm sync.WaitGroup
	for worker := range 8 {
		storm.Go(func() {
			for i := range 25 {
				c, id := s.connect(t)
				c.text(`{"event":"pusher:subscribe","data":{"channel":"news"}}`)
				token, data := presenceAuth(id, "presence-room", fmt.Sprint(worker))
				c.text(fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":"presence-room","auth":%q,"channel_data":%q}}`, token, data))
				switch i % 3 {
				case 0:
					reset(c)
				case 1:
					c.frame(finClose, closing(1000, ""))
				}
				_ = c.Close()
			}
		})
	}
	storm.Go(func() {
		raw, _ := json.Marshal("x")
		for range 200 {
			s.publish(t, "news", string(raw))
		}
	})
	storm.Wait()
	s.empty(t)
	if n, err := s.hub.UserCount(t.Context(), s.app, "presence-room"); n != 0 || err != nil {
		t.Errorf("got %d members, %v; want 0", n, err)
	}
	if got := s.metric(t, `revurb_connections_total{app="app-id"}`); got != 200 {
		t.Errorf("got %v connections in all, want 200", got)
	}
}
