package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/limit"
	"github.com/revurb/revurb/core/protocol"
)

// Event is what is published to a channel, by a client or over the HTTP API.
type Event struct {
	Channel string
	Name    string
	Data    json.RawMessage // one JSON value, byte for byte as it was sent; nil is none
	Except  string          // the socket ID of who does not get it, or ""
}

// Invalid is what is wrong with an event that a backend publishes, in words for
// its developer; some of them are those of the hosted service.
type Invalid struct {
	Text   string
	TooBig bool // it is only the size of the data
}

func (e *Invalid) Error() string { return e.Text }

func invalid(format string, args ...any) *Invalid {
	return &Invalid{Text: fmt.Sprintf(format, args...)}
}

// Validate reports what is wrong with an event that a's backend publishes. The
// error is an *Invalid.
func Validate(a *app.App, e Event) error {
	switch {
	case e.Name == "":
		return invalid("Expected name parameter to be a string")
	case a.MaxEventName > 0 && utf8.RuneCountInString(e.Name) > a.MaxEventName:
		return invalid("The event name is longer than %d characters", a.MaxEventName)
	case strings.HasPrefix(e.Name, protocol.ReservedPrefix), strings.HasPrefix(e.Name, protocol.InternalEventPrefix):
		return invalid("Event names that begin with %s or %s are reserved", protocol.ReservedPrefix, protocol.InternalEventPrefix)
	case !channel.ValidTarget(e.Channel, a.MaxChannelName):
		return invalid("Invalid channel name %q", clip(e.Channel))
	}
	if tooBig(e.Data, a.MaxEventSize) {
		return &Invalid{
			Text:   fmt.Sprintf("The data content of this event exceeds the allowed maximum (%d bytes), the app's max_event_size", a.MaxEventSize),
			TooBig: true,
		}
	}
	return nil
}

// tooBig reports whether data is longer than limit as its receiver reads it: of
// a string, what is in it. No text is longer than the JSON that it is written
// in, so only what is near the limit or above it has to be read.
func tooBig(data []byte, limit int) bool {
	switch {
	case limit <= 0 || len(data) <= limit:
		return false
	case data[0] != '"':
		return true
	}
	s, err := protocol.String(data)
	return err != nil || len(s) > limit
}

// Publish sends an event of a's backend to every subscriber of its channel, on
// every node. The event is valid. The error is channel.ErrOverloaded when it
// is published faster than it can be sent.
func (h *Hub) Publish(ctx context.Context, a *app.App, e Event) error {
	m := protocol.Message{Event: e.Name, Channel: e.Channel, Data: protocol.Text(e.Data)}
	topic := channel.Topic{App: a.ID, Channel: e.Channel}
	if channel.KindOf(e.Channel).Cache {
		// Data may be a small part of a large request, which must not be kept
		// for its sake.
		kept := cache.Event{Name: e.Name, Data: bytes.Clone(m.Data)}
		if h.ports.Cluster != nil { // whoever subscribes meanwhile knows by the version what it has seen
			out := broker.Message{Topic: topic, Frame: encode(m), Except: e.Except}
			if err := h.ports.Cluster.PublishCached(ctx, out, kept, a.CacheTTL); err != nil {
				return fmt.Errorf("publish to cache channel: %w", err)
			}
			h.metrics.App(a.ID).Published.Inc()
			return nil
		}
		// Nobody may subscribe between the two, and see the event twice or
		// not at all.
		defer h.tell(topic)()
		if err := h.ports.Cache.Put(ctx, topic, kept, a.CacheTTL); err != nil {
			return fmt.Errorf("write cache: %w", err)
		}
	}
	if err := h.publish(ctx, topic, m, e.Except); err != nil {
		return err
	}
	h.metrics.App(a.ID).Published.Inc()
	return nil
}

func (h *Hub) publish(ctx context.Context, t channel.Topic, m protocol.Message, except string) error {
	return h.ports.Broker.Publish(ctx, broker.Message{Topic: t, Frame: encode(m), Except: except})
}

// ClientEvent publishes what a client sent to the others in a channel. It is
// built anew from what is known of the client, so that nothing else that it
// wrote into the message gets through. The error is a *protocol.Error if the
// client is to blame.
func (h *Hub) ClientEvent(ctx context.Context, s *Session, e Event) error {
	sub := s.subs[e.Channel]
	if err := checkClientEvent(s, sub, e); err != nil {
		return err
	}
	if s.events == nil {
		s.events = limit.PerSecond(s.App.ClientEventRate)
	}
	if !s.events.Allow() {
		s.t.metrics.Limited("client_events")
		return protocol.ErrClientEventRate
	}
	if publish, err := h.screenClientEvent(ctx, s, &e); !publish {
		return err
	}
	m := protocol.Message{Event: e.Name, Channel: e.Channel, Data: protocol.Text(e.Data)}
	if sub != nil {
		m.UserID = sub.userID
	}
	err := h.publish(ctx, channel.Topic{App: s.App.ID, Channel: e.Channel}, m, s.ID)
	if errors.Is(err, broker.ErrUnavailable) {
		h.log.Debug("client event is refused", "app", s.App.ID, "err", err)
		return protocol.ErrAway
	}
	if errors.Is(err, channel.ErrOverloaded) {
		s.t.metrics.Limited("channel")
		return protocol.ErrClientEventRate
	}
	if err == nil {
		h.notifyClientEvent(s, e, m.UserID)
	}
	return err
}

func checkClientEvent(s *Session, sub *subscription, e Event) error {
	a := s.App
	switch kind := channel.KindOf(e.Channel); {
	case e.Channel == "":
		return protocol.ErrClientEventForm
	case a.ClientEvents == app.FromNone:
		return protocol.ErrNoClientEvents
	case !channel.ValidName(e.Channel, a.MaxChannelName):
		return protocol.Errorf("Invalid channel name %q", clip(e.Channel))
	case !kind.Auth && a.Dialect != protocol.Reverb:
		return protocol.Errorf("Client events are only supported on private and presence channels, not on %s", e.Channel)
	case sub == nil && a.ClientEvents != app.FromAll:
		return protocol.ErrNotSubscribed(e.Channel)
	case a.MaxEventName > 0 && utf8.RuneCountInString(e.Name) > a.MaxEventName:
		return protocol.Errorf("The event name is longer than %d characters", a.MaxEventName)
	case tooBig(e.Data, a.MaxEventSize):
		return protocol.Errorf("The data content of this event exceeds the allowed maximum (%d bytes)", a.MaxEventSize)
	}
	return nil
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }
