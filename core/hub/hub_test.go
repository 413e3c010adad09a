package hub_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
)

func newHub(t *testing.T) (*hub.Hub, *metrics.Metrics, *app.App) {
	t.Helper()
	m := metrics.New()
	ports := hub.Ports{Broker: new(broker.Memory), Members: new(presence.Memory), Cache: new(cache.Memory)}
	h, err := hub.New(ports, m, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a := app.Default(protocol.Pusher)
	a.ID, a.Key, a.Secret = "1", "key", "secret"
	return h, m, &a
}

// peer is a client that follows what it is told of presence channels, and
// finds fault with what does not add up.
type peer struct {
	news

	mu      sync.Mutex
	members map[string]bool // nil before the greeting
	events  []string
	faults  []string
}

func (p *peer) Close(int, string) {}

func (p *peer) Send(f *frame.Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range split(f.Wire()) {
		p.hear(text)
	}
	p.fire()
}

// news wakes who waits for a client to hear something. The zero value is ready
// to use.
type news struct {
	mu   sync.Mutex
	next chan struct{} // closed at the next news; nil if nobody waits
}

func (n *news) fire() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next != nil {
		close(n.next)
		n.next = nil
	}
}

func (n *news) more() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next == nil {
		n.next = make(chan struct{})
	}
	return n.next
}

func split(wire []byte) (all []string) {
	for len(wire) > 0 {
		header, n := 2, int(wire[1])
		if n == 126 {
			header, n = 4, int(wire[2])<<8|int(wire[3])
		}
		all = append(all, string(wire[header:header+n]))
		wire = wire[header+n:]
	}
	return all
}

func (p *peer) hear(text string) {
	var m struct{ Event, Data string }
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		p.fault("%s: %v", text, err)
	}
	var data struct {
		UserID   string `json:"user_id"`
		Presence struct{ IDs []string }
	}
	switch m.Event {
	case protocol.EventSubscriptionSucceeded:
		if err := json.Unmarshal([]byte(m.Data), &data); err != nil {
			p.fault("%s: %v", text, err)
		}
		p.members = map[string]bool{}
		for _, id := range data.Presence.IDs {
			p.members[id] = true
		}
	case protocol.EventMemberAdded, protocol.EventMemberRemoved:
		if err := json.Unmarshal([]byte(m.Data), &data); err != nil {
			p.fault("%s: %v", text, err)
		}
		added := m.Event == protocol.EventMemberAdded
		switch {
		case p.members == nil:
			p.fault("%s before the greeting", text)
		case p.members[data.UserID] == added:
			p.fault("%s, and it was so before", text)
		default:
			p.members[data.UserID] = added
		}
	default:
		if p.members == nil {
			p.fault("%s before the greeting", text)
		}
		p.events = append(p.events, m.Data)
	}
}

func (p *peer) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

func (p *peer) left() (ids []string, faults []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, in := range p.members {
		if in {
			ids = append(ids, id)
		}
	}
	return ids, p.faults
}

