package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

const limit = 100

// crowd has clients come at once, evenly to all nodes, and returns how many each has
// let in.
func crowd(t *testing.T, nodes []*redis.Node, clients, limit int) (in []int) {
	t.Helper()
	let := make([]atomic.Int64, len(nodes))
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			if nodes[i%len(nodes)].Admit(t.Context(), "app", limit) {
				let[i%len(nodes)].Add(1)
			}
		})
	}
	all.Wait()
	for i := range let {
		in = append(in, int(let[i].Load()))
	}
	return in
}

func sum(all []int) (s int) {
	for _, n := range all {
		s += n
	}
	return s
}

func connections(t *testing.T, n *redis.Node) int {
	t.Helper()
	count, err := n.Connections(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// As many come in as there are places on all nodes, whoever comes where; and a place
// that is free is free everywhere.
func TestLimitOfAllNodes(t *testing.T) {
	s := redistest.Start(t)
	nodes := []*redis.Node{start(t, s), start(t, s), start(t, s)}
	for range 3 {
		in := crowd(t, nodes, 3*limit, limit)
		if sum(in) != limit {
			t.Fatalf("%v of %d clients came in, want %d", in, 3*limit, limit)
		}
		for i, n := range nodes {
			if got := connections(t, n); got != limit {
				t.Errorf("node %d counts %d clients, want %d", i, got, limit)
			}
		}
		for i, n := range nodes {
			if in[i] == 0 {
				continue
			}
			other := nodes[(i+1)%len(nodes)]
			if other.Admit(t.Context(), "app", limit) {
				t.Fatal("one more than the limit came in")
			}
			n.Release("app")
			freed := time.Now()
			eventually(t, "the place can be taken", func() bool { return other.Admit(t.Context(), "app", limit) })
			t.Logf("a place that was freed on node %d was taken on another after %v", i, time.Since(freed))
			other.Release("app")
			eventually(t, "and again", func() bool { return n.Admit(t.Context(), "app", limit) })
		}
		for i, n := range nodes {
			for range in[i] {
				n.Release("app")
			}
		}
		eventually(t, "all have left", func() bool { return connections(t, nodes[0]) == 0 })
	}
}

// A call that comes when a later one has been answered changes nothing.
func TestLateCallFreesNoPlace(t *testing.T) {
	s := redistest.Start(t)
	a, b := start(t, s), start(t, s)
	for range 3 {
		if !a.Admit(t.Context(), "app", 3) {
			t.Fatal("there is no place")
		}
	}
	if err := a.LateAdmit(1, "app", 0); err == nil || !strings.Contains(err.Error(), "STALE") {
		t.Errorf("got %v for a late call, want STALE", err)
	}
	if b.Admit(t.Context(), "app", 3) {
		t.Error("a late call has freed a place that is taken")
	}
}

// Clients come and go all the time, and there are never more than the limit, even
// where calls are repeated late.
func TestLimitUnderChurn(t *testing.T) {
	s := redistest.Start(t)
	nodes := []*redis.Node{start(t, s), start(t, s), start(t, s)}
	for _, n := range nodes {
		defer n.RepeatLate()()
	}
	const limit = 5
	var in, most atomic.Int64
	var all sync.WaitGroup
	for w := range 30 {
		all.Go(func() {
			n := nodes[w%len(nodes)]
			for range 100 {
				if !n.Admit(t.Context(), "app", limit) {
					continue
				}
				now := in.Add(1)
				for is := most.Load(); now > is && !most.CompareAndSwap(is, now); is = most.Load() {
				}
				_, _ = n.Connections(t.Context(), "app") // so that it is there for a moment
				in.Add(-1)
				n.Release("app")
			}
		})
	}
	all.Wait()
	if most.Load() > limit || most.Load() == 0 {
		t.Errorf("there were %d clients at once, want some and at most %d", most.Load(), limit)
	}
	eventually(t, "all have left", func() bool { return connections(t, nodes[0]) == 0 })
}

// Who has been let in is counted by every node from then on, with a limit or without.
func TestConnectionsAreTrueAtOnce(t *testing.T) {
	s := redistest.Start(t)
	nodes := []*redis.Node{start(t, s), start(t, s), start(t, s)}
	for i := range 300 {
		if !nodes[i%3].Admit(t.Context(), "app", 0) {
			t.Fatal("an app without a limit has no place")
		}
		if got := connections(t, nodes[(i+1)%3]); got != i+1 {
			t.Fatalf("got %d clients, want %d", got, i+1)
		}
	}
	for i := range 300 {
		nodes[i%3].Release("app")
		if got := connections(t, nodes[i%3]); got < 300-i-1 || got > 300 {
			t.Fatalf("got %d clients, want about %d", got, 300-i-1)
		}
	}
	eventually(t, "all have left", func() bool { return connections(t, nodes[1]) == 0 })
}

// What a node had that died can be taken again once its lease is over.
func TestPlacesOfDeadNodeComeBack(t *testing.T) {
	s := redistest.Start(t)
	a, b := start(t, s), start(t, s)
	in := []int{limit / 2, limit / 2}
	for i, n := range []*redis.Node{a, b} {
		if got := crowd(t, []*redis.Node{n}, in[i], limit); sum(got) != in[i] {
			t.Fatalf("%v came in, want %d", got, in[i])
		}
	}
	a.Abandon()
	if b.Admit(t.Context(), "app", limit) {
		t.Error("a node that may be alive has lost a place")
	}
	eventually(t, "the places are free", func() bool { return connections(t, b) == in[1] })
	if more := crowd(t, []*redis.Node{b}, 2*limit, limit); sum(more) != in[0] {
		t.Errorf("%d came in beside %d, want %d", sum(more), in[1], in[0])
	}
}

// A Redis that has come back empty is told who is there: nobody else comes in, at any
// time.
func TestLimitWhenRedisIsEmptied(t *testing.T) {
	s := redistest.Start(t)
	nodes := []*redis.Node{start(t, s), start(t, s), start(t, s)}
	if in := crowd(t, nodes, 3*limit, limit); sum(in) != limit {
		t.Fatalf("%v came in", in)
	}
	for round, lose := range map[string]func(){"deleted": s.FlushAll, "restarted": s.Restart} {
		eventually(t, "all know of all", func() bool { // so that each knows what the others have
			return connections(t, nodes[0]) == limit && connections(t, nodes[1]) == limit && connections(t, nodes[2]) == limit
		})
		lose()
		for range 5 {
			if in := crowd(t, nodes, 30, limit); sum(in) != 0 {
				t.Errorf("%s: %v came in over the limit", round, in)
			}
		}
		eventually(t, "all are counted again", func() bool {
			n, err := nodes[0].Connections(t.Context(), "app")
			key := redis.ControlKeys + ":alive"
			alive, _ := s.Do("ZCARD", key).(int64)
			return err == nil && n == limit && alive == 3
		})
	}
}

// While Redis is away a node lets in who would have had a place as far as it knows,
// and says so when it is back. Nobody waits for long.
func TestLimitWhileAway(t *testing.T) {
	s := redistest.Start(t)
	proxy := redistest.NewProxy(t, s)
	c := config(s)
	c.URL = proxy.URL()
	cut, other := run(t, c, func(broker.Message) {}), start(t, s)
	let := func(n *redis.Node, clients int) int { return sum(crowd(t, []*redis.Node{n}, clients, limit)) }
	if let(cut, 10) != 10 || let(other, 20) != 20 || connections(t, cut) != 30 {
		t.Fatal("not all came in")
	}
	proxy.Hang()
	if got := let(cut, 2*limit); got != limit-30 {
		t.Errorf("%d came in, want %d", got, limit-30)
	}
	eventually(t, "it is known that Redis is away", func() bool { return !cut.Stats().Up })
	if _, err := cut.Connections(t.Context(), "app"); !errors.Is(err, redis.ErrAway) {
		t.Errorf("got %v for the number of clients, want %v", err, redis.ErrAway)
	}
	if let(cut, 1) != 0 {
		t.Error("one more came in than the node knew a place for")
	}
	proxy.Heal()
	eventually(t, "all are counted", func() bool { return connections(t, other) == limit })
	if let(other, 1) != 0 {
		t.Error("one more came in elsewhere")
	}
}

// A Redis Cluster keeps the limit, too.
func TestLimitInRedisCluster(t *testing.T) {
	s := redistest.StartCluster(t, 3)
	c := redis.DefaultConfig
	c.Cluster, c.Lease = s.Addrs(), lease
	nodes := []*redis.Node{run(t, c, func(broker.Message) {}), run(t, c, func(broker.Message) {}), run(t, c, func(broker.Message) {})}
	if in := crowd(t, nodes, 3*limit, limit); sum(in) != limit {
		t.Errorf("%v came in, want %d", in, limit)
	}
	for i, n := range nodes {
		if got := connections(t, n); got != limit {
			t.Errorf("node %d counts %d clients, want %d", i, got, limit)
		}
	}
}

// Who goes away before being let in leaves no place taken.
func TestPlaceOfWhoDoesNotWait(t *testing.T) {
	s := redistest.Start(t)
	a, b := start(t, s), start(t, s)
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(cancel)
		for range 10 {
			all.Go(func() {
				if a.Admit(ctx, "app", 10) {
					a.Release("app")
				}
			})
		}
		all.Wait()
	}
	eventually(t, "all places are free", func() bool { return connections(t, b) == 0 })
	if in := crowd(t, []*redis.Node{b}, 20, 10); sum(in) != 10 {
		t.Errorf("%v came in, want 10", in)
	}
}

// One place of what a channel may have of members is given once, whoever asks where.
func TestMembersOfAllNodesAreLimited(t *testing.T) {
	s := redistest.Start(t)
	nodes := []*redis.Node{start(t, s), start(t, s), start(t, s)}
	topic := channel.Topic{App: "app", Channel: "presence-a"}
	for _, n := range nodes {
		if err := n.Broker().Subscribe(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	const limit = 20
	var in, full atomic.Int64
	var all sync.WaitGroup
	for i := range 3 * limit {
		all.Go(func() {
			who := presence.Member{UserID: fmt.Sprint(i)}
			err := nodes[i%3].Enter(t.Context(), topic, fmt.Sprint("s", i), who, limit, func([]presence.Member) {})
			switch {
			case err == nil:
				in.Add(1)
			case errors.Is(err, presence.ErrFull):
				full.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	count, err := nodes[0].Members().Count(t.Context(), topic)
	if err != nil || in.Load() != limit || full.Load() != 2*limit || count != limit {
		t.Errorf("%d came in, %d did not, %d are counted (%v), want %d, %d, %d", in.Load(), full.Load(), count, err, limit, 2*limit, limit)
	}
}
