package redis

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
)

// ErrAway is the error of what cannot be done while Redis does not answer.
var ErrAway = fmt.Errorf("redis does not answer: %w", broker.ErrUnavailable)

// Node is this server among those that share a Redis. Its ports are Broker,
// Members, Users, Cache and Occupancy; it is itself what hub calls a cluster.
type Node struct {
	// Static after New.
	config     Config
	auditEvery time.Duration
	doubts     chan struct{} // has one item if something may be lost in Redis
	losing     chan struct{} // the same, for those who count events
	keys       keys
	scripts    scripts
	log        *slog.Logger
	publish    redis.UniversalClient // for what nobody may do twice
	state      redis.UniversalClient
	bus        redis.UniversalClient

	producer string // names this process in what it publishes

	parts    []*partition
	shards   []*shard
	batchers []*batcher
	reader   reader
	lost     losses
	signs    signs
	masters  masters
	names    interned // of producers
	trusting bool     // what tests do to see that it matters: offsets are not compared
	clock    clock
	replicas replicas
	outbox   outbox
	health   health
	peers    peers
	quota    quota

	servers    servers
	complaints complaints

	// Set by Start methods, before anything else.
	deliver func(broker.Message) error
	tell    func(presence.Change)
	noted   func(occupancy.Change)

	mu   sync.Mutex // guards what follows
	name string     // of this incarnation: another one after the others took the node for dead

	garbage atomic.Uint64 // envelopes that nobody could have sent
	repairs atomic.Uint64 // of what Redis had lost
	stop    context.CancelFunc
	done    chan struct{} // closed when the node is closed
	running sync.WaitGroup
	closed  atomic.Bool
}

// New returns a node that does nothing yet. Redis need not be there.
func New(c Config, log *slog.Logger) (*Node, error) { return newNode(c, log, nil) }

// dial makes a connection; nil is the usual way.
type dial func(ctx context.Context, network, addr string) (net.Conn, error)

func newNode(c Config, log *slog.Logger, d dial) (*Node, error) {
	n := &Node{config: c, auditEvery: auditEvery, doubts: make(chan struct{}, 1), losing: make(chan struct{}, 1), log: log, name: newName(), done: make(chan struct{})}
	o, err := c.options()
	if err != nil {
		return nil, err
	}
	if o.TLSConfig != nil {
		if err := c.trust(o.TLSConfig); err != nil {
			return nil, err
		}
	}
	o.OnConnect, o.Dialer = n.servers.meet, d
	n.keys = keys{prefix: c.Prefix, db: o.DB, partitions: 1, publish: "PUBLISH", numbered: 32}
	if len(c.Cluster) > 0 {
		n.keys.partitions, n.keys.publish = clusterPartitions, "SPUBLISH"
	}
	if len(c.Cluster)+len(c.Sentinels) > 0 {
		n.keys.numbered = 1
	}
	n.scripts = newScripts(n.keys, occupancy.DefaultGrace)
	n.servers.node, n.servers.roles = n, map[string]string{}
	if len(c.Sentinels) > 0 {
		o = n.masters.init(n, o)
	}
	n.publish, n.state, n.bus = newClient(o), newClient(o), newClient(o)
	hookLinks(n.bus)
	n.producer, n.lost.log = newName(), log
	for i := range n.keys.partitions {
		n.parts = append(n.parts, newPartition(n, i))
		n.batchers = append(n.batchers, newBatcher(n, i))
	}
	// One connection hears all: so what one publishes to several channels comes in
	// its order, too. Of a Redis Cluster each partition has its own.
	for i := range n.keys.partitions {
		n.shards = append(n.shards, newShard(n, i))
	}
	n.quota.init(n)
	n.reader.init(n)
	n.replicas.init(n)
	n.health.node, n.peers.node, n.complaints.node = n, n, n
	n.outbox.init(n, o)
	return n, nil
}

func newName() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Name is what this node calls itself in Redis, at the moment.
func (n *Node) Name() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.name
}

// Run keeps the node in touch with the others, until Close. It is called once,
// when the node's ports have been started.
func (n *Node) Run() {
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	for _, p := range n.parts {
		n.running.Go(func() { p.run(ctx) })
	}
	for _, s := range n.shards {
		n.running.Go(func() { s.run(ctx) })
		n.running.Go(func() { s.locator.run(ctx) })
	}
	for _, b := range n.batchers {
		n.running.Go(func() { b.run(ctx) })
	}
	for range readers {
		n.running.Go(func() { n.reader.run(ctx) })
	}
	for _, addr := range n.config.Sentinels {
		n.running.Go(func() { n.masters.follow(ctx, addr) })
	}
	n.running.Go(func() { n.health.run(ctx) })
	n.running.Go(func() { n.quota.run(ctx) })
	n.running.Go(func() { n.peers.judge(ctx) })
	n.running.Go(func() { n.reaper(ctx) })
	n.running.Go(func() { n.audit(ctx) })
	n.running.Go(func() { n.accounts(ctx) })
	n.outbox.run(ctx)
}

// Close takes the node from the others, if Redis answers, and lets go of it.
// Whoever was here has left by now.
func (n *Node) Close() error {
	if !n.closed.CompareAndSwap(false, true) || n.stop == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*answer)
	defer cancel()
	err := n.settle(ctx)
	n.outbox.each(ctx, (*box).release)
	close(n.done)
	n.stop()
	closed := n.outbox.wait.Close() // which ends reads that block
	n.running.Wait()                // or the lease would be renewed once more
	if err == nil {
		err = n.leave()
	}
	if err != nil {
		err = fmt.Errorf("say goodbye to the cluster: %w", err)
	}
	err = errors.Join(err, closed)
	return errors.Join(err, n.publish.Close(), n.state.Close(), n.bus.Close())
}

// settle waits until all is said.
func (n *Node) settle(ctx context.Context) error {
	for _, p := range n.parts {
		if err := p.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// leave takes from Redis what it knows of this node.
func (n *Node) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*answer)
	defer cancel()
	name := n.Name()
	for _, p := range n.parts {
		if err := n.clear(ctx, p.prefix, name); err != nil {
			return err
		}
		if err := n.state.HDel(ctx, p.prefix+":nodes", name).Err(); err != nil {
			return err
		}
	}
	c := n.keys.control()
	return errors.Join(n.state.ZRem(ctx, c+":alive", name).Err(), n.state.HDel(ctx, c+":calls", name).Err())
}

// again makes the node another one, unless it is that already: the others have
// taken was for dead. All that is here is said again under the new name.
func (n *Node) again(was string, why string) {
	n.mu.Lock()
	if n.name != was {
		n.mu.Unlock()
		return
	}
	n.name = newName()
	name := n.name
	n.mu.Unlock()
	n.log.Warn("this node was fenced: "+why+"; it has registered again, under a new ID", "was", was, "node", name)
	for _, p := range n.parts {
		p.poke()
	}
	n.quota.again()
	n.health.poke()
}

// run runs a script on keys of a partition. All that it touches must be among
// them: a Redis Cluster that moves them to another server knows by that what is
// not there yet.
func (n *Node) run(ctx context.Context, s *redis.Script, part string, keys []string, args ...any) *redis.Cmd {
	full := make([]string, len(keys))
	for i, k := range keys {
		full[i] = part + ":" + k
	}
	return s.Run(ctx, n.state, full, append([]any{part}, args...)...)
}

// sleep waits, and reports whether ctx is still on.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
