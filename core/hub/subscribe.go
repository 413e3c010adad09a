package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks/abi"
)

// Subscription is what a client asks for when it subscribes.
type Subscription struct {
	Channel     string
	Auth        string // "key:signature", or ""
	ChannelData string // exactly as it was sent and signed, or ""
}

// Subscribe puts s into a channel and tells it so. The error is a
// *protocol.Error if the client is to blame.
func (h *Hub) Subscribe(ctx context.Context, s *Session, sub Subscription) error {
	name := sub.Channel
	user, personal := strings.CutPrefix(name, channel.UserPrefix)
	switch {
	case personal && !s.owns(user):
		return protocol.Unauthorized(name, "Only the user, once signed in, may subscribe to "+clip(name))
	case !personal && !channel.ValidName(name, s.App.MaxChannelName):
		return protocol.InvalidChannel(name, clip(name))
	case s.subs[name] != nil:
		return protocol.Errorf("Existing subscription to channel %s", name)
	case s.App.MaxChannelsPerConnection > 0 && len(s.subs) >= s.App.MaxChannelsPerConnection:
		return protocol.Rejected(name, "Too many channels: a connection may subscribe to %d", s.App.MaxChannelsPerConnection)
	}
	kind := channel.KindOf(name)
	var g grant
	var member presence.Member
	var err error
	if kind.Auth {
		if g, err = h.authorize(ctx, s, sub); err != nil {
			return err
		}
	}
	if kind.Presence {
		if member, err = s.member(sub, g); err != nil {
			return err
		}
	}
	if err := h.askSubscribe(ctx, s, sub, &member); err != nil {
		return err
	}
	return h.join(ctx, s, kind, name, member)
}

// clip shortens what a client sent and is told again.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// checkSignature checks the signature of the app's backend.
func checkSignature(s *Session, sub Subscription) error {
	text := auth.ChannelText(s.ID, sub.Channel, sub.ChannelData)
	if sub.Auth == "" {
		return protocol.Unauthorized(sub.Channel, "Auth info required to subscribe to "+sub.Channel)
	}
	key, signature, ok := auth.Token(sub.Auth)
	switch {
	case !ok:
		return protocol.Unauthorized(sub.Channel, fmt.Sprintf(
			"Auth value for subscription to %s is invalid: should be of format 'key:signature'", sub.Channel))
	case key != s.App.Key:
		return protocol.Unauthorized(sub.Channel, fmt.Sprintf("Invalid key in subscription auth data: '%s'", clip(key)))
	case !auth.Equal(s.App.Secret, text, signature):
		return protocol.Unauthorized(sub.Channel, fmt.Sprintf(
			"Invalid signature: Expected HMAC SHA256 hex digest of %s, but got %s", text, clip(signature)))
	}
	return nil
}

// join puts s into a channel, and this node into its topic if s is the first
// here. What s is told of the channel and what it then hears fit together: no
// message comes before the greeting, and none is in both.
func (h *Hub) join(ctx context.Context, s *Session, kind channel.Kind, name string, m presence.Member) error {
	topic := channel.Topic{App: s.App.ID, Channel: name}
	defer h.tell(topic)()
	ch := s.t.channel(name)
	first := ch == nil
	if first {
		if err := h.ports.Broker.Subscribe(ctx, topic); err != nil {
			h.leaveTopic(ctx, topic) // it may have been asked for already
			return fmt.Errorf("subscribe to broker: %w", err)
		}
		ch = s.t.newChannel(name)
	}
	if err := h.greet(ctx, s, kind, topic, m, ch, first); err != nil {
		if first {
			s.t.close(ch)
			h.leaveTopic(ctx, topic)
		}
		h.count(topic, ch.Len())
		return err
	}
	if s.subs == nil {
		s.subs = map[string]*subscription{}
	}
	joined := &subscription{channel: ch, userID: m.UserID}
	s.subs[name] = joined
	if kind.Auth {
		s.authorized.Store(true)
	}
	if kind.Presence && s.App.Dialect == protocol.Reverb {
		s.t.know(m.UserID, s)
	}
	h.recount(ctx, s.App, s.t, ch)
	h.occupy(ctx, s, topic, joined)
	h.tellPlugins(abi.OnSubscribed, s, name, m.UserID)
	return nil
}