func connect(t *testing.T, h *hub.Hub, a *app.App, p hub.Peer) *hub.Session {
	t.Helper()
	s, err := h.Connect(t.Context(), a, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func subscribe(t *testing.T, h *hub.Hub, s *hub.Session, channel, data string) {
	t.Helper()
	token := s.App.Key + ":" + auth.Sign(s.App.Secret, auth.ChannelText(s.ID, channel, data))
	if err := h.Subscribe(t.Context(), s, hub.Subscription{Channel: channel, Auth: token, ChannelData: data}); err != nil {
		t.Error(err)
	}
}

// Users come and go with several connections at once. Whoever watches hears of
// each once when it comes and once when it goes, and nothing is left behind.
func TestPresenceChurn(t *testing.T) {
	h, _, a := newHub(t)
	const room = "presence-room"
	watchers := make([]*peer, 4)
	for i := range watchers {
		watchers[i] = new(peer)
		subscribe(t, h, connect(t, h, a, watchers[i]), room, fmt.Sprintf(`{"user_id":"watcher%d"}`, i))
	}
	passers := make(chan *peer, 400)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				p := new(peer)
				passers <- p
				s := connect(t, h, a, p)
				subscribe(t, h, s, room, fmt.Sprintf(`{"user_id":"user%d"}`, i%3))
				h.Disconnect(t.Context(), s)
			}
		})
	}
	wg.Wait()
	close(passers)
	for p := range passers {
		if _, faults := p.left(); len(faults) > 0 {
			t.Fatalf("one who came and went heard: %v", faults)
		}
	}
	for i, w := range watchers {
		w.wait(t, func() string {
			ids, faults := w.left()
			if len(faults) > 0 {
				t.Fatalf("watcher %d heard: %v", i, faults)
			}
			if len(ids) != len(watchers) {
				return fmt.Sprintf("watcher %d sees %v, want the watchers", i, ids)
			}
			return ""
		})
	}
	if n, err := h.UserCount(t.Context(), a, room); err != nil || n != len(watchers) {
		t.Errorf("UserCount = %d, %v, want %d", n, err, len(watchers))
	}
	if n, err := h.Subscriptions(t.Context(), a, room); err != nil || n != len(watchers) {
		t.Errorf("Subscriptions = %d, %v, want %d", n, err, len(watchers))
	}
}

// wait waits for news until wrong returns "".
func (n *news) wait(t *testing.T, wrong func() string) {
	t.Helper()
	for timeout := time.After(time.Minute); ; {
		more := n.more()
		what := wrong()
		if what == "" {
			return
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatal(what)
		}
	}
}

// Whoever subscribes to a cache channel while it is published to hears the
// last event, and then every later one: none twice, none left out.
func TestCacheIsSeamless(t *testing.T) {
	h, _, a := newHub(t)
	const last = 300
	peers := make(chan *peer, 1000)
	publish := func(n int) {
		e := hub.Event{Channel: "cache-n", Name: "n", Data: fmt.Appendf(nil, "%d", n)}
		if err := h.Publish(t.Context(), a, e); err != nil {
			t.Error(err)
		}
	}
	publish(0)
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 1; n <= last; n++ {
			publish(n)
		}
	})
	for range 4 {
		wg.Go(func() {
			for range 100 {
				p := new(peer)
				peers <- p
				subscribe(t, h, connect(t, h, a, p), "cache-n", "")
			}
		})
	}
	wg.Wait()
	close(peers)
	for p := range peers {
		p.wait(t, func() string {
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.events) == 0 || p.events[len(p.events)-1] != fmt.Sprint(last) {
				return fmt.Sprintf("heard %v, want the last to be %d", p.events, last)
			}
			for i := 1; i < len(p.events); i++ {
				if before, now := p.events[i-1], p.events[i]; now != fmt.Sprint(atoi(before)+1) {
					t.Fatalf("heard %s after %s", now, before)
				}
			}
			return ""
		})
	}
}

func atoi(s string) (n int) {
	_, _ = fmt.Sscan(s, &n)
	return n
}

func TestAppsAreApart(t *testing.T) {
	h, _, a := newHub(t)
	b := *a
	b.ID, b.Key = "2", "other"
	ours, theirs := new(peer), new(peer)
	s := connect(t, h, a, ours)
	subscribe(t, h, s, "chat", "")
	subscribe(t, h, connect(t, h, &b, theirs), "chat", "")
	e := hub.Event{Channel: "chat", Name: "e", Data: []byte(`"ours"`), Except: s.ID}
	if err := h.Publish(t.Context(), &b, e); err != nil { // its ID excepts nobody there
		t.Fatal(err)
	}
	e = hub.Event{Channel: "chat", Name: "e", Data: []byte(`"fence"`)}
	for _, a := range []*app.App{a, &b} {
		if err := h.Publish(t.Context(), a, e); err != nil {
			t.Fatal(err)
		}
	}
	want := map[*peer]string{ours: "fence", theirs: "ours fence"}
	for p, events := range want {
		p.wait(t, func() string {
			p.mu.Lock()
			defer p.mu.Unlock()
			if got := strings.Join(p.events, " "); got != events {
				return fmt.Sprintf("heard %q, want %q", got, events)
			}
			return ""
		})
	}
	if n, err := h.Connections(t.Context(), &b); err != nil || n != 1 {
		t.Errorf("Connections = %d, %v, want 1", n, err)
	}
}

