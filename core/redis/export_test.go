package redis

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/revurb/revurb/core/channel"
)

// Abandon has a node stop as if its process were killed: it says goodbye to
// nobody.
func (n *Node) Abandon() {
	if !n.closed.CompareAndSwap(false, true) {
		return
	}
	n.stop()
	_ = n.outbox.wait.Close()
	n.running.Wait()
	_, _, _ = n.publish.Close(), n.state.Close(), n.bus.Close()
}

// Keys is what the keys of the only partition begin with, by default.
var Keys = keys{prefix: DefaultConfig.Prefix, partitions: 1}.of(0)

// ControlKeys is what the keys of the cluster itself begin with, by default.
var ControlKeys = keys{prefix: DefaultConfig.Prefix}.control()

// ReapSome waits for a node whose lease is over, and takes a little of what it
// had, as one that dies then does.
func (n *Node) ReapSome() {
	const little = 3
	for limit := time.Now().Add(2 * n.config.Lease); time.Now().Before(limit); {
		_, _, _ = n.claim(context.Background())
		dead, _ := n.state.SMembers(context.Background(), n.keys.control()+":reap").Result()
		for _, name := range dead {
			for i := range n.parts {
				_, _ = n.take(context.Background(), n.keys.of(i), name, little)
			}
		}
		if len(dead) > 0 {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
}

// Explain says what a node knows of a topic, and what Redis does.
func (n *Node) Explain(topic string) string {
	s, err := n.snapshot(context.Background(), topic)
	r := &n.replicas
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.all[topic]
	if c == nil {
		return "the node has no copy"
	}
	return fmt.Sprintf("the copy: epoch %s, version %d, loaded %v, loading %v, %d pending, %v; Redis: epoch %s, version %d, %v (%v)",
		c.epoch, c.v, c.loaded, c.loading, len(c.pending), slices.Sorted(maps.Keys(c.users)), s.epoch, s.v, s.ordered(), err)
}

// RepeatLate has some of the calls of scripts done again, late, until the func that
// it returns has returned.
func (n *Node) RepeatLate() (end func()) {
	l := &late{node: n}
	n.state.AddHook(l)
	return func() {
		l.mu.Lock()
		l.over = true
		l.mu.Unlock()
		l.running.Wait()
	}
}

// late is a hook that does calls again.
type late struct {
	node    *Node
	running sync.WaitGroup

	mu   sync.Mutex // guards what follows
	over bool       // nothing more is added to running
}

// again does something again, unless it is over.
func (l *late) again(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.running.Go(do)
	}
}

func (*late) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*late) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

type again struct{}

func (l *late) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if ctx.Value(again{}) != nil || cmd.Name() != "evalsha" || rand.IntN(4) > 0 {
			return err
		}
		l.again(func() {
			<-time.After(rand.N(200 * time.Millisecond))
			ctx := context.WithValue(context.Background(), again{}, true)
			_ = l.node.state.Do(ctx, cmd.Args()...).Err()
		})
		return err
	}
}

// HoldSnapshots has each snapshot, once Redis has answered, wait for what release
// returns: it is called with the number of the snapshot, from 1.
func (n *Node) HoldSnapshots(release func(int) <-chan struct{}) {
	n.state.AddHook(&holder{hash: n.scripts.snapshot.Hash(), release: release})
}

type holder struct {
	late
	hash    string
	count   atomic.Int64
	release func(int) <-chan struct{}
}

func (h *holder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if args := cmd.Args(); err == nil && len(args) > 1 && args[1] == h.hash {
			<-h.release(int(h.count.Add(1)))
		}
		return err
	}
}

// LateCall does a call of the node's as if it had been made long ago: topic had so
// many subscriptions.
func (n *Node) LateCall(call int, topic string, subscriptions int) error {
	p, b := n.parts[0], batch{}
	return n.run(context.Background(), n.scripts.apply, p.prefix, b.keys(n.Name()), n.Name(), call, "n", topic, subscriptions).Err()
}

// AuditEvery has a node that does nothing yet compare more often what it has.
func (n *Node) AuditEvery(d time.Duration) { n.auditEvery = d }

// AuditOnce compares what the node has with what Redis has of it, and for all nodes
// the sums, if it is to lead.
func (n *Node) AuditOnce(ctx context.Context, lead bool) error {
	for i, p := range n.parts {
		if err := p.compare(ctx); err != nil {
			return err
		}
		if !lead {
			continue
		}
		r, err := n.roll(ctx)
		if err != nil {
			return err
		}
		if err := newAuditor(n).lead(ctx, p, r, i); err != nil {
			return err
		}
	}
	return nil
}

