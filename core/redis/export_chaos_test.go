package redis

import (
	"context"
	"net"

	"github.com/redis/go-redis/v9"
)

// Through has a node that has not begun make its connections with dial.
func (n *Node) Through(dial func(ctx context.Context, network, addr string) (net.Conn, error)) {
	o, err := n.config.options()
	if err != nil {
		panic(err) // New has found nothing wrong with it
	}
	o.Dialer = dial
	for _, client := range []*redis.UniversalClient{&n.publish, &n.state, &n.bus} {
		_ = (*client).Close()
		*client = redis.NewUniversalClient(&o)
	}
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
