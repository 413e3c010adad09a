package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	auditEvery = 20 * time.Second
	auditSoon  = time.Second // after there was reason to doubt
	auditBatch = 1000        // fields that are read at once: some 0.2 ms of Redis

	// A sum that seems wrong is put right this many passes later: nodes have said
	// again by then what Redis may have lost of them, whose members have not gone.
	auditPatience = 2

	// scanMost is how many batches of keys one pass goes through at most, so that
	// others who have many in the same Redis notice nothing of it.
	scanMost = 200
)

// auditor compares what this node has with what Redis has of it. One node of them
// all compares the sums of a partition, too, and what dead nodes have left. Redis
// loses nothing by itself: keys may be evicted, or deleted, or restored in part.
type auditor struct {
	node  *Node
	pass  int
	sums  map[string]int // topics whose subscriptions seem wrong, and since which pass
	users map[member]int
	lost  map[string]time.Time // nodes without a lease, and since when
	scans []uint64             // where the last pass has ended, of each partition

	reported uint64 // repairs that have been logged
	calm     bool   // the last pass has found nothing
	failing  bool   // the last pass has failed
}

func newAuditor(n *Node) *auditor {
	return &auditor{
		node: n, sums: map[string]int{}, users: map[member]int{}, lost: map[string]time.Time{},
		scans: make([]uint64, len(n.parts)), calm: true,
	}
}

// audit has a pass made every now and then, not by all nodes at the same time.
func (n *Node) audit(ctx context.Context) {
	a := newAuditor(n)
	pass := time.NewTimer(rand.N(n.auditEvery))
	defer pass.Stop()
	for {
		look := a.own // after there was reason to doubt; what others have lost they look for themselves
		select {
		case <-ctx.Done():
			return
		case <-n.doubts:
			if !sleep(ctx, auditSoon) {
				return
			}
		case <-pass.C:
			pass.Reset(n.auditEvery)
			look = a.run
		}
		if !n.health.away() {
			a.report(ctx, look(ctx))
		}
	}
}

// own compares what this node has, and no sums.
func (a *auditor) own(ctx context.Context) error {
	for _, p := range a.node.parts {
		if err := p.compare(ctx); err != nil {
			return err
		}
	}
	return nil
}

// doubt has what the node has compared soon: another server may be the master,
// which had not all that the last one had.
func (n *Node) doubt() {
	select {
	case n.doubts <- struct{}{}:
	default:
	}
}

