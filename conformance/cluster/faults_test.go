package cluster_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// A store is the Redis of a trial, in one of its forms.
type store struct {
	server   *redistest.Server // alone
	sentinel *redistest.Sentinel
	cluster  *redistest.Cluster
	proxies  []*redistest.Proxy // one for each node, in front of server
	more     string             // of the configuration of a node, at the end of [redis]
}

const nodeCount = 3

func alone(options ...redistest.Option) func(*testing.T) *store {
	return func(t *testing.T) *store { return &store{server: redistest.Start(t, options...)} }
}

func proxied(t *testing.T) *store {
	s := &store{server: redistest.Start(t)}
	for range nodeCount {
		s.proxies = append(s.proxies, redistest.NewProxy(t, s.server))
	}
	return s
}

// impatient is a Redis that keeps little for who does not read. Clients are given
// more time than it is: they are behind when their node is.
func impatient(t *testing.T) *store {
	s := alone(redistest.Config("client-output-buffer-limit", "pubsub", "1mb", "0", "0"))(t)
	s.more = "\n\n[websocket]\nmax_pending_bytes = 100_000_000\nmax_pending_messages = 100_000"
	return s
}

// forgetful is a Redis that keeps the last ten events of a channel.
func forgetful(t *testing.T) *store {
	s := proxied(t)
	s.more = "\nreplay_events = 10"
	return s
}

func sentinels(t *testing.T) *store { return &store{sentinel: redistest.StartSentinel(t, 3)} }

func replicated(t *testing.T) *store {
	return &store{cluster: redistest.StartReplicatedCluster(t, 3)}
}

// config returns the lines of [redis] for a node, and what may follow.
func (s *store) config(node int) string {
	switch {
	case s.sentinel != nil:
		return fmt.Sprintf("sentinels = [\"%s\"]\nmaster = %q", strings.Join(s.sentinel.Addrs(), `", "`), redistest.MasterName)
	case s.cluster != nil:
		return fmt.Sprintf("cluster = [\"%s\"]", strings.Join(s.cluster.Addrs(), `", "`))
	case s.proxies != nil:
		return fmt.Sprintf("url = %q%s", s.proxies[node].URL(), s.more)
	}
	return fmt.Sprintf("url = %q%s", s.server.URL(), s.more)
}

// A fault is what happens to a cluster.
type fault struct {
	name  string
	quick bool // whether it is tried without REVURB_LONG=1
	store func(*testing.T) *store
	// run does it. It says when it begins, and when Redis can be used again;
	// else that is when it returns.
	run func(*trial, *store)
	// steady is whether nothing may be refused, for Redis is there.
	steady bool
	// loses is whether events are lost, within what is allowed.
	loses bool
	// gone is a node whose clients are taken for gone, because it is silent for
	// longer than its lease, or killed; 0 is none.
	gone int
	// killed is whether gone is killed, with its connections.
	killed bool
}

// faults are all that a cluster has to bear. What they do to Redis's clients is
// in the name: times are how long Redis, or the way to it, is away.
var faults = []fault{
	{name: "none", quick: true, steady: true, store: alone(), run: func(tr *trial, _ *store) { tr.now(); tr.pass(time.Second) }},
	{name: "none-cluster", steady: true, store: replicated, run: func(tr *trial, _ *store) { tr.now(); tr.pass(time.Second) }},

	{name: "sentinel-planned", quick: true, store: sentinels, run: planned(1)},
	{name: "sentinel-planned-twice", store: sentinels, run: planned(2)},
	{name: "sentinel-hang", store: sentinels, run: func(tr *trial, s *store) {
		old := s.sentinel.Master()
		tr.now()
		tr.dies(old.Pause)
		s.sentinel.WaitPromoted(old)
		tr.heals()
		tr.pass(4 * time.Second)
		old.Resume() // with all that was sent to it, which nobody must take for news
	}},
	{name: "sentinel-kill", store: sentinels, run: func(tr *trial, s *store) {
		old := s.sentinel.Master()
		tr.now()
		tr.dies(old.Kill)
		s.sentinel.WaitPromoted(old)
	}},

	{name: "cluster-planned", store: replicated, run: func(tr *trial, s *store) {
		tr.now()
		for _, master := range s.cluster.Nodes {
			s.cluster.Failover(master)
		}
	}},
	{name: "cluster-kill", store: replicated, run: func(tr *trial, s *store) {
		old := s.cluster.Node(slotKeys(tr, s)[0])
		tr.now()
		tr.dies(old.Kill)
		s.cluster.WaitPromoted(old)
	}},
	{name: "cluster-slot", quick: true, store: replicated, run: func(tr *trial, s *store) {
		slot := s.cluster.Slot(slotKeys(tr, s)[0])
		to := another(s.cluster, s.cluster.Owner(slot))
		tr.now()
		s.cluster.MoveSlot(slot, to)
	}},
	{name: "cluster-reshard", store: replicated, run: func(tr *trial, s *store) {
		from, to := s.cluster.Nodes[0], s.cluster.Nodes[1]
		var moving []int
		for _, key := range slotKeys(tr, s) {
			if slot := s.cluster.Slot(key); s.cluster.Owner(slot) == from {
				moving = append(moving, slot)
			}
		}
		for slot := range 3000 {
			moving = append(moving, slot)
		}
		tr.now()
		s.cluster.MoveSlots(moving, to)
	}},

	{name: "hang-3s", store: alone(), run: hang(3 * time.Second)},
	{name: "hang-5s", quick: true, store: alone(), run: hang(5 * time.Second)},
	{name: "hang-15s", store: alone(), run: hang(15 * time.Second)},
	{name: "hang-30s", store: alone(), run: hang(30 * time.Second)},
	{name: "hang-burst", store: alone(), run: func(tr *trial, s *store) {
		tr.now()
		s.server.Pause()
		tr.feed.burst(0, 2000)
		s.server.Resume()
	}},

	{name: "killed-empty", quick: true, store: alone(), run: func(tr *trial, s *store) {
		tr.now()
		tr.dies(s.server.Kill)
		tr.pass(3 * time.Second)
		s.server.Restart()
	}},
	{name: "killed-aof-3s", store: alone(redistest.AOF()), run: killed(3 * time.Second)},
	{name: "killed-aof-12s", store: alone(redistest.AOF()), run: killed(12 * time.Second)},
	{name: "killed-aof-20s", store: alone(redistest.AOF()), run: killed(20 * time.Second)},
	{name: "flushall", store: alone(), run: func(tr *trial, s *store) { tr.now(); s.server.FlushAll() }},
	{name: "busy-8s", store: alone(), run: func(tr *trial, s *store) {
		tr.now()
		s.server.Busy(8 * time.Second)()
	}},
	{name: "pubsub-killed", store: alone(), run: func(tr *trial, s *store) {
		tr.now()
		for range 10 {
			s.server.KillPubSub()
			tr.pass(500 * time.Millisecond)
		}
	}},

	{name: "password-rotated", quick: true, store: alone(redistest.Password("old")), run: func(tr *trial, s *store) {
		tr.now()
		s.server.SetPassword("new")
		tr.pass(8 * time.Second)
		s.server.SetPassword("old")
	}},
	{name: "acl-password-rotated", store: alone(redistest.User("revurb", "old")), run: func(tr *trial, s *store) {
		tr.now()
		s.server.SetPassword("new")
		tr.pass(8 * time.Second)
		s.server.SetPassword("old")
	}},
	{name: "too-many-clients", store: alone(), run: func(tr *trial, s *store) {
		tr.now()
		lift := s.server.LimitClients()
		tr.pass(4 * time.Second)
		lift()
	}},
	{name: "out-of-memory", store: alone(), run: func(tr *trial, s *store) {
		tr.now()
		s.server.LimitMemory(1)
		tr.pass(5 * time.Second)
		s.server.LimitMemory(0)
	}},
	{name: "no-replicas", store: alone(), run: func(tr *trial, s *store) {
		tr.now()
		s.server.RequireReplicas(1)
		tr.pass(5 * time.Second)
		s.server.RequireReplicas(0)
	}},

	{name: "black-hole-8s", store: proxied, run: network(8*time.Second, (*redistest.Proxy).BlackHole)},
	{name: "black-hole-subscribers-8s", store: proxied, run: network(8*time.Second, (*redistest.Proxy).BlackHoleSubscribers)},
	{name: "cut-off-15s", gone: 1, store: proxied, run: network(15*time.Second, (*redistest.Proxy).Cut)},
	// What is not kept any more is lost for the node that was cut off, and counted.
	{name: "cut-off-for-longer-than-kept", loses: true, store: forgetful, run: func(tr *trial, s *store) {
		tr.forgets(1)
		tr.now()
		s.proxies[1].Cut()
		tr.feed.burst(0, 3000) // so many that no log is still longer than it should be
		s.proxies[1].Heal()
	}},
	{name: "partition-25s", gone: 1, store: proxied, run: unready(25*time.Second, (*redistest.Proxy).Hang)},
	{name: "one-way-8s", store: proxied, run: unready(8*time.Second, (*redistest.Proxy).OneWay)},
	{name: "one-way-back-8s", store: proxied, run: unready(8*time.Second, (*redistest.Proxy).OneWayBack)},
	{name: "latency-200ms", steady: true, store: proxied, run: everywhere(8*time.Second, func(p *redistest.Proxy) { p.Latency(200 * time.Millisecond) })},
	{name: "bandwidth-20kB", store: proxied, run: everywhere(8*time.Second, func(p *redistest.Proxy) { p.Bandwidth(20_000) })},

	{name: "paused-4s", store: alone(), run: paused(4 * time.Second)},
	{name: "paused-7s", store: alone(), run: paused(7 * time.Second)},
	// Redis cuts off the subscriber that reads nothing, and what it kept for it is gone.
	{name: "paused-out-of-buffer", gone: 1, store: impatient, run: func(tr *trial, s *store) {
		tr.feed.pad(strings.Repeat("x", 10_000))
		paused(9*time.Second)(tr, s)
		tr.feed.pad("")
	}},
	{name: "paused-11s", gone: 1, store: alone(), run: paused(11 * time.Second)},
	{name: "node-killed", gone: 2, killed: true, store: alone(), run: func(tr *trial, _ *store) {
		tr.now()
		tr.excuse(2)
		for range 3 { // what it has answered with 200 is heard on the others
			if err := tr.nodes[2].kill(); err != nil {
				tr.Fatal(err)
			}
			if err := tr.nodes[2].start(); err != nil {
				tr.Fatal(err)
			}
			tr.pass(time.Second)
		}
	}},
	{name: "garbage", quick: true, steady: true, store: alone(), run: garbage},
}

