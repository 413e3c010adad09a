package mutants

import (
	"context"
	"testing"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// startNodes runs two servers that share a Redis, with other ports than that of
// package server, and returns where they are.
func startNodes(t *testing.T, c config.Config, change func(*hub.Ports)) []string {
	t.Helper()
	shared := redis.DefaultConfig
	shared.URL = redistest.Start(t).URL()
	var addrs []string
	for range 2 {
		n, err := redis.New(shared, discard)
		if err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, startParts(t, c, func(p *hub.Ports) {
			p.Broker, p.Members, p.Cache, p.Users, p.Occupancy = n.Broker(), n.Members(), n.Cache(), n.Users(), n.Occupancy()
			p.Cluster, p.Apps = n, c.Apps
			change(p)
		}))
	}
	return addrs
}

// stubborn is a broker of which some messages do not leave the node.
type stubborn struct {
	broker.Broker
	stays   func(broker.Message) bool
	deliver func(broker.Message) error
}

func (s *stubborn) Start(deliver func(broker.Message) error) error {
	s.deliver = deliver
	return s.Broker.Start(deliver)
}

func (s *stubborn) Publish(ctx context.Context, m broker.Message) error {
	if s.stays(m) {
		return s.deliver(m)
	}
	return s.Broker.Publish(ctx, m)
}

// staying keeps messages on the node.
func staying(stays func(broker.Message) bool) func(*hub.Ports) {
	return func(p *hub.Ports) { p.Broker = &stubborn{Broker: p.Broker, stays: stays} }
}

// blind is a cluster that does not know of all that there is.
type blind struct {
	hub.Cluster
	friends, channels bool // it sees none
}

func (b blind) Watching(ctx context.Context, app string, users []string, enter func(there []string)) {
	if b.friends {
		enter(nil)
		return
	}
	b.Cluster.Watching(ctx, app, users, enter)
}

func (b blind) Channels(ctx context.Context, app, prefix string) (map[string]int, error) {
	if b.channels {
		return nil, nil
	}
	return b.Cluster.Channels(ctx, app, prefix)
}

// clusterMutants are two nodes that are not quite one cluster.
func clusterMutants() []mutant {
	return []mutant{
		{
			name: "cluster-deaf", bug: "events do not leave the node where they were published",
			killedBy: []string{"CLU-01", "CLU-02", "CLU-05"},
			node:     staying(func(broker.Message) bool { return true }),
		},
		{
			name: "cluster-presence-per-node", bug: "each node knows only its own members and subscriptions",
			killedBy: []string{"CLU-02", "CLU-03", "CLU-06"},
			also:     []string{"CLU-05", "CLU-08"}, // it does not listen to what the others want of it
			node: func(p *hub.Ports) {
				p.Cluster, p.Members, p.Occupancy = nil, new(presence.Memory), new(occupancy.Memory)
			},
		},
		{
			name: "cluster-occupied-per-node", bug: "each node tells the backend of its own clients",
			killedBy: []string{"CLU-03"},
			node:     func(p *hub.Ports) { p.Occupancy = new(occupancy.Memory) },
		},
		{
			name: "cluster-cache-per-node", bug: "each node has a cache of its own",
			killedBy: []string{"CLU-07"},
			node:     func(p *hub.Ports) { p.Cache = new(cache.Memory) },
		},
		{
			name: "cluster-terminate-per-node", bug: "a user is thrown out of one node only",
			killedBy: []string{"CLU-05"},
			node:     staying(func(m broker.Message) bool { return m.Channel == "#server-control" }),
		},
		{
			name: "cluster-friends", bug: "who signs in does not see friends",
			killedBy: []string{"CLU-08"},
			node:     func(p *hub.Ports) { p.Cluster = blind{Cluster: p.Cluster, friends: true} },
		},
		{
			name: "cluster-channels", bug: "the list of channels has none",
			killedBy: []string{"CLU-06"},
			node:     func(p *hub.Ports) { p.Cluster = blind{Cluster: p.Cluster, channels: true} },
		},
	}
}
