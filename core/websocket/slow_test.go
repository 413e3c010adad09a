package websocket_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/websocket"
)

// tight is a server on which a client is soon too far behind, and none is too
// slow.
func tight(secure bool) setup {
	return setup{secure: secure, config: func(c *websocket.Config) {
		c.MaxPendingBytes = 64 << 10
		c.SendBuffer = 4 << 10
		c.WriteTimeout = time.Hour
	}, app: func(a *app.App) { a.MaxEventSize = 0 }}
}

const slowSeries = `revurb_slow_consumers_total{app="app-id"}`

func TestSlowConsumerIsCutOffAndNobodyElseNotices(t *testing.T) {
	for _, with := range []struct {
		name   string
		secure bool
	}{{"TCP", false}, {"TLS", true}} {
		t.Run(with.name, func(t *testing.T) {
			s := start(t, tight(with.secure))
			healthy, _ := s.connect(t)
			healthy.subscribe("news")
			var stalled []*client
			for range 5 {
				c, _ := s.connect(t)
				c.subscribe("news")
				stalled = append(stalled, c)
			}
			data := strings.Repeat("x", 2000)
			for published := 0; s.metric(t, slowSeries) < 5; published++ {
				if published > 5000 {
					t.Fatalf("got %v of 5 cut off after %d messages", s.metric(t, slowSeries), published)
				}
				s.publish(t, "news", data)
				if got := healthy.event("news"); got != data {
					t.Fatalf("got %d bytes, want %d", len(got), len(data))
				}
			}
			for _, c := range stalled {
				for {
					first, payload, err := c.read()
					if err != nil {
						t.Fatalf("read on: %v; want to be told why", err)
					}
					if first != finText {
						t.Fatalf("got frame %#x %q, want a whole message or the error", first, payload)
					}
					if strings.Contains(payload, protocol.EventError) {
						if !strings.Contains(payload, "4100") {
							t.Errorf("got %s, want code 4100", payload)
						}
						break
					}
					if !strings.HasSuffix(payload, `x"}`) || len(payload) < len(data) {
						t.Fatalf("got a message that was cut off: %q", payload)
					}
				}
				c.closed(4100)
			}
			eventually(t, "only the healthy one is left", func() bool { return s.connections(t) == 1 })
			if got := s.metric(t, `revurb_closes_total{app="app-id",code="4100"}`); got != 5 {
				t.Errorf("got %v closes counted, want 5", got)
			}
		})
	}
}

func TestWhatASlowConsumerHasNotBegunToReadIsDropped(t *testing.T) {
	const limit, size = 1 << 20, 2000
	s := start(t, setup{config: func(c *websocket.Config) {
		c.SendBuffer = 4 << 10
		c.MaxPendingBytes = limit
	}})
	c, _ := s.connect(t)
	c.subscribe("news")
	published := 0
	for ; s.metric(t, slowSeries) == 0; published++ {
		s.publish(t, "news", strings.Repeat("x", size))
	}
	read := 0
	for ; ; read++ {
		if _, payload, err := c.read(); err != nil {
			t.Fatal(err)
		} else if strings.Contains(payload, protocol.EventError) {
			break
		}
	}
	c.closed(4100)
	if dropped := (published - read) * size; dropped < limit*3/4 {
		t.Errorf("got %d bytes dropped, want most of the %d that waited", dropped, limit)
	}
}

