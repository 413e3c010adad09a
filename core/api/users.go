package api

import (
	"slices"
	"strings"

	"github.com/revurb/revurb/core/channel"
)

// user is one who is in a presence channel, on however many connections.
type user struct {
	ID string `json:"id"`
}

// getUsers lists who is in a presence channel, in the order in which they came.
func (api *API) getUsers(r *request) ([]byte, error) {
	if err := checkChannel(r); err != nil {
		return nil, err
	}
	if extra := slices.Collect(r.query.Names()); len(extra) > 0 && strict(r) {
		return nil, badRequest("The following query string parameters are extraneous: %s", strings.Join(extra, ", "))
	}
	if !channel.KindOf(r.name).Presence {
		return nil, badRequest("Users can only be retrieved for presence channels")
	}
	ids, err := api.hub.Users(r.Context(), r.app, r.name)
	if err != nil {
		return nil, err
	}
	users := make([]user, len(ids))
	for i, id := range ids {
		users[i].ID = id
	}
	return encode(map[string]any{"users": users})
}
