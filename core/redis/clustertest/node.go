package clustertest

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// node is one server of the cluster, with its clients and its own network to
// Redis.
type node struct {
	label   string
	redis   *redis.Node
	hub     *hub.Hub
	proxy   *redistest.Proxy
	clients []*client

	ctx  context.Context // of what its clients do
	stop context.CancelFunc
	dead atomic.Bool
}

// told passes on what a node's backends are told, and has it written down.
type told struct {
	redis.Occupancy
	note func(occupancy.Change)
}

func (t told) Start(tell func(occupancy.Change)) {
	t.Occupancy.Start(func(c occupancy.Change) {
		t.note(c)
		tell(c)
	})
}

// start adds a node with its clients, none of which is in a channel.
func (c *cluster) start() *node {
	c.tb.Helper()
	c.started++
	n := &node{label: fmt.Sprint(c.started), proxy: redistest.NewProxy(c.tb, c.server)}
	config := redis.DefaultConfig
	config.URL, config.Lease = n.proxy.URL(), lease
	log := slog.New(slog.DiscardHandler)
	if c.Log != nil {
		log = c.Log.With("n", n.label)
	}
	var err error
	if n.redis, err = redis.New(config, log); err != nil {
		c.tb.Fatal(err)
	}
	c.Record(n.redis)
	if c.Prepare != nil {
		c.Prepare(n.redis)
	}
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.hub, err = hub.New(hub.Ports{
		Broker: n.redis.Broker(), Members: n.redis.Members(), Cache: n.redis.Cache(), Users: n.redis.Users(),
		Occupancy: told{n.redis.Occupancy(), c.outbox.tell}, Cluster: n.redis, Apps: c.apps,
	}, metrics.New(), log)
	if err != nil {
		c.tb.Fatal(err)
	}
	for i := range c.Clients {
		cl := &client{name: fmt.Sprintf("%s/%d", n.label, i), user: fmt.Sprintf("user-%d", c.random.IntN(c.users())), node: n}
		c.connect(cl)
		n.clients = append(n.clients, cl)
	}
	c.nodes = append(c.nodes, n)
	return n
}

// connect gives a client a new session.
func (c *cluster) connect(cl *client) {
	cl.mu.Lock()
	cl.in, cl.views, cl.was = map[string]int64{}, map[string]*view{}, map[string]bool{}
	cl.mu.Unlock()
	s, err := cl.node.hub.Connect(cl.node.ctx, c.app, cl, nil)
	if err != nil {
		c.violate("client %s cannot connect: %v", cl.name, err)
		return
	}
	cl.session = s
}

// crash ends a node without a goodbye, clients and all.
func (c *cluster) crash(n *node) {
	n.dead.Store(true)
	n.proxy.Cut() // nothing of what it still does counts
	n.stop()
	c.Abandon(n.redis)
}
