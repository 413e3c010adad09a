package hub

import (
	"context"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
)

// Terminate ends the connections to this node that have signed in to a as a
// user. In the dialect of Reverb it also ends those that are in a presence
// channel under that ID, signed in or not: Reverb knows no other users.
func (h *Hub) Terminate(_ context.Context, a *app.App, userID string) error {
	t := h.tenantOf(a.ID)
	if t == nil {
		return nil
	}
	for _, s := range t.known(userID) {
		s.Fail(protocol.Terminated(a.TerminateCode))
	}
	return nil
}
