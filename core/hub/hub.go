// Package hub is what the server does: clients connect to it, subscribe and
// publish. It holds this node's channels and reaches the other nodes through
// its ports: a broker, the members of presence channels, the users who have signed
// in and the cache. Plugins have a say in most of it, through hooks.go.
//
// It has one file for each verb. It does no I/O of its own, and knows nothing
// of WebSockets or HTTP: packages conn and api translate.
package hub

import (
	"fmt"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/user"
	"github.com/revurb/revurb/hooks"
)

// Ports are what the hub shares with the other nodes of a cluster.
type Ports struct {
	Broker  broker.Broker
	Members presence.Members
	Cache   cache.Store
	Users   user.Users // nil is those of a node that runs alone

	// Both are nil where no backend is told anything.
	Occupancy occupancy.Tracker
	Webhooks  Webhooks

	Hooks *hooks.Hooks // nil is no plugins, now and ever

	Cluster Cluster    // nil is a node that runs alone
	Apps    app.Finder // of a cluster, which tells of apps that nobody here has connected to
}

// Hub is one node.
type Hub struct {
	// Static after construction.
	ports   Ports
	metrics *metrics.Metrics
	log     *slog.Logger
	seed    maphash.Seed

	// tracking is set once a plugin wants to hear of channels and members: from
	// then on subscriptions are counted for it.
	tracking atomic.Bool

	// telling[i] is held while the other nodes are told of a topic that hashes
	// to i. Without it, the last client to leave a channel and the next one to
	// come could pass each other on the way, and leave the node unsubscribed.
	// It is taken before any other lock.
	telling [64]sync.Mutex

	mu      sync.RWMutex // guards what follows
	tenants map[string]*tenant
}

// New returns a hub that is ready for clients.
func New(ports Ports, m *metrics.Metrics, log *slog.Logger) (*Hub, error) {
	if ports.Users == nil {
		ports.Users = new(user.Memory)
	}
	h := &Hub{
		ports:   ports,
		metrics: m,
		log:     log,
		seed:    maphash.MakeSeed(),
		tenants: map[string]*tenant{},
	}
	if ports.Occupancy != nil {
		ports.Occupancy.Start(h.changed)
	}
	if ports.Cluster != nil {
		ports.Cluster.Changes(h.changedMember)
	}
	if err := ports.Broker.Start(h.deliver); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	m.Watch(h.gauges)
	return h, nil
}

// deliver is the last step of a message's life in the hub.
func (h *Hub) deliver(m broker.Message) error {
	t := h.tenantOf(m.App)
	if t == nil {
		return nil
	}
	if h.ports.Cluster != nil && m.Topic == controlTopic(m.App) {
		t.terminate(string(m.Frame.Payload()), t.app.TerminateCode)
		return nil
	}
	ch := t.channel(m.Channel)
	if ch == nil {
		return nil
	}
	return ch.BroadcastVersion(m.Frame, t.subscriber(m.Except), m.Version)
}

// tell serialises what this node tells others of t. The caller calls done when
// it has told them.
func (h *Hub) tell(t channel.Topic) (done func()) {
	mu := &h.telling[h.stripe(t)]
	mu.Lock()
	return mu.Unlock
}

// tellAll is tell for several topics. It takes the mutexes in their order, so
// that two of its callers do not wait for one another.
func (h *Hub) tellAll(topics []channel.Topic) (done func()) {
	stripes := make([]uint64, len(topics))
	for i, t := range topics {
		stripes[i] = h.stripe(t)
	}
	slices.Sort(stripes)
	stripes = slices.Compact(stripes)
	for _, i := range stripes {
		h.telling[i].Lock()
	}
	return func() {
		for _, i := range stripes {
			h.telling[i].Unlock()
		}
	}
}

func (h *Hub) stripe(t channel.Topic) uint64 {
	return maphash.Comparable(h.seed, t) % uint64(len(h.telling))
}

// tenantOf returns what this node holds of the app called id, or nil if nobody
// has connected to it yet.
func (h *Hub) tenantOf(id string) *tenant {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.tenants[id]
}

// tenant returns what this node holds of a.
func (h *Hub) tenant(a *app.App) *tenant {
	if t := h.tenantOf(a.ID); t != nil {
		return t
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tenants[a.ID]
	if t == nil {
		t = newTenant(h.metrics.App(a.ID))
		t.app = a
		h.tenants[a.ID] = t
	}
	return t
}
