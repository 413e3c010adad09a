package hub

import (
	"context"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks/abi"
)

// Unsubscribe takes s out of a channel. There is no answer to it; the error of
// a client that was not in the channel is a *protocol.Error.
func (h *Hub) Unsubscribe(ctx context.Context, s *Session, name string) error {
	if s.subs[name] == nil {
		return protocol.Errorf("No current subscription to channel %s, or subscription in progress", clip(name))
	}
	h.leave(ctx, s, name)
	return nil
}

func (h *Hub) leave(ctx context.Context, s *Session, name string) {
	topic := channel.Topic{App: s.App.ID, Channel: name}
	defer h.tell(topic)()
	sub := s.subs[name]
	ch := sub.channel
	defer h.vacate(ctx, topic, sub)
	defer h.tellPlugins(abi.OnUnsubscribed, s, name, sub.userID)
	delete(s.subs, name)
	if ch.Kind.Presence && s.App.Dialect == protocol.Reverb {
		s.t.forget(sub.userID, s)
	}
	empty := ch.Remove(s)
	if ch.Kind.Presence && h.ports.Cluster != nil {
		h.ports.Cluster.Depart(ctx, topic, s.ID, sub.userID)
	}
	h.count(topic, ch.Len())
	if empty {
		s.t.close(ch)
		h.leaveTopic(ctx, topic)
	}
	h.recount(ctx, s.App, s.t, ch)
	if ch.Kind.Presence && h.ports.Cluster == nil {
		h.depart(ctx, s, topic)
	}
}

// depart takes s from the members, and tells the others if nothing is left of
// its user.
func (h *Hub) depart(ctx context.Context, s *Session, t channel.Topic) {
	m, last, err := h.ports.Members.Leave(ctx, t, s.ID)
	if err != nil {
		h.log.Error("leave presence channel", "app", t.App, "channel", t.Channel, "err", err)
		return
	}
	if last {
		h.announce(ctx, t, protocol.Message{
			Event: protocol.EventMemberRemoved, Channel: t.Channel, Data: encodeUserID(m.UserID),
		}, "")
	}
}

func (h *Hub) leaveTopic(ctx context.Context, t channel.Topic) {
	if err := h.ports.Broker.Unsubscribe(ctx, t); err != nil {
		h.log.Warn("unsubscribe from broker", "app", t.App, "channel", t.Channel, "err", err)
	}
}
