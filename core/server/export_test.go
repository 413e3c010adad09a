package server

import (
	"context"
	"net/http"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/hub"
)

// What only tests use from outside.
var (
	LastIfUnframed = lastIfUnframed
	NewGate        = newGate
)

// Close is close.
func (g *gate) Close() { g.close() }

// Empty is closed when the gate is shut and nobody is inside.
func (g *gate) Empty() <-chan struct{} { return g.empty }

// Stop is stop.
func Stop(ctx context.Context, s *Server) Summary { return s.stop(ctx) }

// Peer is a client without a connection.
type Peer = hub.Peer

// Admit lets a client in as a handshake does. It is made of what it does when it
// leaves.
func Admit(ctx context.Context, s *Server, a *app.App, r *http.Request, client func(leave func()) Peer) error {
	out, err := s.gate.Enter(r)
	if err != nil {
		return err
	}
	var session *hub.Session
	session, err = s.hub.Connect(ctx, a, client(func() { s.hub.Disconnect(ctx, session); out() }), nil)
	return err
}
