package api

import (
	"strings"

	"github.com/revurb/revurb/core/channel"
)

// getChannel tells what there is to know of one channel. One that nobody has
// ever subscribed to is a channel as well.
func (api *API) getChannel(r *request) ([]byte, error) {
	if err := checkChannel(r); err != nil {
		return nil, err
	}
	asked, err := parseInfo(r.query.All("info"), channelAttributes)
	if err != nil {
		return nil, err
	}
	kind := channel.KindOf(r.name)
	switch {
	case !strict(r):
	case asked.has(userCount) && !kind.Presence:
		return nil, badRequest("Cannot retrieve the user count unless the channel is a presence channel")
	case asked.has(cached) && !kind.Cache:
		return nil, badRequest("Cannot retrieve the cache unless the channel is a cache channel")
	}
	info, err := api.info(r, r.name, asked)
	if err != nil {
		return nil, err
	}
	n, err := api.hub.Subscriptions(r.Context(), r.app, r.name)
	if err != nil {
		return nil, err
	}
	occupied := n > 0
	info.Occupied = &occupied
	return encode(info)
}

// checkChannel reports whether the path of r names what can be a channel.
func checkChannel(r *request) error {
	if channel.ValidTarget(r.name, r.app.MaxChannelName) {
		return nil
	}
	const most = 64
	name := r.name
	if len(name) > most {
		name = name[:most] + "..."
	}
	return badRequest("Invalid channel name %q", strings.ToValidUTF8(name, "?"))
}