// planned promotes the replica on purpose, so often.
func planned(times int) func(*trial, *store) {
	return func(tr *trial, s *store) {
		tr.now()
		for range times {
			s.sentinel.PlannedFailover()
		}
	}
}

func hang(d time.Duration) func(*trial, *store) {
	return func(tr *trial, s *store) {
		tr.now()
		s.server.Pause()
		tr.pass(d)
		s.server.Resume()
	}
}

// killed kills a Redis that keeps what it has.
func killed(d time.Duration) func(*trial, *store) {
	return func(tr *trial, s *store) {
		tr.now()
		s.server.Kill()
		tr.pass(d)
		s.server.Restart()
	}
}

// network breaks the network of one node.
func network(d time.Duration, f func(*redistest.Proxy)) func(*trial, *store) {
	return func(tr *trial, s *store) {
		tr.now()
		f(s.proxies[1])
		tr.pass(d)
		s.proxies[1].Heal()
	}
}

// unready is network for a fault that a node has to notice: it says that it is
// not ready while it lasts, and soon afterwards that it is.
func unready(d time.Duration, f func(*redistest.Proxy)) func(*trial, *store) {
	return func(tr *trial, s *store) {
		ended := time.Now().Add(d)
		tr.now()
		f(s.proxies[1])
		tr.until("the node is not ready", 20*time.Second, func() bool { return tr.ready(1) == http.StatusServiceUnavailable })
		tr.pass(time.Until(ended))
		s.proxies[1].Heal()
		tr.heals()
		tr.until("the node is ready again", 20*time.Second, func() bool { return tr.ready(1) == http.StatusOK })
	}
}

