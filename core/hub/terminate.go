package hub

import (
	"context"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
)

// Terminate ends the connections that have signed in to a as a user, to any node. In the dialect of Reverb it also ends those that are in a presence
// channel under that ID, signed in or not: Reverb knows no other users.
func (h *Hub) Terminate(ctx context.Context, a *app.App, userID string) error {
	if h.ports.Cluster != nil {
		return h.terminateEverywhere(ctx, a.ID, userID)
	}
	if t := h.tenantOf(a.ID); t != nil {
		t.terminate(userID, a.TerminateCode)
	}
	return nil
}

func (t *tenant) terminate(userID string, code int) {
	for _, s := range t.known(userID) {
		s.Fail(protocol.Terminated(code))
	}
}
