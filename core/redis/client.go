package redis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// silent keeps the library from writing to standard error: what it has to say is
// in the errors that it returns.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// newClient returns a client. It connects when it is first used.
func newClient(o redis.UniversalOptions) redis.UniversalClient {
	redis.SetLogger(silent{})
	if !o.IsClusterMode {
		c := redis.NewUniversalClient(&o)
		c.AddHook(setup{})
		return c
	}
	cluster := o.Cluster()
	cluster.ClusterStateReloadInterval = mapAge
	c := redis.NewClusterClient(cluster)
	c.OnNewNode(func(node *redis.Client) { node.AddHook(setup{}) })
	return c
}

// reloadMap has the map of a Redis Cluster loaded again, by all clients. It returns
// at once; meanwhile they use the one that they have.
func (n *Node) reloadMap(ctx context.Context) {
	for _, c := range []redis.UniversalClient{n.publish, n.state, n.bus} {
		if c, ok := c.(*redis.ClusterClient); ok {
			c.ReloadState(ctx)
		}
	}
}