// run is one pass.
func (a *auditor) run(ctx context.Context) error {
	a.pass++
	n := a.node
	r, err := n.roll(ctx)
	if err != nil {
		return err
	}
	for i, p := range n.parts {
		if err := p.compare(ctx); err != nil {
			return err
		}
		if r.leads(n.Name(), i) {
			if err := a.lead(ctx, p, r, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// lead is what one node does for all.
func (a *auditor) lead(ctx context.Context, p *partition, r roll, i int) error {
	if err := errors.Join(a.nodes(ctx, p, r), a.totals(ctx, p), a.everybody(ctx, p, i), a.producers(ctx, p)); err != nil {
		return err
	}
	return a.settle(ctx, p)
}

// idleProducer is how long nothing was published by who is forgotten as a producer: for
// longer than any event of it may still be in a log, or on its way.
const idleProducer = time.Hour

// producers forgets nodes that have published nothing for long. One that does again
// is known again.
func (a *auditor) producers(ctx context.Context, p *partition) error {
	n := a.node
	now, ok := n.clock.now()
	all, err := n.state.HGetAll(ctx, p.prefix+":producers").Result()
	if err != nil || !ok {
		return err
	}
	var idle []string
	for name, value := range all {
		f := strings.Fields(value)
		if len(f) != 3 {
			continue
		}
		if ms, err := parseInt([]byte(f[2])); err == nil && now-ms > idleProducer.Milliseconds() {
			idle = append(idle, name)
		}
	}
	if len(idle) == 0 {
		return nil
	}
	return n.state.HDel(ctx, p.prefix+":producers", idle...).Err()
}

// report logs the first of repairs that go on, and the first of errors.
func (a *auditor) report(ctx context.Context, err error) {
	repairs := a.node.repairs.Load()
	if repairs > a.reported && a.calm {
		a.node.log.Warn("Redis had lost some of what the cluster keeps in it, and it was put right: are keys evicted, or deleted?",
			"entries", repairs-a.reported)
	}
	a.calm = repairs == a.reported
	a.reported = repairs
	if err != nil && !a.failing && ctx.Err() == nil {
		a.node.log.Warn("what this node has could not be compared with Redis", "err", err)
	}
	a.failing = err != nil
}

// roll is what the cluster knows of its nodes.
type roll struct{ alive, reaped, dead []string }

func (n *Node) roll(ctx context.Context) (r roll, err error) {
	control := n.keys.control()
	pipe := n.state.Pipeline()
	alive := pipe.ZRange(ctx, control+":alive", 0, -1)
	reaped, dead := pipe.SMembers(ctx, control+":reap"), pipe.HKeys(ctx, control+":dead")
	_, err = pipe.Exec(ctx)
	return roll{alive.Val(), reaped.Val(), dead.Val()}, err
}

// leads reports whether a node is the one that compares the sums of a partition.
func (r roll) leads(name string, partition int) bool {
	slices.Sort(r.alive)
	return len(r.alive) > 0 && r.alive[partition%len(r.alive)] == name
}

// nodes looks after those that a partition knows. The mark of a dead one goes when
// the cluster has forgotten it: until then it might come back and be taken for one
// that lives. One that has no lease, or is dead and has something left, is one of
// which Redis has lost that: it is reaped when it gets a lease that is over.
func (a *auditor) nodes(ctx context.Context, p *partition, r roll) error {
	n := a.node
	known, err := n.state.HGetAll(ctx, p.prefix+":nodes").Result()
	if err != nil {
		return err
	}
	for name, last := range known {
		key := p.prefix + "\n" + name
		if slices.Contains(r.alive, name) || slices.Contains(r.reaped, name) {
			delete(a.lost, key)
			continue
		}
		if last == "dead" {
			left, err := n.state.Exists(ctx, p.prefix+":n:"+name, p.prefix+":m:"+name).Result()
			if err != nil {
				return err
			}
			if left == 0 {
				if slices.Contains(r.dead, name) {
					continue
				}
				if err := n.state.HDel(ctx, p.prefix+":nodes", name).Err(); err != nil {
					return err
				}
				continue
			}
		} else if since, ok := a.lost[key]; !ok {
			a.lost[key] = time.Now()
			continue
		} else if time.Since(since) < max(n.config.Lease, n.auditEvery) {
			continue
		}
		delete(a.lost, key)
		if err := n.state.ZAddNX(ctx, n.keys.control()+":alive", redis.Z{Score: 1, Member: name}).Err(); err != nil {
			return err
		}
		n.repairs.Add(1)
	}
	return nil
}

// totals compares the sums of subscriptions with what the nodes have.
func (a *auditor) totals(ctx context.Context, p *partition) error {
	names, err := a.node.known(ctx, p)
	if err != nil {
		return err
	}
	return p.scan(ctx, "tot", func(topics, totals []string) error {
		sums, err := p.addUp(ctx, "n:", names, topics)
		for i, topic := range topics {
			if total := number(totals[i]); err == nil && (total != sums[i] || total == 0) {
				since(a.sums, topic, a.pass)
			}
		}
		return err
	})
}

// everybody compares on how many nodes each user is with what the nodes have.
func (a *auditor) everybody(ctx context.Context, p *partition, i int) error {
	names, err := a.node.known(ctx, p)
	if err != nil {
		return err
	}
	master, err := p.master(ctx)
	if err != nil {
		return err
	}
	match := escapeGlob(p.prefix+":p:") + "*"
	for range scanMost {
		keys, cursor, err := master.Scan(ctx, a.scans[i], match, auditBatch).Result()
		if err != nil {
			return err
		}
		for _, key := range keys {
			if err := a.members(ctx, p, names, strings.TrimPrefix(key, p.prefix+":p:")); err != nil {
				return err
			}
		}
		if a.scans[i] = cursor; cursor == 0 {
			break
		}
	}
	return nil
}

func (a *auditor) members(ctx context.Context, p *partition, names []string, topic string) error {
	return p.scan(ctx, "p:"+topic, func(fields, values []string) error {
		var held []string // fields of what a node has
		var nodes []int
		for i, field := range fields {
			if user, ok := strings.CutPrefix(field, "c\x00"); ok {
				held, nodes = append(held, topic+"\x00"+user), append(nodes, number(values[i]))
			} else if user, ok := strings.CutPrefix(field, "i\x00"); ok && !slices.Contains(fields, "c\x00"+user) {
				held, nodes = append(held, topic+"\x00"+user), append(nodes, -1) // or the number is in another batch
			}
		}
		sums, err := p.addUp(ctx, "m:", names, held)
		for i, field := range held {
			if m, ok := parseMember(field); ok && err == nil && (nodes[i] != sums[i] || nodes[i] <= 0) {
				since(a.users, m, a.pass)
			}
		}
		return err
	})
}

// settle has put right what has seemed wrong for long enough. Where it is right by
// now nothing happens.
func (a *auditor) settle(ctx context.Context, p *partition) error {
	var m mending
	for topic, pass := range a.sums {
		if a.pass-pass >= auditPatience && a.node.part(topic) == p && m.size() < maxBatch {
			m.count("s", topic)
			delete(a.sums, topic)
		}
	}
	for who, pass := range a.users {
		if a.pass-pass >= auditPatience && a.node.part(who.topic) == p && m.size() < maxBatch {
			m.member(who, "u", "-", "")
			delete(a.users, who)
		}
	}
	if m.size() == 0 {
		return nil
	}
	if _, err := a.node.mend(ctx, p, "", "", m); err != nil {
		return err
	}
	return a.settle(ctx, p)
}

func since[K comparable](all map[K]int, key K, pass int) {
	if _, ok := all[key]; !ok {
		all[key] = pass
	}
}