func TestSocketIDsAreUnique(t *testing.T) {
	h, _, a := newHub(t)
	seen := map[string]bool{}
	for range 5000 {
		id := connect(t, h, a, new(peer)).ID
		major, minor, ok := strings.Cut(id, ".")
		if seen[id] || !ok || atoi(major) < 1 || atoi(minor) < 1 {
			t.Fatalf("socket ID %q, seen before: %v", id, seen[id])
		}
		seen[id] = true
	}
}

func TestValidate(t *testing.T) {
	_, _, a := newHub(t)
	ok := hub.Event{Channel: "chat", Name: "e", Data: []byte(`"x"`)}
	tests := []struct {
		name string
		e    hub.Event
		err  string
	}{
		{"an event", ok, ""},
		{"no name", hub.Event{Channel: "chat"}, "Expected name parameter to be a string"},
		{"200 characters", hub.Event{Channel: "chat", Name: strings.Repeat("é", 200)}, ""},
		{"201 characters", hub.Event{Channel: "chat", Name: strings.Repeat("é", 201)}, "longer than 200"},
		{"names of Laravel", hub.Event{Channel: "chat", Name: `App\Events\Foo`}, ""},
		{"pusher's own", hub.Event{Channel: "chat", Name: "pusher:x"}, "reserved"},
		{"pusher's own, internal", hub.Event{Channel: "chat", Name: "pusher_internal:member_added"}, "reserved"},
		{"a bad channel", hub.Event{Channel: "a b", Name: "e"}, "Invalid channel name"},
		{"a user", hub.Event{Channel: "#server-to-user-1", Name: "e"}, ""},
		{"10240 bytes", hub.Event{Channel: "chat", Name: "e", Data: protocol.Text([]byte(`"` + strings.Repeat("é", 5120) + `"`))}, ""},
		{"10241 bytes", hub.Event{Channel: "chat", Name: "e", Data: protocol.Text([]byte(`"` + strings.Repeat("é", 5120) + `x"`))}, "10240 bytes"},
		{"escapes count as what they stand for", hub.Event{Channel: "chat", Name: "e", Data: []byte(`"` + strings.Repeat(`\u0041`, 10240) + `"`)}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := hub.Validate(a, tt.e)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

// The cost of a disconnect is that of the session's own subscriptions, however
// many channels there are.
func BenchmarkDisconnect(b *testing.B) {
	for _, channels := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("beside %d channels", channels), func(b *testing.B) {
			m := metrics.New()
			ports := hub.Ports{Broker: new(broker.Memory), Members: new(presence.Memory), Cache: new(cache.Memory)}
			h, err := hub.New(ports, m, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			a := app.Default(protocol.Pusher)
			a.ID, a.MaxChannelsPerConnection = "1", 0
			join := func(s *hub.Session, n int) {
				if err := h.Subscribe(b.Context(), s, hub.Subscription{Channel: fmt.Sprintf("c%d", n)}); err != nil {
					b.Fatal(err)
				}
			}
			other, err := h.Connect(b.Context(), &a, new(silent), nil)
			if err != nil {
				b.Fatal(err)
			}
			for n := range channels {
				join(other, n)
			}
			for b.Loop() {
				s, err := h.Connect(b.Context(), &a, new(silent), nil)
				if err != nil {
					b.Fatal(err)
				}
				for n := range 5 {
					join(s, n)
				}
				h.Disconnect(b.Context(), s)
			}
		})
	}
}

type silent struct{ _ byte }

func (*silent) Send(*frame.Frame) {}
func (*silent) Close(int, string) {}
