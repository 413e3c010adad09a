package api

import (
	"strings"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/protocol"
)

// getChannels lists the channels that have subscribers.
func (api *API) getChannels(r *request) ([]byte, error) {
	asked, err := parseInfo(r.query.All("info"), listAttributes)
	if err != nil {
		return nil, err
	}
	prefix := r.query.Get("filter_by_prefix")
	if asked.has(userCount) && !strings.HasPrefix(prefix, "presence-") && strict(r) {
		return nil, badRequest("user_count may only be requested for presence channels - please supply filter_by_prefix beginning with presence-")
	}
	counts, err := api.hub.Channels(r.Context(), r.app, prefix)
	if err != nil {
		return nil, err
	}
	channels := make(map[string]channelInfo, len(counts))
	for name, subscriptions := range counts {
		var info channelInfo
		if asked.has(subscriptionCount) {
			info.SubscriptionCount = &subscriptions
		}
		if asked.has(userCount) && channel.KindOf(name).Presence {
			users, err := api.hub.UserCount(r.Context(), r.app, name)
			if err != nil {
				return nil, err
			}
			info.UserCount = &users
		}
		channels[name] = info
	}
	return encode(map[string]any{"channels": channels})
}

// strict reports whether r is told of what it asks for in vain, as by the hosted
// service. Laravel Reverb leaves it out without a word.
func strict(r *request) bool { return r.app.Dialect != protocol.Reverb }
