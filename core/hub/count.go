package hub

import (
	"context"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/protocol"
)

// Up to so many subscribers, each who comes or goes is news; beyond, the count
// is told once in a while.
const (
	countEach  = 100
	countEvery = 5 * time.Second
)

// counter is there while a channel with many subscribers must not be told how
// many they are, because it was told a moment ago. It is read and changed with
// the channel's topic told.
type counter struct {
	timer *time.Timer // ends that
	held  bool        // the count has changed since it was told
}

// recount tells the subscribers of a channel how many they are, if the app
// wants that, now that one has come or gone. It is called with the channel's
// topic told.
//
// Presence channels are left out, as the documentation has it: their members
// know one another. So are encrypted channels: the Java client takes the count
// for an event that it must decrypt, and fails.
func (h *Hub) recount(ctx context.Context, a *app.App, t *tenant, ch *channel.Channel) {
	if !a.SubscriptionCount || ch.Kind.Presence || ch.Kind.Encrypted || channel.Reserved(ch.Name) {
		return
	}
	n, err := h.Subscriptions(ctx, a, ch.Name)
	if err != nil {
		h.log.Error("count subscriptions", "app", a.ID, "channel", ch.Name, "err", err)
		return
	}
	c := t.counter(ch.Name)
	if c != nil {
		if c.held = n > countEach; c.held {
			return
		}
	}
	h.tellCount(ctx, a, ch.Name, n)
	switch {
	case n == 0 && c != nil:
		c.timer.Stop()
		t.setCounter(ch.Name, nil)
	case n > countEach:
		c = new(counter)
		c.timer = time.AfterFunc(countEvery, func() { h.recountHeld(a, t, ch, c) })
		t.setCounter(ch.Name, c)
	}
}

// recountHeld tells the subscribers of a channel the count that was held back.
// Without one, the next is told at once.
func (h *Hub) recountHeld(a *app.App, t *tenant, ch *channel.Channel, c *counter) {
	defer h.tell(channel.Topic{App: a.ID, Channel: ch.Name})()
	if t.counter(ch.Name) != c {
		return // the timer could not be stopped in time
	}
	t.setCounter(ch.Name, nil)
	if c.held {
		h.recount(context.Background(), a, t, ch)
	}
}

// tellCount is where a new count goes out, to whoever is to hear of it.
func (h *Hub) tellCount(ctx context.Context, a *app.App, name string, n int) {
	data := append(appendInt([]byte(`{"subscription_count":`), n), '}')
	m := protocol.Message{Event: protocol.EventSubscriptionCount, Channel: name, Data: protocol.Text(data)}
	h.announce(ctx, channel.Topic{App: a.ID, Channel: name}, m, "")
	h.notifyCount(a, name, n)
}