// Lose deletes a key of the partition of a topic.
func (n *Node) Lose(topic channel.Topic, key string) error {
	return n.state.Del(context.Background(), n.part(topicKey(topic)).prefix+":"+key).Err()
}

// LateAdmit does a call of the node's as if it had been made long ago: an app had so
// many clients.
func (n *Node) LateAdmit(call int, app string, have int) error {
	c := n.keys.control()
	keys := []string{c + ":alive", c + ":dead", c + ":calls", c + ":c:" + app}
	return n.scripts.admit.Run(context.Background(), n.state, keys, n.Name(), call, have, 0, 0, 0).Err()
}

// recording is common.lua with a copy of all that is written down for backends, in
// a stream from which nothing is taken.
var recording = replace(commonLua, "redis.call('XADD', P .. ':ev', ", "redis.call('XADD', P .. ':wrote', '*', 'e', e, 't', topic, 'u', user)\n  redis.call('XADD', P .. ':ev', ")

// Record has the scripts of a node write to that stream, too.
func (n *Node) Record() { n.scripts = fillScripts(recording, n.keys, n.outbox.grace) }

// replace replaces what a script has in it.
func replace(lua, what, by string) string {
	if !strings.Contains(lua, what) {
		panic("no script has this anymore: " + what)
	}
	return strings.Replace(lua, what, by, 1)
}

// edit replaces a line of a script.
func edit(lua, line, by string) *redis.Script {
	fill := strings.NewReplacer("@PUBLISH@", "PUBLISH", "@GRACE@", "3000")
	return redis.NewScript(fill.Replace(recording + replace(lua, line, by)))
}

// WithoutSequence has the node's calls done in any order, and twice.
func (n *Node) WithoutSequence() {
	n.scripts.apply = edit(applyLua, `if tonumber(ARGV[3]) <= tonumber(last) then return redis.error_reply('STALE') end`, "")
}

// WithoutFence has the node's calls done when it is dead.
func (n *Node) WithoutFence() {
	n.scripts.apply = edit(applyLua, `if last == 'dead' then return redis.error_reply('FENCED') end`, `if last == 'dead' then last = '0' end`)
}

// WithoutSnapshot has the node trust its copies when it hears messages again.
func (n *Node) WithoutSnapshot() { n.replicas.trusting = true }

// WithoutLog has the node publish and append nothing.
func (n *Node) WithoutLog() {
	lua := replace(publishLua, "local length = call('RPUSH', log, entry)", "local length = call('LLEN', log) + 1")
	lua = replace(lua, "local length = call('RPUSH', log, unpack(entries, from, to))", "local length = call('LLEN', log) + added")
	lua = replace(lua, "call('RPUSH', log, epoch .. ' 0', unpack(entries, from, to))", "call('RPUSH', log, epoch .. ' 0')")
	n.scripts.publish = redis.NewScript(strings.NewReplacer("@PUBLISH@", "PUBLISH", "@NUMBERED@", "32").Replace(lua))
}

// WithoutOffsets has the node not look whether it has missed anything when it hears
// messages again.
func (n *Node) WithoutOffsets() { n.trusting = true }

// Accept has the node believe that Redis has accepted an event with that number, and
// lost it.
func (n *Node) Accept(topic string, number int64) {
	n.batchers[n.keys.partition(topic)].accepted.add([]*publication{{topic: topic, number: number}})
	n.mayHaveLost()
}

// WithoutReplay has the node find nothing in logs.
func (n *Node) WithoutReplay() {
	n.scripts.replay = redis.NewScript(replace(replayLua, "redis.call('LRANGE', log, at, at + ARGV[4] - 1)", "{}"))
}

// KeepAtMost bounds how many entries of an outbox the node has in its hands, at all
// and of each app. It is called before the node's ports are started.
func (n *Node) KeepAtMost(most, share int) {
	for _, b := range n.outbox.boxes {
		b.entries.most, b.entries.share = most, share
	}
}

// Busy returns how many connections are in use of those that all share.
func (n *Node) Busy() int {
	s := n.state.PoolStats()
	return int(s.TotalConns - s.IdleConns)
}

// Blocked returns how many connections wait for what backends are to be told.
func (n *Node) Blocked() int {
	s := n.outbox.wait.PoolStats()
	return int(s.TotalConns - s.IdleConns)
}
