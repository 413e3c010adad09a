package clustertest

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/redis"
)

const (
	lease       = time.Second            // short, so that a dead node is soon gone
	publishWait = 400 * time.Millisecond // short, so that clients do much while Redis is away
	settle      = 30 * time.Second       // by when all must agree, on the slowest machine
)

// Config says what is run.
type Config struct {
	Mode    Mode
	Nodes   int
	Clients int           // of each node
	Ops     int           // that are done, at least, and each fault once
	For     time.Duration // or for how long, if that is longer; faults then last longer, too
	Faults  []Fault       // one for each round, from the first again after the last
	Seed    uint64        // of what is random
	Settle  time.Duration // by when all must agree; 0 is enough for the slowest machine

	// New makes a node that reaches Redis in that way.
	New func(redis.Config, *slog.Logger, Dial) (*redis.Node, error)

	// What only tests of package redis can do to a node.
	Abandon  func(*redis.Node)        // has it stop at once, without a goodbye
	ReapSome func(*redis.Node)        // has it begin to reap, and die of it
	Late     func(*redis.Node) func() // has its calls repeated late, until the returned func is called
	Lost     func(*redis.Node) uint64 // how many events it says are lost; may be nil
	Record   func(*redis.Node)        // has it keep in ":wrote" a copy of what it writes for backends; may be nil

	Control string                                   // what the keys of the cluster itself begin with
	Parts   []string                                 // what those of each partition begin with
	Part    func(topic string) string                // what those of a topic begin with
	Explain func(n *redis.Node, topic string) string // what it knows of a topic; may be nil

	Prepare func(*redis.Node) // breaks a node that has not begun; may be nil
	Log     *slog.Logger      // of all nodes; may be nil
}

// Dial makes a connection to a server of Redis.
type Dial = func(ctx context.Context, network, addr string) (net.Conn, error)

// cluster is a run.
type cluster struct {
	Config
	tb      testing.TB
	place   place
	store   store
	backend *backend
	outbox  *outbox
	watcher *watcher
	pulse   *pulse
	random  *rand.Rand // of the goroutine that runs the rounds
	nodes   []*node    // that live
	started int
	order   order
	amnesia bool // Redis has lost what it had, in this round
	report  Report

	clock   atomic.Int64 // of all that happens
	ops     atomic.Int64
	trouble atomic.Bool // something is broken, or was until all agreed again
	current atomic.Pointer[round]

	mu         sync.Mutex       // guards what follows
	live       map[string]*node // by their labels
	violations []string
}

// Run runs a cluster and returns what came of it.
func Run(tb testing.TB, config Config) Report {
	tb.Helper()
	c := &cluster{Config: config, tb: tb, place: newPlace(tb, config.Mode), live: map[string]*node{}}
	if c.Settle == 0 {
		c.Settle = settle
	}
	c.random = rand.New(rand.NewPCG(c.Seed, 0))
	c.store.place = c.place
	c.outbox = newOutbox(c)
	c.backend = newBackend(tb, c.outbox.tell)
	c.watcher = watch(c)
	defer c.watcher.stop()
	c.pulse = newPulse()
	defer c.pulse.stop()
	for range c.Nodes {
		c.start()
	}
	defer c.end()
	begun := time.Now()
	for i := 0; i < len(c.Faults) || c.ops.Load() < int64(c.Ops) || time.Since(begun) < c.For; i++ {
		c.strike(c.Faults[i%len(c.Faults)])
		if c.failed() {
			break
		}
	}
	if !c.failed() {
		c.last()
	}
	c.report.Ops = c.ops.Load()
	c.report.Told = c.outbox.count()
	c.report.Heard = c.order.heard
	c.report.Violations = c.violations
	return c.report
}

// app is the only app, as one node knows it: its backend can tell which node it is
// told by.
func (c *cluster) app(n *node) app.App {
	a := app.Default(protocol.Pusher)
	a.ID, a.Key, a.Secret = appID, "key", "secret"
	a.ClientEventRate, a.MaxPresenceMembers = 0, 0
	a.Webhooks = []app.Webhook{c.backend.webhook(n.label)}
	return a
}

const appID = "1"

// topic is a channel in the keys of Redis.
func topic(channel string) string { return appID + "\x00" + channel }

func (c *cluster) end() {
	for _, n := range c.nodes {
		n.network.heal()
		n.stop()
		c.Abandon(n.redis)
		n.hang()
	}
}

// living returns the node of a label, or nil if it has crashed.
func (c *cluster) living(label string) *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live[label]
}

func (c *cluster) violate(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.violations = append(c.violations, fmt.Sprintf(format, args...))
}

func (c *cluster) failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.violations) > 0
}

func (c *cluster) users() int { return max(2, c.Nodes*c.Clients*2/3) }

// long reports whether faults may last as long as they do in production.
func (c *cluster) long() bool { return c.For > 0 }