// greet puts s into the channel, after it was told what it hears first: that it
// is subscribed, who is there, and what a cache channel replays. Whoever becomes
// a member does so last, so that nobody is one whose subscription then fails.
func (h *Hub) greet(ctx context.Context, s *Session, kind channel.Kind, t channel.Topic, m presence.Member, ch *channel.Channel, first bool) error {
	if first && h.ports.Cluster != nil {
		s.t.open(ch) // so that it notices what is published while it is read here
	}
	for {
		replay, version, missed, err := h.replay(ctx, kind, t)
		if err != nil {
			return err
		}
		admitted := true
		admit := func(list []presence.Member) {
			succeeded := protocol.Message{Event: protocol.EventSubscriptionSucceeded, Channel: t.Channel}
			if kind.Presence {
				succeeded.Data = encodeMembers(list)
			}
			greeting := []*frame.Frame{encode(succeeded)}
			if replay != nil {
				greeting = append(greeting, replay)
			}
			if first {
				// Before the greeting is sent: who has read it may have something
				// published at once, and must hear that.
				s.t.open(ch)
			}
			if !kind.Cache {
				ch.Add(s, greeting...)
			} else if admitted = ch.AddAfter(s, version, greeting...); !admitted {
				return
			}
			for _, f := range greeting {
				s.t.metrics.BytesOut.Add(float64(len(f.Wire())))
			}
			s.t.metrics.Deliveries.Add(float64(len(greeting)))
		}
		err = h.admit(ctx, s, kind, t, m, ch, admit)
		if err == nil && admitted && missed {
			h.notifyMiss(ctx, s, t)
		}
		if err != nil || admitted {
			return err
		}
	}
}

// admit calls in, with the members if it is a presence channel, and s among them.
func (h *Hub) admit(ctx context.Context, s *Session, kind channel.Kind, t channel.Topic, m presence.Member, ch *channel.Channel, in func([]presence.Member)) error {
	h.count(t, ch.Len()+1)
	switch {
	case !kind.Presence:
		in(nil)
		return nil
	case h.ports.Cluster != nil:
		return h.enter(ctx, s, t, m, in)
	}
	list, err := h.arrive(ctx, s, t, m)
	if err == nil {
		in(list)
	}
	return err
}

// replay is what a cache channel replays, and its version, or that it has missed.
// While the cluster is away nobody knows.
func (h *Hub) replay(ctx context.Context, kind channel.Kind, t channel.Topic) (f *frame.Frame, version int64, missed bool, err error) {
	if !kind.Cache {
		return nil, 0, false, nil
	}
	e, _, ok, err := h.ports.Cache.Get(ctx, t)
	switch {
	case errors.Is(err, broker.ErrUnavailable):
		return nil, 0, false, nil
	case err != nil:
		return nil, 0, false, fmt.Errorf("read cache: %w", err)
	}
	return encodeReplay(t.Channel, e, ok), e.Version, !ok, nil
}

// encodeReplay is the last event of a cache channel, or that there is none.
func encodeReplay(name string, e cache.Event, ok bool) *frame.Frame {
	if !ok {
		return encode(protocol.Message{Event: protocol.EventCacheMiss, Channel: name})
	}
	return encode(protocol.Message{Event: e.Name, Channel: name, Data: e.Data})
}

// encode is m as the bytes that all who receive it share.
func encode(m protocol.Message) *frame.Frame { return frame.Of(m.Size(), m.Append) }

// arrive makes m a member, and tells the others if it is new among them.
func (h *Hub) arrive(ctx context.Context, s *Session, t channel.Topic, m presence.Member) ([]presence.Member, error) {
	list, first, err := h.ports.Members.Join(ctx, t, s.ID, m, s.App.MaxPresenceMembers)
	if errors.Is(err, presence.ErrFull) {
		return nil, fullChannel(s, t)
	}
	if err != nil {
		return nil, fmt.Errorf("join presence channel: %w", err)
	}
	if first {
		added := protocol.Message{Event: protocol.EventMemberAdded, Channel: t.Channel, Data: encodeMember(m)}
		h.announce(ctx, t, added, s.ID)
	}
	return list, nil
}

func fullChannel(s *Session, t channel.Topic) error {
	return protocol.Rejected(t.Channel, "Presence channel %s is full: it may have %d members", t.Channel, s.App.MaxPresenceMembers)
}

// announce publishes what the server itself has to say of a topic. An error is
// logged: whoever caused it has done nothing wrong.
func (h *Hub) announce(ctx context.Context, t channel.Topic, m protocol.Message, except string) {
	err := h.ports.Broker.Publish(ctx, broker.Message{Topic: t, Frame: encode(m), Except: except})
	if err != nil {
		h.log.Error("announce to channel", "app", t.App, "channel", t.Channel, "event", m.Event, "err", err)
	}
}
