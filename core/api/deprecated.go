package api

import (
	"unicode/utf8"

	"github.com/revurb/revurb/core/protocol"
)

// postChannelEvent publishes to the channel that the path names. The body is the
// data as it stands, and everything else is in the query.
//
// See https://pusher.com/docs/channels/library_auth_reference/rest-api-deprecated/
func (api *API) postChannelEvent(r *request) ([]byte, error) {
	if !utf8.Valid(r.body) {
		return nil, badRequest("The body must be UTF-8")
	}
	e := &event{
		name:     r.query.Get("name"),
		data:     protocol.AppendString(nil, r.body),
		channels: []string{r.name},
		socketID: r.query.Get("socket_id"),
	}
	if err := e.validate(r.app); err != nil {
		return nil, err
	}
	if err := api.allow(r, limitPublish, 1); err != nil {
		return nil, err
	}
	if err := api.publish(r.Context(), r.app, e); err != nil {
		return nil, err
	}
	return empty, nil
}

// getStats is what getChannel was before one could say what one wants to know.
func (api *API) getStats(r *request) ([]byte, error) {
	if err := checkChannel(r); err != nil {
		return nil, err
	}
	info, err := api.info(r, r.name, attributes{subscriptionCount, userCount})
	if err != nil {
		return nil, err
	}
	occupied := *info.SubscriptionCount > 0
	info.Occupied, info.ConnectionCount, info.SubscriptionCount = &occupied, info.SubscriptionCount, nil
	return encode(info)
}
