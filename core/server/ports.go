package server

import (
	"fmt"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
)

// ports are what the hub works with: in memory where the server runs alone, in
// Redis where it is one of several. It is the only place that knows which.
func (s *Server) ports() (hub.Ports, error) {
	grace := s.config.Webhooks.Grace
	if !s.config.Redis.Enabled() {
		return hub.Ports{
			Broker: new(broker.Memory), Members: new(presence.Memory), Cache: new(cache.Memory), Occupancy: &occupancy.Memory{Grace: grace},
		}, nil
	}
	n, err := redis.New(s.config.Redis, s.log)
	if err != nil {
		return hub.Ports{}, fmt.Errorf("join the cluster: %w", err)
	}
	n.TellAfter(grace)
	s.node = n
	s.metrics.WatchCluster(s.measureCluster)
	return hub.Ports{
		Broker: n.Broker(), Members: n.Members(), Cache: n.Cache(), Users: n.Users(), Occupancy: n.Occupancy(),
		Cluster: n, Apps: s.config.Apps,
	}, nil
}

// measureCluster is the source of the metrics of the cluster.
func (s *Server) measureCluster() metrics.Cluster {
	stats := s.node.Stats()
	return metrics.Cluster{
		Up: stats.Up, Nodes: stats.Nodes, StateLost: uint64(max(0, stats.Lost)), Repairs: stats.Repairs, Garbage: stats.Garbage, Resubscribes: stats.Resubs,
		WebhooksLost: stats.WebhooksLost,
	}
}
