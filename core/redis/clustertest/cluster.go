package clustertest

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

const (
	lease  = 600 * time.Millisecond // short, so that a dead node is soon gone
	settle = 30 * time.Second       // by when all must agree, on the slowest machine
)

// Config says what is run.
type Config struct {
	Nodes   int
	Clients int           // of each node
	Ops     int           // that are done, at least
	For     time.Duration // or for how long, if that is longer
	Faults  []Fault       // one for each round, from the first again after the last
	Seed    uint64        // of what is random
	Settle  time.Duration // by when all must agree; 0 is enough for the slowest machine

	// What only tests of package redis can do to a node.
	Abandon  func(*redis.Node)        // has it stop at once, without a goodbye
	ReapSome func(*redis.Node)        // has it begin to reap, and die of it
	Late     func(*redis.Node) func() // has its calls repeated late, until the returned func is called
	Record   func(*redis.Node)        // has it keep in ":wrote" a copy of what it writes down for backends

	Keys    string                                   // what the keys of the only partition begin with
	Explain func(n *redis.Node, topic string) string // what it knows of a topic; may be nil

	Prepare func(*redis.Node) // breaks a node that has not begun; may be nil
	Log     *slog.Logger      // of all nodes; may be nil
}

// Report is what came of a run.
type Report struct {
	Ops         int64 // done by clients
	Accepted    int64 // events
	Heard       int64 // events, by all clients
	Transitions int   // written down for backends
	Rounds      int
	Violations  []string
}

// cluster is a run.
type cluster struct {
	Config
	tb      testing.TB
	server  *redistest.Server
	apps    app.List
	app     *app.App
	random  *rand.Rand // of the goroutine that runs the rounds
	nodes   []*node    // that live
	started int
	outbox  *outbox
	order   order
	amnesia bool // Redis has lost what it had at least once
	report  Report

	clock atomic.Int64 // of all that happens
	ops   atomic.Int64

	mu         sync.Mutex // guards what follows
	accepted   []event    // in this round
	violations []string
}

// event is one that Redis has accepted.
type event struct {
	id      int64 // the time at which somebody began to publish it
	channel string
	except  *client
}

// Run runs a cluster and returns what came of it.
func Run(tb testing.TB, config Config) Report {
	tb.Helper()
	c := &cluster{Config: config, tb: tb, server: redistest.Start(tb)}
	if c.Settle == 0 {
		c.Settle = settle
	}
	c.random = rand.New(rand.NewPCG(c.Seed, 0))
	a := app.Default(protocol.Pusher)
	a.ID, a.Key, a.Secret = "1", "key", "secret"
	a.ClientEventRate, a.MaxPresenceMembers = 0, 0
	c.apps = app.List{a}
	c.app = &c.apps[0]
	c.outbox = newOutbox(c)
	for range c.Nodes {
		c.start()
	}
	defer c.end()
	begun := time.Now()
	for c.ops.Load() < int64(c.Ops) || time.Since(begun) < c.For {
		fault := c.Faults[c.report.Rounds%len(c.Faults)]
		c.round(fault)
		c.report.Rounds++
		if c.failed() {
			break
		}
	}
	if !c.failed() {
		c.last()
	}
	c.report.Ops = c.ops.Load()
	c.report.Transitions = c.outbox.written
	c.report.Heard = c.order.heard
	c.report.Violations = c.violations
	return c.report
}

// round has the clients busy while a fault comes and goes, and judges.
func (c *cluster) round(f Fault) {
	c.accepted = nil
	begun := time.Now()
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for _, n := range c.nodes {
		for _, cl := range n.clients {
			random := rand.New(rand.NewPCG(c.Seed, c.random.Uint64()))
			busy.Go(func() { c.work(cl, random, stop) })
		}
	}
	undo := faults[f].strike(c)
	close(stop)
	busy.Wait()
	if undo != nil {
		undo()
	}
	struck := time.Since(begun)
	c.judge(f)
	c.tb.Logf("round %d, %s: %d operations, %v busy, %v until all agreed", c.report.Rounds, f, c.ops.Load(),
		struck.Round(time.Millisecond), (time.Since(begun) - struck).Round(time.Millisecond))
	for len(c.nodes) < c.Nodes {
		c.start()
	}
}

func (c *cluster) end() {
	for _, n := range c.nodes {
		n.proxy.Heal()
		n.stop()
		c.Abandon(n.redis)
	}
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
