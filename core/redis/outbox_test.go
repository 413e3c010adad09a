package redis_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// longLease is one that does not end during a test.
const longLease = time.Minute

// teller is a node that tells backends of what another one does.
type teller struct {
	*redis.Node
	log lines

	mu   sync.Mutex
	told []occupancy.Change
	take bool // backends take what they are told
}

// lines is what a node has logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// tellers starts a node whose backends take what they are told, or do not.
func tellers(t *testing.T, c redis.Config, take bool, prepare ...func(*redis.Node)) *teller {
	t.Helper()
	s := &teller{take: take}
	var err error
	if s.Node, err = redis.New(c, slog.New(slog.NewTextHandler(&s.log, nil))); err != nil {
		t.Fatal(err)
	}
	for _, f := range prepare {
		f(s.Node)
	}
	s.Changes(func(presence.Change) {})
	s.Occupancy().Start(func(c occupancy.Change) {
		s.mu.Lock()
		s.told = append(s.told, c)
		take := s.take
		s.mu.Unlock()
		if take {
			c.Settled()
		}
	})
	if err := s.Broker().Start(func(broker.Message) error { return nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// heard is what backends were told: "+1 +2 -1".
func (s *teller) heard(app string) (told []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.told {
		if c.App == app {
			told = append(told, map[bool]string{true: "+", false: "-"}[c.Came]+c.Channel)
		}
	}
	return told
}

// settle has the backends take what they were told, and all that comes.
func (s *teller) settle() {
	s.mu.Lock()
	s.take = true
	s.mu.Unlock()
	s.settleApp("")
}

// settleApp has the backend of an app take what it was told; "" is that of each.
func (s *teller) settleApp(app string) {
	s.mu.Lock()
	told := slices.Clone(s.told)
	s.mu.Unlock()
	for _, c := range told {
		if (app == "" || c.App == app) && !c.Receipt.Void() {
			c.Settled()
		}
	}
}

func (s *teller) await(t *testing.T, app string, n int) []string {
	t.Helper()
	eventually(t, fmt.Sprintf("%d are told of app %s", n, app), func() bool { return len(s.heard(app)) >= n })
	return s.heard(app)
}

// awaitHolder waits until the node tells what there is to tell.
func (s *teller) awaitHolder(t *testing.T, r *redistest.Server) {
	t.Helper()
	eventually(t, "the node holds the outbox", func() bool { return r.Do("GET", redis.Keys+":out") == s.Name() })
}

// occupy has channels of an app occupied, one after the other.
func occupy(n *redis.Node, app string, from, to int) (want []string) {
	for i := from; i < to; i++ {
		n.Count(channel.Topic{App: app, Channel: fmt.Sprint(i)}, 1)
		if _, err := n.Subscriptions(context.Background(), channel.Topic{App: app, Channel: "x"}); err != nil {
			panic(err)
		}
		want = append(want, fmt.Sprint("+", i))
	}
	return want
}

func waiting(r *redistest.Server) int64 {
	n, _ := r.Do("XLEN", redis.Keys+":ev").(int64)
	return n
}

func leased(r *redistest.Server, lease time.Duration) redis.Config {
	c := config(r)
	c.Lease = lease
	return c
}

// What backends have taken is out of Redis, and what they have not is not.
func TestOutboxKeepsWhatIsNotSettled(t *testing.T) {
	r := redistest.Start(t)
	a := tellers(t, leased(r, longLease), false)
	want := occupy(a.Node, "app", 0, 20)
	if got := a.await(t, "app", 20); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if n := waiting(r); n != 20 {
		t.Errorf("Redis has %d entries, want all 20", n)
	}
	a.settle()
	eventually(t, "Redis has none", func() bool { return waiting(r) == 0 })
	occupy(a.Node, "app", 20, 40)
	a.await(t, "app", 40)
	eventually(t, "Redis has none again", func() bool { return waiting(r) == 0 })
}

// A node that dies had not told all. Another tells it, from the first that was not
// settled on, in order.
func TestOutboxIsTakenFromTheDead(t *testing.T) {
	r := redistest.Start(t)
	a := tellers(t, config(r), false)
	a.awaitHolder(t, r)
	b := tellers(t, config(r), true)
	want := occupy(b.Node, "app", 0, 30)
	a.await(t, "app", 30)
	a.mu.Lock()
	for _, c := range a.told[:10] {
		defer c.Settled() // when it is dead, which changes nothing
	}
	for _, c := range a.told[10:15] {
		c.Settled()
	}
	a.mu.Unlock()
	eventually(t, "Redis knows of what is settled", func() bool { return waiting(r) == 25 })
	a.Abandon()
	want = slices.Concat(want[:10], want[15:])
	if got := b.await(t, "app", 25); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	eventually(t, "Redis has none", func() bool { return waiting(r) == 0 })
}

// A node that was paused for longer than its lease tells nothing of what it had in its
// hands, and what it settles it settles for itself alone.
func TestOutboxOfThePaused(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	c := config(r)
	c.URL = p.URL()
	a := tellers(t, c, false)
	a.awaitHolder(t, r)
	b := tellers(t, config(r), false)
	want := occupy(b.Node, "app", 0, 10)
	a.await(t, "app", 10)
	a.mu.Lock()
	old := slices.Clone(a.told)
	a.mu.Unlock()
	p.Hang()
	if got := b.await(t, "app", 10); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	for i, c := range old {
		if !c.Receipt.Void() {
			t.Errorf("the first node may still tell %s, which the second does", want[i])
		}
		if i < 5 {
			c.Settled()
		}
	}
	p.Heal()
	eventually(t, "the first node knows", func() bool { return a.log.count("could not renew its hold") == 1 })
	if n := waiting(r); n != 10 {
		t.Errorf("Redis has %d entries, want the 10 that the second node has not settled", n)
	}
	b.settle()
	eventually(t, "Redis has none", func() bool { return waiting(r) == 0 })
	if got := a.heard("app"); len(got) != 10 {
		t.Errorf("the first node has told %d, want its 10", len(got))
	}
}

// When Redis was away and no other node was there, none is told again of what was told
// before or meanwhile.
func TestOutboxOfALonelyNode(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	c := config(r)
	c.URL = p.URL()
	a := tellers(t, c, false)
	want := occupy(a.Node, "app", 0, 10)
	a.await(t, "app", 10)
	p.Hang()
	a.mu.Lock()
	old := slices.Clone(a.told)
	a.mu.Unlock()
	eventually(t, "its lease is over", func() bool { return old[9].Receipt.Void() })
	for _, c := range old[:5] {
		c.Settled()
	}
	p.Heal()
	if got := a.await(t, "app", 15); !slices.Equal(got[10:], want[5:]) {
		t.Errorf("told again %q, want %q", got[10:], want[5:])
	}
	for _, c := range old[5:] {
		c.Settled() // late, but true
	}
	eventually(t, "Redis has none", func() bool { return waiting(r) == 0 })
	for _, c := range a.told[10:] {
		if !c.Receipt.Void() {
			t.Errorf("+%s is to be told, and has been", c.Channel)
		}
	}
}

// A node that stops lets go at once, of what it has not told, too.
func TestOutboxIsHandedOver(t *testing.T) {
	r := redistest.Start(t)
	a := tellers(t, leased(r, longLease), false)
	a.awaitHolder(t, r)
	b := tellers(t, leased(r, longLease), true)
	want := occupy(b.Node, "app", 0, 10)
	a.await(t, "app", 10)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if got := b.await(t, "app", 10); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A node that is about to stop takes nothing anymore, and hands over what comes.
func TestOutboxIsLeft(t *testing.T) {
	r := redistest.Start(t)
	a := tellers(t, leased(r, longLease), true)
	a.awaitHolder(t, r)
	b := tellers(t, leased(r, longLease), true)
	eventually(t, "the first knows of the second", func() bool {
		a.Admit(t.Context(), "app", 0) // has it ask
		return a.Stats().Nodes == 2
	})
	if err := a.Occupancy().Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := occupy(a.Node, "app", 0, 10)
	if got := b.await(t, "app", 10); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// The last node tells at once of those who have gone.
func TestOutboxOfTheLastNode(t *testing.T) {
	r := redistest.Start(t)
	a := tellers(t, leased(r, longLease), true, func(n *redis.Node) { n.TellAfter(time.Hour) })
	eventually(t, "it has joined", func() bool { return a.Stats().Up })
	occupy(a.Node, "app", 0, 1)
	a.Count(channel.Topic{App: "app", Channel: "0"}, 0)
	if err := a.Occupancy().Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := a.heard("app"); !slices.Equal(got, []string{"+0", "-0"}) {
		t.Errorf("told %q, want that it came and went", got)
	}
}

// Nodes may differ in how long one may be gone: that counts where he was last.
func TestOutboxGrace(t *testing.T) {
	r := redistest.Start(t)
	quick := tellers(t, config(r), true, func(n *redis.Node) { n.TellAfter(100 * time.Millisecond) })
	quick.awaitHolder(t, r)
	slow := tellers(t, config(r), true, func(n *redis.Node) { n.TellAfter(time.Hour) })
	for i, s := range []*teller{slow, quick} {
		occupy(s.Node, "app", i, i+1)
		s.Count(channel.Topic{App: "app", Channel: fmt.Sprint(i)}, 0)
	}
	if got := quick.await(t, "app", 3); !slices.Equal(got, []string{"+0", "+1", "-1"}) {
		t.Errorf("told %q, want that the one at the quick node has gone", got)
	}
	miss := channel.Topic{App: "app", Channel: "cache-x"}
	if first, err := quick.Occupancy().Missed(t.Context(), miss); !first || err != nil {
		t.Errorf("a miss is told: %v, %v", first, err)
	}
	eventually(t, "the miss is forgotten", func() bool {
		first, err := quick.Occupancy().Missed(t.Context(), miss)
		return first && err == nil
	})
}

// An app whose backend takes nothing holds up no other, and nothing of its own is lost
// or out of order: what the node cannot keep waits in Redis.
func TestOutboxOfManyApps(t *testing.T) {
	r := redistest.Start(t)
	a := tellers(t, leased(r, longLease), false, func(n *redis.Node) { n.KeepAtMost(30, 10) })
	var dead, live []string
	for i := range 5 {
		dead = append(dead, occupy(a.Node, "dead", 20*i, 20*i+20)...)
		live = append(live, occupy(a.Node, "live", 20*i, 20*i+20)...)
		eventually(t, "the other app's backend is told", func() bool {
			a.settleApp("live")
			return len(a.heard("live")) == len(live)
		})
	}
	if got := a.heard("dead"); !slices.Equal(got, dead[:10]) {
		t.Errorf("told %q of the app whose backend takes nothing, want the first 10", got)
	}
	a.settle()
	if got := a.await(t, "dead", 100); !slices.Equal(got, dead) {
		t.Errorf("told %q, want %q", got, dead)
	}
	if got := a.heard("live"); !slices.Equal(got, live) {
		t.Errorf("told %q, want %q", got, live)
	}
	eventually(t, "Redis has none", func() bool { return waiting(r) == 0 })
}

// What is cut from a backlog that is too long is counted, and logged once.
func TestOutboxIsCut(t *testing.T) {
	r := redistest.Start(t)
	r.Do("EVAL", `for i = 1, 100500 do redis.call('XADD', KEYS[1], '*', 'e', 'occupied', 't', 'app\0' .. i, 'u', '') end`, 1, redis.Keys+":ev")
	a := tellers(t, leased(r, longLease), false)
	eventually(t, "the loss is counted", func() bool { return a.Stats().WebhooksLost > 0 })
	lost := a.Stats().WebhooksLost
	if n := uint64(waiting(r)); n+lost != 100_500 || n < 100_000 {
		t.Errorf("%d are lost and %d wait, want 100500 together, and most of them to wait", lost, n)
	}
	r.Do("EVAL", `for i = 1, 1000 do redis.call('XADD', KEYS[1], '*', 'e', 'occupied', 't', 'app\0' .. i, 'u', '') end`, 1, redis.Keys+":ev")
	eventually(t, "the next loss is counted", func() bool { return a.Stats().WebhooksLost > lost })
	if n := a.log.count("more webhooks wait than Redis keeps"); n != 1 {
		t.Errorf("it is logged %d times, want once", n)
	}
}

// Everything in Redis is deleted: the node goes on telling.
func TestOutboxOfARedisThatLosesEverything(t *testing.T) {
	r := redistest.Start(t)
	a := tellers(t, config(r), true)
	occupy(a.Node, "app", 0, 5)
	a.await(t, "app", 5)
	r.FlushAll()
	r.Do("XADD", redis.Keys+":ev", "1-1", "e", "occupied", "t", "app\x005", "u", "") // older than what was told
	if got := a.await(t, "app", 6); got[5] != "+5" {
		t.Errorf("told %q, want +5 last", got)
	}
}

// A Redis Cluster of one master has all partitions: reads that wait take none of the
// connections that all else needs.
func TestOutboxOfOneMaster(t *testing.T) {
	s := redistest.StartCluster(t, 1)
	c := redis.DefaultConfig
	c.Cluster, c.Lease = s.Addrs(), longLease
	a := tellers(t, c, true)
	eventually(t, "each of 16 partitions is waited for", func() bool { return a.Blocked() == 16 })
	eventually(t, "nothing else is in use", func() bool { return a.Busy() == 0 })
	for i := range 50 {
		a.Count(channel.Topic{App: "app", Channel: fmt.Sprint(i)}, 1)
	}
	a.await(t, "app", 50)
}