// ready asks a node whether it is ready.
func (tr *trial) ready(node int) int {
	res, err := http.Get("http://127.0.0.1:" + tr.nodes[node].port + "/ready")
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// everywhere breaks the network of all nodes.
func everywhere(d time.Duration, f func(*redistest.Proxy)) func(*trial, *store) {
	return func(tr *trial, s *store) {
		tr.now()
		for _, p := range s.proxies {
			f(p)
		}
		tr.pass(d)
		for _, p := range s.proxies {
			p.Heal()
		}
	}
}

// paused halts the process of one node.
func paused(d time.Duration) func(*trial, *store) {
	return func(tr *trial, _ *store) {
		tr.now()
		tr.excuse(1)
		if err := tr.nodes[1].signal(syscall.SIGSTOP); err != nil {
			tr.Fatal(err)
		}
		tr.pass(d)
		if err := tr.nodes[1].signal(syscall.SIGCONT); err != nil {
			tr.Fatal(err)
		}
	}
}

// garbage is what no node sends, or none that is of this version: all of it is
// ignored, and counted.
func garbage(tr *trial, s *store) {
	tr.now()
	was, sent := tr.metric("revurb_cluster_garbage_total"), 0.0
	for _, text := range []string{"", "m", "m9:x", "z", "z1:a1:b", "\x00\xff", `{"event":"n"}`, "m999999999999:"} {
		for _, command := range [][2]string{{"CHANNELS", "PUBLISH"}, {"SHARDCHANNELS", "SPUBLISH"}} {
			list, _ := s.server.Do("PUBSUB", command[0], "*main-id*").([]any)
			for _, name := range list {
				heard, _ := s.server.Do(command[1], name, text).(int64)
				sent += float64(heard)
			}
		}
	}
	if sent == 0 {
		tr.Fatal("no node hears of a channel")
	}
	counted := 0.0
	if !tr.within(20*time.Second, func() bool {
		counted = tr.metric("revurb_cluster_garbage_total") - was
		return counted == sent
	}) {
		tr.Errorf("nodes have counted %v messages that could not be read, want %v", counted, sent)
	}
}

// slotKeys returns names that are in the slots of the channels of the feed: what
// nodes have subscribed to.
func slotKeys(tr *trial, s *store) []string {
	tr.Helper()
	var keys []string
	for _, node := range s.cluster.Nodes {
		list, _ := node.Do("PUBSUB", "SHARDCHANNELS").([]any)
		for _, name := range list {
			if text := fmt.Sprint(name); strings.Contains(text, "main-id") {
				keys = append(keys, text)
			}
		}
	}
	if len(keys) == 0 {
		tr.Fatal("no node has subscribed to a channel")
	}
	return keys
}

// another returns a master that is not this one.
func another(c *redistest.Cluster, not *redistest.Server) *redistest.Server {
	for _, node := range c.Nodes {
		if node != not {
			return node
		}
	}
	return nil
}

// TestFaults judges every event that was answered with 200 while something is
// broken: all clients that stayed connected have it, once, and in one order.
func TestFaults(t *testing.T) {
	var lines []string
	for _, f := range faults {
		if !f.quick && !wanted() {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			s := f.store(t)
			tr := newTrial(t, startNodes(t, nodeCount, s.config), 2)
			f.run(tr, s)
			if tr.usable.IsZero() {
				tr.heals()
			}
			tr.settle()
			v := tr.judge()
			lines = append(lines, v.line(f.name))
			t.Logf("%s\n%s", head, v.line(f.name))
			tr.hold(f, v)
		})
	}
	t.Logf("%s\n%s", head, strings.Join(lines, "\n"))
}

// wanted reports whether rows that take long are wanted, too: all of them, or
// those of a name that was asked for.
func wanted() bool {
	return os.Getenv("REVURB_LONG") == "1" || strings.Contains(flag.Lookup("test.run").Value.String(), "/")
}

// late is how long an answer may take: what an event waits for, 2 s, and what a
// busy machine adds. More than a second of that is noted.
const late = 4 * time.Second

// hold fails the test for what must not be.
func (tr *trial) hold(f fault, v verdict) {
	tr.Helper()
	if n := len(v.lost) - v.excusable; n > 0 {
		tr.Errorf("%d events that were answered with 200 are lost: %s", n, tr.where(v.lost))
	}
	if f.loses && len(v.lost) == 0 {
		tr.Error("nothing is lost: all is kept for longer than it should be")
	}
	if len(v.lost) > 0 && v.counted == 0 {
		tr.Errorf("%d events are lost, and no node has counted any", len(v.lost))
	}
	if lost := float64(len(v.lost)); v.counted != lost {
		tr.Logf("%v events are lost, and nodes have counted %v", lost, v.counted)
	}
	if v.duplicates > 0 {
		tr.Errorf("%d events came more than once", v.duplicates)
	}
	if v.disorder > 0 {
		tr.Errorf("%d events came in another order to another client", v.disorder)
	}
	if v.accepted == 0 {
		tr.Error("no event is accepted")
	}
	if f.steady && v.refused > 0 {
		tr.Errorf("%d events are refused, though Redis was there", v.refused)
	}
	if v.back < 0 {
		tr.Error("events do not reach everybody again")
	}
	switch {
	case v.slowest > late:
		tr.Errorf("answers took up to %v, want 2s", v.slow)
	case v.slowest > 3*time.Second:
		tr.Logf("answers took up to %v", v.slow)
	}
	for _, l := range tr.listeners {
		if err := l.end(); err != nil && !(f.killed && l.node == f.gone) {
			tr.Errorf("a client of node %d is cut off: %v", l.node, err)
		}
	}
	for _, problem := range v.problems {
		tr.Error(problem)
	}
	tr.members(f.gone)
}

// members fails the test if anybody was told that somebody left who has not:
// those of a node that is gone alone have, for the others, once.
func (tr *trial) members(gone int) {
	tr.Helper()
	told := map[string]int{}
	for _, l := range tr.present() {
		l.mu.Lock()
		mine := map[string]int{}
		for _, m := range l.members {
			if !strings.HasPrefix(m, "member_removed") {
				continue
			}
			mine[m]++
			if gone == 0 || mine[m] > 1 || !strings.Contains(m, fmt.Sprintf(`"u%d-`, gone)) {
				told[m]++
			}
		}
		l.mu.Unlock()
	}
	for m, n := range told {
		tr.Errorf("%d times a client is told %s, who has not left", n, m)
	}
}
