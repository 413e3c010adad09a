package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/webhook"
	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// Webhooks tells the backend of an app what happened. Notify must not block. It
// settles the receipt of an event, if there is one.
type Webhooks interface {
	Notify(a *app.App, e webhook.Event)
}

// tells reports whether a's backend may want to hear of a channel. Nobody else
// pays for webhooks. The channels of users are the server's own.
func (h *Hub) tells(a *app.App, name string) bool {
	return len(a.Webhooks) > 0 && h.ports.Webhooks != nil && !strings.HasPrefix(name, channel.UserPrefix)
}

// tracks reports whether plugins want to hear of a channel. A channel that was
// occupied before the first of them was loaded is counted from the next
// subscription on.
func (h *Hub) tracks(name string) bool {
	if h.ports.Occupancy == nil || channel.Reserved(name) {
		return false
	}
	if !h.tracking.Load() && (h.ports.Hooks.Has(abi.OnChannel) || h.ports.Hooks.Has(abi.OnPresence)) {
		h.tracking.Store(true)
	}
	return h.tracking.Load()
}

// occupy counts the subscription of s, which is in the channel by now. The
// caller holds the topic.
func (h *Hub) occupy(ctx context.Context, s *Session, t channel.Topic, sub *subscription) {
	if !h.tells(s.App, t.Channel) && !h.tracks(t.Channel) {
		return
	}
	if err := h.ports.Occupancy.Join(ctx, t, sub.userID); err != nil {
		h.log.Error("count subscription", "app", t.App, "channel", t.Channel, "err", err)
		return
	}
	sub.counted = true
}

// vacate takes back what occupy counted. The caller holds the topic.
func (h *Hub) vacate(ctx context.Context, t channel.Topic, sub *subscription) {
	if !sub.counted {
		return
	}
	if err := h.ports.Occupancy.Leave(ctx, t, sub.userID); err != nil {
		h.log.Error("take back subscription", "app", t.App, "channel", t.Channel, "err", err)
	}
}

// changed has a change of a channel told to plugins, and to the backend of its
// app.
func (h *Hub) changed(c occupancy.Change) {
	a := h.appOf(c.App)
	if a == nil {
		c.Settled() // it was never here, and nobody is to be told
		return
	}
	h.tellChange(c)
	if !h.tells(a, c.Channel) {
		c.Settled()
		return
	}
	names := map[bool]string{true: app.ChannelOccupied, false: app.ChannelVacated}
	if c.UserID != "" {
		names = map[bool]string{true: app.MemberAdded, false: app.MemberRemoved}
	}
	h.ports.Webhooks.Notify(a, webhook.Event{Name: names[c.Came], Channel: c.Channel, UserID: c.UserID, At: c.At, Receipt: c.Receipt})
}

// appOf returns the app called id, or nil if this node does not know it.
func (h *Hub) appOf(id string) *app.App {
	if t := h.tenantOf(id); t != nil {
		return t.app
	}
	if h.ports.Apps == nil {
		return nil
	}
	a, err := h.ports.Apps.ByID(context.Background(), id)
	if err != nil {
		return nil
	}
	return a
}

func (h *Hub) tellChange(c occupancy.Change) {
	hook := abi.OnChannel
	if c.UserID != "" {
		hook = abi.OnPresence
	}
	if !h.ports.Hooks.Has(hook) {
		return
	}
	e := hooks.Event{App: c.App, Channel: c.Channel, UserID: c.UserID}
	if c.Came {
		e.Flags |= abi.Came
	}
	h.ports.Hooks.Tell(hook, e)
}

// notifyClientEvent has the backend told of what a client sent, once it is on
// its way to the others.
func (h *Hub) notifyClientEvent(s *Session, e Event, userID string) {
	if !h.tells(s.App, e.Channel) {
		return
	}
	h.ports.Webhooks.Notify(s.App, webhook.Event{
		Name:     app.ClientEvent,
		Channel:  e.Channel,
		UserID:   userID,
		Event:    strings.Clone(e.Name),
		Data:     plain(e.Data),
		SocketID: s.ID,
	})
}

// plain is data as its receivers read it.
func plain(data json.RawMessage) string {
	var s string
	if json.Unmarshal(protocol.Text(data), &s) != nil {
		return string(data) // it was read before, so this is no JSON that anyone sent
	}
	return s
}

// notifyMiss has the backend told that a cache channel has nothing to replay:
// once, when many find that out together.
func (h *Hub) notifyMiss(ctx context.Context, s *Session, t channel.Topic) {
	if !h.tells(s.App, t.Channel) {
		return
	}
	first, err := h.ports.Occupancy.Missed(ctx, t)
	if err != nil {
		h.log.Error("count cache miss", "app", t.App, "channel", t.Channel, "err", err)
	}
	if first {
		h.ports.Webhooks.Notify(s.App, webhook.Event{Name: app.CacheMiss, Channel: t.Channel})
	}
}

// notifyCount has the backend told how many are subscribed to a channel.
func (h *Hub) notifyCount(a *app.App, name string, count int) {
	if h.tells(a, name) {
		h.ports.Webhooks.Notify(a, webhook.Event{Name: app.SubscriptionCount, Channel: name, Count: count})
	}
}

// Settle has backends told at once of those who have left, and who could still
// have come back. It is for a server that stops, when everyone has gone.
func (h *Hub) Settle(ctx context.Context) error {
	if h.ports.Occupancy == nil {
		return nil
	}
	if err := h.ports.Occupancy.Flush(ctx); err != nil {
		return fmt.Errorf("settle absences: %w", err)
	}
	return nil
}