func TestStalledClientIsCutOffThoughLittleWaits(t *testing.T) {
	s := start(t, setup{config: func(c *websocket.Config) {
		c.SendBuffer = 4 << 10
		c.WriteTimeout = 300 * time.Millisecond
		c.CloseTimeout = 300 * time.Millisecond
	}, app: func(a *app.App) { a.MaxEventSize = 0 }})
	c, _ := s.connect(t)
	c.subscribe("news")
	s.publish(t, "news", strings.Repeat("x", 900_000)) // one frame, within the limit
	eventually(t, "it is cut off", func() bool { return s.metric(t, slowSeries) == 1 })
	s.empty(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.handler.Wait(ctx); err != nil {
		t.Errorf("got %v, want its socket to be closed though it never reads", err)
	}
}

func TestClientThatReadsSlowlyButKeepsUpIsKept(t *testing.T) {
	const timeout = 2 * time.Second // in which the client gets the processor, however busy the machine is
	s := start(t, setup{config: func(c *websocket.Config) {
		c.SendBuffer = 4 << 10
		c.WriteTimeout = timeout
	}, app: func(a *app.App) { a.MaxEventSize = 0 }})
	c, _ := s.connect(t)
	c.subscribe("news")
	s.publish(t, "news", strings.Repeat("x", 8<<20))
	slowly := make([]byte, 16<<10) // of which it takes 3 MB in all
	for began := time.Now(); time.Since(began) < 2*timeout; {
		time.Sleep(20 * time.Millisecond) // to be slow is the test
		if _, err := c.br.Read(slowly); err != nil {
			t.Fatalf("read after %v: %v", time.Since(began), err)
		}
	}
	if got := s.metric(t, slowSeries); got != 0 {
		t.Errorf("got %v cut off, want none", got)
	}
}

func TestToCloseAStalledClientTakesNoTime(t *testing.T) {
	for _, with := range []struct {
		name   string
		secure bool
	}{{"TCP", false}, {"TLS", true}} {
		t.Run(with.name, func(t *testing.T) {
			s := start(t, setup{secure: with.secure, config: func(c *websocket.Config) {
				c.SendBuffer = 4 << 10
				c.MaxPendingBytes = 16 << 20
				c.WriteTimeout, c.CloseTimeout = time.Hour, time.Hour
			}, app: func(a *app.App) { a.MaxEventSize = 0 }})
			c, _ := s.connect(t)
			c.subscribe("news")
			for range 20 {
				s.publish(t, "news", strings.Repeat("x", 50_000))
			}
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				for session := range s.hub.EachSession {
					session.Fail(protocol.ErrShutdown)
				}
			}()
			select {
			case <-closed:
			case <-time.After(patience):
				t.Fatal("to close it waits until it reads")
			}
			// It reads on, and so it gets all that was on its way.
			for range 20 {
				c.event("news")
			}
			c.told(4200)
			c.closed(4200)
		})
	}
}

func TestPendingMessagesAreLimitedByNumberToo(t *testing.T) {
	s := start(t, setup{config: func(c *websocket.Config) {
		c.SendBuffer = 4 << 10
		c.MaxPendingMessages = 10
	}, app: func(a *app.App) { a.MaxEventSize = 0 }})
	c, _ := s.connect(t)
	c.subscribe("news")
	s.publish(t, "news", strings.Repeat("x", 900_000))
	for range 100 {
		for session := range s.hub.EachSession {
			session.Reply(protocol.Message{Event: "small"})
		}
	}
	if got := s.metric(t, slowSeries); got != 1 {
		t.Errorf("got %v cut off, want 1", got)
	}
}

func TestMemoryOfStalledClientsDoesNotGrow(t *testing.T) {
	with := tight(false)
	tighten := with.config
	with.config = func(c *websocket.Config) { tighten(c); closeSoon(c) }
	s := start(t, with)
	for range 50 {
		c, _ := s.connect(t)
		c.subscribe("news")
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	data := strings.Repeat("x", 20_000)
	for range 300 { // 300 MB, if everyone had a copy
		s.publish(t, "news", data)
	}
	eventually(t, "all are cut off", func() bool { return s.metric(t, slowSeries) == 50 })
	if grown := int64(heap() - before); grown > 4<<20 {
		t.Errorf("got %d bytes more, want no more than the limit for each", grown)
	}
	s.empty(t)
}

func TestPingFloodOfAClientThatDoesNotReadIsBounded(t *testing.T) {
	s := start(t, tight(false))
	bystander, _ := s.connect(t)
	c, _ := s.connect(t)
	flood := strings.Repeat(string(masked(finPing, strings.Repeat("p", 125))), 500)
	for s.metric(t, slowSeries) == 0 {
		if _, err := c.Write([]byte(flood)); err != nil {
			break
		}
		bystander.pings()
	}
	eventually(t, "it is cut off", func() bool { return s.metric(t, slowSeries) == 1 })
	bystander.pings()
}
