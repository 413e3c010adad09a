package conn

import (
	"context"

	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/protocol"
)

func (c *Conn) ping(context.Context, protocol.Message) error {
	c.session.Reply(protocol.Message{Event: protocol.EventPong})
	return nil
}

// pong needs no answer: that it came was noticed before it was read.
func (c *Conn) pong(context.Context, protocol.Message) error { return nil }

func (c *Conn) subscribe(ctx context.Context, m protocol.Message) error {
	var s hub.Subscription
	if err := m.Fields(func(key string, value []byte) (err error) {
		switch key {
		case "channel":
			s.Channel, err = protocol.String(value)
		case "auth":
			s.Auth, err = optional(value)
		case "channel_data":
			s.ChannelData, err = optional(value)
		}
		return err
	}); err != nil {
		return protocol.ErrBadMessage
	}
	return c.hub.Subscribe(ctx, c.session, s)
}

func (c *Conn) signIn(ctx context.Context, m protocol.Message) error {
	var in hub.Signin
	if err := m.Fields(func(key string, value []byte) (err error) {
		switch key {
		case "auth":
			in.Auth, err = optional(value)
		case "user_data":
			in.UserData, err = protocol.String(value)
		}
		return err
	}); err != nil {
		return protocol.ErrBadMessage
	}
	return c.hub.SignIn(ctx, c.session, in)
}

// optional is a string that may be null.
func optional(value []byte) (string, error) {
	if string(value) == "null" {
		return "", nil
	}
	return protocol.String(value)
}

func (c *Conn) unsubscribe(ctx context.Context, m protocol.Message) error {
	var channel string
	if err := m.Fields(func(key string, value []byte) (err error) {
		if key == "channel" {
			channel, err = protocol.String(value)
		}
		return err
	}); err != nil {
		return protocol.ErrBadMessage
	}
	return c.hub.Unsubscribe(ctx, c.session, channel)
}

func (c *Conn) clientEvent(ctx context.Context, m protocol.Message) error {
	return c.hub.ClientEvent(ctx, c.session, hub.Event{Channel: m.Channel, Name: m.Event, Data: m.Data})
}

// unknown refuses what is no message of the protocol, and above all what only
// the server may send.
func (c *Conn) unknown(_ context.Context, m protocol.Message) error {
	name := m.Event
	if len(name) > 64 {
		name = name[:64] + "..."
	}
	return protocol.Errorf("Unknown event %q: clients may send events that begin with %s", name, protocol.ClientEventPrefix)
}
