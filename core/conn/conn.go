// Package conn is one client's connection: it turns frames into calls of the
// hub, and the hub's answers into frames, and it knows when a client has gone
// silent. What carries the frames is a Transport; package websocket has the
// real one, tests have their own.
package conn

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/limit"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks"
)

// Transport carries frames to one client. Its methods must not block, and may
// be called concurrently.
type Transport interface {
	hub.Peer

	// Ping sends a ping control frame (RFC 6455, section 5.5.2).
	Ping()
}

// Conn is one connection. Handle and Closed are called by one goroutine, the
// transport's read loop; Seen and Check may be called by any.
//
// Times are measured on the clock of whoever calls Check, as the time since it
// was started.
type Conn struct {
	// Static after construction.
	session *hub.Session
	hub     *hub.Hub
	wire    Transport
	metrics *metrics.App
	rate    *limit.Rate // of messages; nil is no limit
	opened  time.Duration
	log     *slog.Logger

	seen   atomic.Int64 // when something last came from the client
	pinged atomic.Int64 // when it was pinged for its silence; 0 if it was not
}

// Open admits a client of a and greets it. If the client is not admitted, it
// is told why, the transport is closed and Open returns nil.
//
// What is known of the client is for plugins, and may be nil.
func Open(ctx context.Context, a *app.App, client *hooks.Client, h *hub.Hub, m *metrics.Metrics, wire Transport, now time.Duration, log *slog.Logger) *Conn {
	wire, name := tapped(wire, log)
	s, err := h.Connect(ctx, a, wire, client)
	if err != nil {
		Reject(a, m, wire, err, log)
		return nil
	}
	name(s.ID)
	log.Debug("connected", "socket", s.ID, "app", a.ID)
	c := &Conn{session: s, hub: h, wire: wire, metrics: m.App(a.ID), opened: now, log: log}
	if a.MessageRate.Enabled {
		c.rate = limit.Per(a.MessageRate.MaxAttempts, a.MessageRate.Decay)
	}
	c.seen.Store(int64(now))
	s.Reply(protocol.Message{
		Event: protocol.EventConnectionEstablished,
		Data: protocol.MustText(struct {
			SocketID        string `json:"socket_id"`
			ActivityTimeout int    `json:"activity_timeout"`
		}{s.ID, max(1, int(a.ActivityTimeout/time.Second))}),
	})
	return c
}

// Reject tells a client that has no session why it gets none, and closes the
// transport. The app is nil if it is the app that was not found.
func Reject(a *app.App, m *metrics.Metrics, wire Transport, err error, log *slog.Logger) {
	var e *protocol.Error
	if !errors.As(err, &e) {
		log.Error("open connection", "err", err)
		e = protocol.ErrOverCapacity
	}
	id, dialect := "", protocol.Pusher
	if a != nil {
		id, dialect = a.ID, a.Dialect
	}
	m.App(id).Error(e.Code)
	m.App(id).Closed(e.Code)
	wire.Send(frame.Text(e.Encode(dialect)))
	wire.Close(e.Code, e.Message)
}

// Session is the hub's side of the connection.
func (c *Conn) Session() *hub.Session { return c.session }

// Closed says goodbye, once the transport has nothing more to read.
func (c *Conn) Closed(ctx context.Context) {
	c.hub.Disconnect(ctx, c.session)
	c.log.Debug("disconnected", "socket", c.session.ID, "app", c.session.App.ID)
}

// handlers are what clients may send. A new message is a row and a method.
var handlers = map[string]func(*Conn, context.Context, protocol.Message) error{
	protocol.EventPing:        (*Conn).ping,
	protocol.EventPong:        (*Conn).pong,
	protocol.EventSubscribe:   (*Conn).subscribe,
	protocol.EventUnsubscribe: (*Conn).unsubscribe,
	protocol.EventSignin:      (*Conn).signIn,
}

// Handle does what a frame asks for. It is told of text frames only.
func (c *Conn) Handle(ctx context.Context, payload []byte) {
	if c.session.Ended() {
		return
	}
	c.metrics.MessagesIn.Inc()
	c.metrics.BytesIn.Add(float64(len(payload)))
	if c.log.Enabled(ctx, slog.LevelDebug) {
		c.log.Debug("received", "socket", c.session.ID, "frame", protocol.Redact(payload))
	}
	if !c.rate.Allow() {
		c.tooMany()
		return
	}
	m, err := protocol.Decode(payload)
	if err != nil {
		c.fail(protocol.ErrBadMessage)
		return
	}
	handle, ok := handlers[m.Event]
	switch {
	case ok:
	case strings.HasPrefix(m.Event, protocol.ClientEventPrefix):
		handle = (*Conn).clientEvent
	default:
		handle = (*Conn).unknown
	}
	if err := handle(c, ctx, m); err != nil {
		c.fail(err)
	}
}

// tooMany refuses a message of a client that sends too many. The error has a
// code that must not be in a close frame: clients would never come back.
func (c *Conn) tooMany() {
	c.metrics.Limited("messages")
	if c.session.App.MessageRate.TerminateOnLimit {
		c.session.End(protocol.ErrTooManyMessages, protocol.ErrOverCapacity.Code)
		return
	}
	c.session.Fail(protocol.ErrTooManyMessages)
}

// fail tells the client what went wrong, as far as it is the client's business.
func (c *Conn) fail(err error) {
	var e *protocol.Error
	if !errors.As(err, &e) {
		c.log.Error("handle message", "socket", c.session.ID, "err", err)
		e = protocol.Errorf("Internal server error")
	}
	if c.log.Enabled(context.Background(), slog.LevelDebug) {
		c.log.Debug("refused", "socket", c.session.ID, "code", e.Code, "message", protocol.RedactText(e.Message))
	}
	c.session.Fail(e)
}
