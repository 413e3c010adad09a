package api

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/protocol"
)

// attributes are what is asked of a channel. Nil asks for nothing.
type attributes []string

// What can be asked of a channel.
const (
	userCount         = "user_count"         // of the users in a presence channel
	subscriptionCount = "subscription_count" // of any channel
	cached            = "cache"              // the event that a cache channel replays
)

// What can be asked where.
var (
	eventAttributes   = attributes{userCount, subscriptionCount}
	listAttributes    = attributes{userCount, subscriptionCount}
	channelAttributes = attributes{userCount, subscriptionCount, cached}
)

func (as attributes) has(a string) bool { return slices.Contains(as, a) }

// parseInfo reads the info parameter: a comma separated list, or an array of
// such lists.
func parseInfo(lists []string, known attributes) (asked attributes, err error) {
	for _, list := range lists {
		for a := range strings.SplitSeq(list, ",") {
			switch a = strings.TrimSpace(a); {
			case a == "":
			case !known.has(a):
				return nil, badInfo(known)
			default:
				asked = append(asked, a)
			}
		}
	}
	return asked, nil
}

// decodeInfo reads the info of a JSON body.
func decodeInfo(value []byte, known attributes) (attributes, error) {
	if string(value) == "null" {
		return nil, nil
	}
	if list, err := protocol.String(value); err == nil {
		return parseInfo([]string{list}, known)
	}
	var lists []string
	if err := json.Unmarshal(value, &lists); err != nil {
		return nil, badInfo(known)
	}
	return parseInfo(lists, known)
}

func badInfo(known attributes) error {
	return badRequest("info should be a comma separated list of attributes, of %s", strings.Join(known, ", "))
}

// channelInfo is what the API says of a channel: an object in which only what
// was asked for occurs.
type channelInfo struct {
	Occupied          *bool           `json:"occupied,omitempty"`
	UserCount         *int            `json:"user_count,omitempty"`
	SubscriptionCount *int            `json:"subscription_count,omitempty"`
	ConnectionCount   *int            `json:"connection_count,omitempty"`
	Cache             json.RawMessage `json:"cache,omitempty"`
}

// info returns those attributes of a channel that were asked for and that a
// channel of its kind has.
func (api *API) info(r *request, name string, asked attributes) (info channelInfo, err error) {
	kind := channel.KindOf(name)
	if kind.Presence && asked.has(userCount) {
		n, err := api.hub.UserCount(r.Context(), r.app, name)
		if err != nil {
			return info, err
		}
		info.UserCount = &n
	}
	if asked.has(subscriptionCount) {
		n, err := api.hub.Subscriptions(r.Context(), r.app, name)
		if err != nil {
			return info, err
		}
		info.SubscriptionCount = &n
	}
	if kind.Cache && asked.has(cached) {
		if info.Cache, err = api.cached(r, name); err != nil {
			return info, err
		}
	}
	return info, nil
}

// cached returns what a cache channel replays, and for how many seconds more;
// null if that is nothing.
func (api *API) cached(r *request, name string) (json.RawMessage, error) {
	e, ttl, ok, err := api.hub.Cached(r.Context(), r.app, name)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return json.RawMessage("null"), nil
	}
	return fmt.Appendf(nil, `{"data":%s,"ttl":%d}`, e.Data, int(math.Ceil(ttl.Seconds()))), nil
}
