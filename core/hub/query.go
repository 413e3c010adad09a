package hub

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/metrics"
)

// Channels returns the channels of a that have subscribers and whose names
// begin with prefix, and how many subscribers each has. Those of users are not
// among them.
func (h *Hub) Channels(ctx context.Context, a *app.App, prefix string) (map[string]int, error) {
	if h.ports.Cluster != nil {
		return h.ports.Cluster.Channels(ctx, a.ID, prefix)
	}
	counts := map[string]int{}
	t := h.tenantOf(a.ID)
	if t == nil {
		return counts, nil
	}
	for _, ch := range t.allChannels() {
		if n := ch.Len(); n > 0 && !channel.Reserved(ch.Name) && strings.HasPrefix(ch.Name, prefix) {
			counts[ch.Name] = n
		}
	}
	return counts, nil
}

// Subscriptions is how many subscribers a channel of a has.
func (h *Hub) Subscriptions(ctx context.Context, a *app.App, name string) (int, error) {
	if h.ports.Cluster != nil {
		return h.ports.Cluster.Subscriptions(ctx, channel.Topic{App: a.ID, Channel: name})
	}
	if t := h.tenantOf(a.ID); t != nil {
		if ch := t.channel(name); ch != nil {
			return ch.Len(), nil
		}
	}
	return 0, nil
}

// UserCount is how many users are in a presence channel of a.
func (h *Hub) UserCount(ctx context.Context, a *app.App, name string) (int, error) {
	n, err := h.ports.Members.Count(ctx, channel.Topic{App: a.ID, Channel: name})
	if err != nil {
		return 0, fmt.Errorf("count members: %w", err)
	}
	return n, nil
}

// Users returns the IDs of the users in a presence channel of a, in the order
// in which they came.
func (h *Hub) Users(ctx context.Context, a *app.App, name string) ([]string, error) {
	list, err := h.ports.Members.List(ctx, channel.Topic{App: a.ID, Channel: name})
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	ids := make([]string, len(list))
	for i, m := range list {
		ids[i] = m.UserID
	}
	return ids, nil
}

// Cached returns what a cache channel of a would replay, and for how long.
func (h *Hub) Cached(ctx context.Context, a *app.App, name string) (e cache.Event, ttl time.Duration, ok bool, err error) {
	e, ttl, ok, err = h.ports.Cache.Get(ctx, channel.Topic{App: a.ID, Channel: name})
	if err != nil {
		return e, 0, false, fmt.Errorf("read cache: %w", err)
	}
	return e, ttl, ok, nil
}

// Connections is how many clients are connected to a.
func (h *Hub) Connections(ctx context.Context, a *app.App) (int, error) {
	if h.ports.Cluster != nil {
		return h.ports.Cluster.Connections(ctx, a.ID)
	}
	if t := h.tenantOf(a.ID); t != nil {
		return t.connections(), nil
	}
	return 0, nil
}

// gauges reports what there is, for the metrics.
func (h *Hub) gauges(yield func(metrics.Gauges)) {
	for id, t := range h.allTenants() {
		g := metrics.Gauges{App: id, Connections: t.connections(), Channels: map[string]int{}}
		for _, k := range channel.Kinds {
			g.Channels[k.String()] = 0
		}
		for _, ch := range t.allChannels() {
			if channel.Reserved(ch.Name) {
				continue
			}
			g.Subscriptions += ch.Len()
			g.Channels[ch.Kind.String()]++
		}
		yield(g)
	}
}
