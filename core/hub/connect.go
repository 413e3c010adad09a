package hub

import (
	"context"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// Connect admits a client of a. What is known of the client is for plugins, and
// may be nil. The error is a *protocol.Error that ends the connection if the
// client is not admitted; there is no session then.
func (h *Hub) Connect(ctx context.Context, a *app.App, p Peer, client *hooks.Client) (*Session, error) {
	t := h.tenant(a)
	s := &Session{App: a, peer: p, t: t, client: client}
	h.control(ctx, t)
	if !h.takePlace(ctx, s) {
		return nil, protocol.ErrOverQuota
	}
	if err := h.askConnect(ctx, s); err != nil {
		t.remove(s)
		h.freePlace(s)
		return nil, err
	}
	t.metrics.Connected.Inc()
	return s, nil
}

// Disconnect takes s out of everything it was in. It is called once for each
// session, whoever ended the connection. Its cost is that of the session's own
// subscriptions.
func (h *Hub) Disconnect(ctx context.Context, s *Session) {
	s.ended.Store(true)
	h.freePlace(s) // first, since others may be waiting for it
	for name := range s.subs {
		h.leave(ctx, s, name)
	}
	h.tellPlugins(abi.OnDisconnect, s, "", "")
	h.signOut(ctx, s)
	s.t.remove(s)
}

// EachSession calls yield with every session of every app on this node.
func (h *Hub) EachSession(yield func(*Session) bool) {
	for _, t := range h.allTenants() {
		for _, s := range t.allSessions() {
			if !yield(s) {
				return
			}
		}
	}
}

func (h *Hub) allTenants() map[string]*tenant {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := make(map[string]*tenant, len(h.tenants))
	for id, t := range h.tenants {
		all[id] = t
	}
	return all
}
