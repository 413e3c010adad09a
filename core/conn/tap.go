package conn

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/protocol"
)

// tap is a Transport that logs what is sent. It stands between a session and
// its transport only where that is asked for.
type tap struct {
	Transport
	log    *slog.Logger
	socket atomic.Value // the socket ID, a string, once there is one
}

// tapped returns wire, with a tap on it if log is one that shows frames, and
// what to tell the socket ID to.
func tapped(wire Transport, log *slog.Logger) (_ Transport, name func(socketID string)) {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return wire, func(string) {}
	}
	t := &tap{Transport: wire, log: log}
	t.socket.Store("")
	return t, func(id string) { t.socket.Store(id) }
}

// Send implements hub.Peer.
func (t *tap) Send(f *frame.Frame) {
	for payload := range f.Payloads() {
		t.log.Debug("sent", "socket", t.socket.Load(), "frame", protocol.RedactSent(payload))
	}
	t.Transport.Send(f)
}

// Close implements hub.Peer.
func (t *tap) Close(code int, reason string) {
	t.log.Debug("closing", "socket", t.socket.Load(), "code", code, "reason", reason)
	t.Transport.Close(code, reason)
}
