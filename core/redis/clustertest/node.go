package clustertest

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
	"github.com/revurb/revurb/core/webhook"
)

// node is one server of the cluster, with its clients and its own network to
// Redis.
type node struct {
	label    string
	redis    *redis.Node
	hub      *hub.Hub
	app      *app.App
	webhooks *webhook.Dispatcher
	network  *network
	clients  []*client

	ctx   context.Context // of what its clients do
	stop  context.CancelFunc
	dead  atomic.Bool
	alone atomic.Bool // it was cut off in this round, and not the others
}

// start adds a node with its clients. Only one of them is in channels, and stays.
func (c *cluster) start() {
	c.tb.Helper()
	c.started++
	n := &node{label: fmt.Sprint(c.started), network: newNetwork(c.tb, c.place.reached())}
	apps := app.List{c.app(n)}
	n.app = &apps[0]
	log := slog.New(slog.DiscardHandler)
	if c.Log != nil {
		log = c.Log.With("n", n.label)
	}
	n.redis = c.member(n, log)
	m := metrics.New()
	var err error
	if n.webhooks, err = webhook.New(dispatch(), m, log); err != nil {
		c.tb.Fatal(err)
	}
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.hub, err = hub.New(hub.Ports{
		Broker: n.redis.Broker(), Members: n.redis.Members(), Cache: n.redis.Cache(), Users: n.redis.Users(),
		Occupancy: n.redis.Occupancy(), Webhooks: n.webhooks, Cluster: n.redis, Apps: apps,
	}, m, log)
	if err != nil {
		c.tb.Fatal(err)
	}
	for i := range c.Clients {
		cl := &client{c: c, name: fmt.Sprintf("%s/%d", n.label, i), user: fmt.Sprintf("user-%d", c.random.IntN(c.users())), node: n}
		c.connect(cl)
		n.clients = append(n.clients, cl)
	}
	c.nodes = append(c.nodes, n)
	c.mu.Lock()
	c.live[n.label] = n
	c.mu.Unlock()
	c.settler(n)
}

// member returns the node's place in the cluster, which reaches Redis through the
// node's own network.
func (c *cluster) member(n *node, log *slog.Logger) *redis.Node {
	config := redis.DefaultConfig
	c.place.configure(&config)
	config.Lease, config.PublishWait = lease, publishWait
	r, err := c.New(config, log, n.network.dial)
	if err != nil {
		c.tb.Fatal(err)
	}
	if c.Record != nil {
		c.Record(r)
	}
	if c.Prepare != nil {
		c.Prepare(r)
	}
	return r
}

// connect gives a client a new session.
func (c *cluster) connect(cl *client) {
	cl.begin()
	for {
		s, err := cl.node.hub.Connect(cl.node.ctx, cl.node.app, cl, nil)
		switch {
		case err == nil:
			cl.session = s
			return
		case cl.node.dead.Load():
			return
		case !c.away(err):
			c.violate("client %s cannot connect: %v", cl.name, err)
			return
		}
		<-time.After(10 * time.Millisecond)
	}
}

// crash ends a node without a goodbye, clients and all.
func (c *cluster) crash(n *node) {
	n.dead.Store(true)
	c.mu.Lock()
	delete(c.live, n.label)
	c.mu.Unlock()
	c.backend.refuse(n.label)
	n.network.each((*redistest.Proxy).Cut) // nothing of what it still does counts
	n.stop()
	c.Abandon(n.redis)
	n.hang()
}

// hang gives up what the node still has to tell backends.
func (n *node) hang() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.webhooks.Close(ctx)
}
