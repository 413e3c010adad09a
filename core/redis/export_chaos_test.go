package redis

import (
	"context"
	"log/slog"
	"net"
)

// NewThrough is New for a node that makes its connections with dial.
func NewThrough(c Config, log *slog.Logger, dial func(ctx context.Context, network, addr string) (net.Conn, error)) (*Node, error) {
	return newNode(c, log, dial)
}

// AllKeys are the names of keys, by default.
type AllKeys struct{ keys }

// KeysOf returns those in a single Redis, or in a Redis Cluster.
func KeysOf(cluster bool) AllKeys {
	k := keys{prefix: DefaultConfig.Prefix, partitions: 1}
	if cluster {
		k.partitions = clusterPartitions
	}
	return AllKeys{k}
}

// Control is what the keys of the cluster itself begin with.
func (k AllKeys) Control() string { return k.control() }

// Parts are what the keys of each partition begin with.
func (k AllKeys) Parts() (all []string) {
	for i := range k.partitions {
		all = append(all, k.of(i))
	}
	return all
}

// Part is what the keys of a topic begin with.
func (k AllKeys) Part(topic string) string { return k.of(k.partition(topic)) }
