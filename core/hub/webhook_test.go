package hub_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/webhook"
)

// backend writes down what it is told.
type backend struct {
	mu   sync.Mutex
	told []string
}

func (b *backend) Notify(a *app.App, e webhook.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := a.ID + " " + e.Name + " " + e.Channel
	if e.UserID != "" {
		s += " user=" + e.UserID
	}
	if e.Event != "" {
		s += " " + e.Event + "(" + e.Data + ") from " + e.SocketID
	}
	if e.Name == app.SubscriptionCount {
		s += fmt.Sprintf(" %d", e.Count)
	}
	b.told = append(b.told, s)
}

// want takes what was told.
func (b *backend) want(t *testing.T, told ...string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if got, want := strings.Join(b.told, "\n"), strings.Join(told, "\n"); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
	b.told = nil
}

// telling runs a test in a bubble, with a hub that has a backend to tell.
func telling(t *testing.T, test func(t *testing.T, h *hub.Hub, a *app.App, b *backend)) {
	synctest.Test(t, func(t *testing.T) {
		b := new(backend)
		h, err := hub.New(hub.Ports{
			Broker: new(broker.Memory), Members: new(presence.Memory), Cache: new(cache.Memory),
			Occupancy: new(occupancy.Memory), Webhooks: b,
		}, metrics.New(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		_, _, a := newHub(t)
		a.Webhooks = []app.Webhook{app.DefaultWebhook}
		test(t, h, a, b)
		pass(2 * occupancy.DefaultGrace)
		b.want(t)
	})
}

// pass lets time pass: that of the bubble.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

const beyond = occupancy.DefaultGrace + time.Millisecond

func member(user string) string { return fmt.Sprintf(`{"user_id":%q}`, user) }

// A hundred reconnects within the grace are as none; a real end is told once.
func TestReconnectsAreNotTold(t *testing.T) {
	telling(t, func(t *testing.T, h *hub.Hub, a *app.App, b *backend) {
		const room = "presence-room"
		s := connect(t, h, a, new(peer))
		subscribe(t, h, s, room, member("amy"))
		b.want(t, "1 channel_occupied presence-room", "1 member_added presence-room user=amy")
		for range 100 {
			h.Disconnect(t.Context(), s)
			pass(occupancy.DefaultGrace - time.Millisecond)
			s = connect(t, h, a, new(peer))
			subscribe(t, h, s, room, member("amy"))
		}
		b.want(t)
		h.Disconnect(t.Context(), s)
		pass(beyond)
		b.want(t, "1 member_removed presence-room user=amy", "1 channel_vacated presence-room")
	})
}

// A second connection of a user, and the end of the first, are not told.
func TestUsersAreToldOnce(t *testing.T) {
	telling(t, func(t *testing.T, h *hub.Hub, a *app.App, b *backend) {
		one, two := connect(t, h, a, new(peer)), connect(t, h, a, new(peer))
		subscribe(t, h, one, "presence-room", member("amy"))
		subscribe(t, h, two, "presence-room", member("amy"))
		b.want(t, "1 channel_occupied presence-room", "1 member_added presence-room user=amy")
		if err := h.Unsubscribe(t.Context(), one, "presence-room"); err != nil {
			t.Fatal(err)
		}
		pass(beyond)
		b.want(t)
		h.Disconnect(t.Context(), two)
		pass(beyond)
		b.want(t, "1 member_removed presence-room user=amy", "1 channel_vacated presence-room")
	})
}

// Who was refused was never there.
func TestRefusedSubscriptionsAreNotTold(t *testing.T) {
	telling(t, func(t *testing.T, h *hub.Hub, a *app.App, b *backend) {
		s := connect(t, h, a, new(peer))
		for _, name := range []string{"private-room", "presence-room", "a b"} {
			if err := h.Subscribe(t.Context(), s, hub.Subscription{Channel: name}); err == nil {
				t.Errorf("%s let him in", name)
			}
		}
		h.Disconnect(t.Context(), s)
	})
}

func TestClientEventsAreTold(t *testing.T) {
	telling(t, func(t *testing.T, h *hub.Hub, a *app.App, b *backend) {
		s := connect(t, h, a, new(peer))
		say := func(channel, data string) error {
			return h.ClientEvent(t.Context(), s, hub.Event{Channel: channel, Name: "client-e", Data: []byte(data)})
		}
		subscribe(t, h, s, "private-room", "")
		subscribe(t, h, s, "presence-room", member("amy"))
		b.want(t, "1 channel_occupied private-room", "1 channel_occupied presence-room", "1 member_added presence-room user=amy")
		for _, data := range []string{`{"a": [1]}`, `"text \"as\" is"`} {
			if err := say("private-room", data); err != nil {
				t.Error(err)
			}
		}
		if err := say("presence-room", `7`); err != nil {
			t.Error(err)
		}
		b.want(t,
			`1 client_event private-room client-e({"a": [1]}) from `+s.ID,
			`1 client_event private-room client-e(text "as" is) from `+s.ID,
			`1 client_event presence-room user=amy client-e(7) from `+s.ID)
		if say("private-other", `7`) == nil {
			t.Error("an event of who is not subscribed is let through")
		}
		b.want(t)
		h.Disconnect(t.Context(), s)
		pass(beyond)
		b.told = nil
	})
}

func TestMissesAreToldOnce(t *testing.T) {
	telling(t, func(t *testing.T, h *hub.Hub, a *app.App, b *backend) {
		for range 10 {
			subscribe(t, h, connect(t, h, a, new(peer)), "cache-room", "")
		}
		b.want(t, "1 cache_miss cache-room", "1 channel_occupied cache-room")
		pass(beyond)
		subscribe(t, h, connect(t, h, a, new(peer)), "cache-room", "")
		b.want(t, "1 cache_miss cache-room")
		if err := h.Publish(t.Context(), a, hub.Event{Channel: "cache-room", Name: "e", Data: []byte(`"1"`)}); err != nil {
			t.Fatal(err)
		}
		pass(beyond)
		subscribe(t, h, connect(t, h, a, new(peer)), "cache-room", "")
	})
}

// Whoever has left is told at once when the server stops.
func TestSettle(t *testing.T) {
	telling(t, func(t *testing.T, h *hub.Hub, a *app.App, b *backend) {
		s := connect(t, h, a, new(peer))
		subscribe(t, h, s, "room", "")
		h.Disconnect(t.Context(), s)
		b.want(t, "1 channel_occupied room")
		if err := h.Settle(t.Context()); err != nil {
			t.Error(err)
		}
		b.want(t, "1 channel_vacated room")
	})
}

// The channels of users are nobody's business, and neither is what happens in an
// app that asked for no webhooks.
func TestSomeThingsAreNotTold(t *testing.T) {
	telling(t, func(t *testing.T, h *hub.Hub, a *app.App, b *backend) {
		h.NotifyCount(a, "room", 2)
		b.want(t, "1 subscription_count room 2")
		h.NotifyCount(a, "#server-to-user-1", 2)
		quiet := *a
		quiet.ID, quiet.Webhooks = "2", nil
		s := connect(t, h, &quiet, new(peer))
		subscribe(t, h, s, "presence-cache-room", member("amy"))
		h.Disconnect(t.Context(), s)
	})
}
