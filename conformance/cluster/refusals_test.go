package cluster_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// A step is what a server refuses: the whole connection, a step of its set-up, or
// what comes after it.
type step struct {
	name     string
	commands []string
	replies  []string // the first of them is always tried
	rare     bool     // whether nodes that run may have no need of it for a while
}

// Replies that Redis has for a login, for a connection and for a command.
var (
	logins = []string{
		"WRONGPASS invalid username-password pair or user is disabled.",
		"NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used",
		"NOAUTH Authentication required.",
		"NOPERM this user has no permissions to run this command",
		"ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
		"ERR unknown command",
	}
	troubles = []string{
		"LOADING Redis is loading the dataset in memory",
		"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
		"CLUSTERDOWN The cluster is down",
		"TRYAGAIN Multiple keys request during rehashing of slot",
		"MOVED 1 127.0.0.1:1",
		"ERR max number of clients reached",
	}
	writes = []string{
		"READONLY You can't write against a read only replica.",
		"OOM command not allowed when used memory > 'maxmemory'.",
		"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
		"NOREPLICAS Not enough good replicas to write.",
		"NOPERM this user has no permissions to access one of the keys used as arguments",
		"NOSCRIPT No matching script. Please use EVAL.",
	}
)

func all(lists ...[]string) (replies []string) {
	for _, list := range lists {
		replies = append(replies, list...)
	}
	return replies
}

// steps are those of a Redis that is alone.
var steps = []step{
	{name: "connection", replies: []string{"ERR max number of clients reached", "DENIED Redis is running in protected mode"}},
	{name: "HELLO", commands: []string{"HELLO", "AUTH"}, replies: all(logins, troubles)},
	{name: "CLIENT", commands: []string{"CLIENT"}, replies: all(logins[3:4], troubles)},
	{name: "SELECT", commands: []string{"SELECT"}, replies: all([]string{"ERR DB index is out of range"}, logins, troubles)},
	{name: "SUBSCRIBE", commands: []string{"SUBSCRIBE", "SSUBSCRIBE"}, replies: all([]string{"NOPERM this user has no permissions to access one of the channels used as arguments"}, logins, troubles)},
	{name: "EVALSHA", commands: []string{"EVALSHA"}, replies: all(writes, troubles, logins)},
	{name: "scripts", commands: []string{"EVALSHA", "EVAL", "SCRIPT"}, replies: all(writes, troubles, logins)},
	{name: "PUBLISH", commands: []string{"PUBLISH", "SPUBLISH"}, replies: all(writes[4:], troubles, logins), rare: true},
	{name: "PING", commands: []string{"PING"}, replies: all(logins[3:], troubles), rare: true},
	{name: "INFO", commands: []string{"INFO", "CONFIG", "TIME"}, replies: all(logins[3:4], troubles), rare: true},
	{name: "everything", commands: []string{
		"HELLO", "AUTH", "CLIENT", "SELECT", "PING", "SUBSCRIBE", "SSUBSCRIBE", "EVALSHA", "EVAL", "SCRIPT", "PUBLISH", "SPUBLISH", "INFO",
	}, replies: all(logins, troubles, writes)},
}

// watchSteps are those of a sentinel.
var watchSteps = []step{
	{name: "connection", replies: []string{"ERR max number of clients reached"}},
	{name: "HELLO", commands: []string{"HELLO", "AUTH"}, replies: logins},
	{name: "SENTINEL", commands: []string{"SENTINEL"}, replies: all(logins[3:], troubles, []string{"IDONTKNOW I have not enough information to reply. Please ask another Sentinel."}), rare: true},
	{name: "SUBSCRIBE", commands: []string{"SUBSCRIBE"}, replies: logins[2:]},
}

// shardSteps are those of a Redis Cluster, whose nodes also say where everything is.
var shardSteps = []step{
	{name: "connection", replies: []string{"ERR max number of clients reached"}},
	{name: "HELLO", commands: []string{"HELLO", "AUTH"}, replies: logins},
	{name: "CLUSTER", commands: []string{"CLUSTER"}, replies: all([]string{"CLUSTERDOWN The cluster is down"}, logins[3:4], troubles)},
	{name: "SSUBSCRIBE", commands: []string{"SSUBSCRIBE"}, replies: all([]string{"MOVED 1 127.0.0.1:1"}, logins[3:4], troubles)},
	{name: "EVALSHA", commands: []string{"EVALSHA"}, replies: all([]string{"MOVED 1 127.0.0.1:1", "ASK 1 127.0.0.1:1"}, writes, troubles)},
	{name: "SPUBLISH", commands: []string{"SPUBLISH"}, replies: all(troubles), rare: true},
}

// refusals calls f for each step and each reply that is to be tried.
func refusals(t *testing.T, list []step, f func(*testing.T, step, string)) {
	t.Helper()
	for _, s := range list {
		for i, reply := range s.replies {
			if i > 0 && !wanted() {
				break
			}
			word, _, _ := strings.Cut(reply, " ")
			t.Run(fmt.Sprintf("%s/%s-%d", s.name, word, i), func(t *testing.T) { f(t, s, reply) })
		}
	}
}

// refusers are one in front of each server of a Redis.
type refusers []*redistest.Refuser

func (all refusers) refuse(s step, reply string) {
	for _, r := range all {
		r.Refuse(reply, s.commands...)
	}
}

func (all refusers) allow() {
	for _, r := range all {
		r.Allow()
	}
}

func (all refusers) refused() (times int) {
	for _, r := range all {
		times += r.Refused()
	}
	return times
}

// A refusing is a kind of Redis that can refuse.
type refusing struct {
	begin func(*testing.T) (r refusers, config func(node int) string)
	steps []step
}

var refusings = map[string]refusing{
	"redis": {refusingAlone, steps}, "sentinel": {refusingSentinel, watchSteps}, "cluster": {refusingCluster, shardSteps},
}

// refusingAlone returns a refuser in front of a Redis, and the lines of [redis]
// with which nodes go through it.
func refusingAlone(t *testing.T) (refusers, func(int) string) {
	t.Helper()
	r := redistest.NewRefuser(t, redistest.Start(t, redistest.Password("secret"))) // so is AUTH
	url := strings.TrimSuffix(r.URL(), "/0") + "/1"                                // SELECT is a step of the set-up
	return refusers{r}, func(int) string { return fmt.Sprintf("url = %q\nprefix = \"refused\"", url) }
}

// refusingSentinel is refusingAlone for a sentinel.
func refusingSentinel(t *testing.T) (refusers, func(int) string) {
	t.Helper()
	s := redistest.StartSentinel(t, 1)
	r := redistest.NewRefuser(t, s.Sentinels[0])
	return refusers{r}, func(int) string {
		return fmt.Sprintf("sentinels = [%q]\nmaster = %q", r.Addr(), redistest.MasterName)
	}
}

// refusingCluster is refusingAlone for a Redis Cluster, whose nodes say of one
// another that they are where the refusers are.
func refusingCluster(t *testing.T) (refusers, func(int) string) {
	t.Helper()
	c := redistest.StartCluster(t, 3)
	var list refusers
	var addrs []string
	for _, node := range c.Nodes {
		r := redistest.NewRefuser(t, node)
		_, port, _ := strings.Cut(r.Addr(), ":")
		node.Do("CONFIG", "SET", "cluster-announce-port", port)
		list, addrs = append(list, r), append(addrs, r.Addr())
	}
	for _, node := range c.Nodes {
		for _, addr := range addrs {
			known := func() bool { return strings.Contains(fmt.Sprint(node.Do("CLUSTER", "NODES")), addr) }
			if !new(trial).within(20*time.Second, known) {
				t.Fatalf("node %s does not know that another is at %s", node.Addr(), addr)
			}
		}
	}
	return list, func(int) string { return fmt.Sprintf("cluster = [\"%s\"]", strings.Join(addrs, `", "`)) }
}

// TestRefusals has a Redis, or a sentinel, let nodes connect and refuse the rest
// while they run: what is answered with 200 is heard, and all is well soon after.
func TestRefusals(t *testing.T) {
	for name, of := range refusings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, config := of.begin(t)
			tr := newTrial(t, startNodes(t, 2, config), 1)
			refusals(t, of.steps, func(t *testing.T, s step, reply string) {
				tr.feed.forget()
				begun := time.Now()
				r.refuse(s, reply)
				tr.pass(1500 * time.Millisecond)
				refused := r.refused()
				r.allow()
				tr.recovers(t, time.Now())
				accepted, lost := tr.await(begun)
				t.Logf("Redis refused %d times; %d events accepted, %d lost", refused, accepted, lost)
				if refused == 0 && !s.rare {
					t.Error("there was nothing to refuse")
				}
				if lost > 0 {
					t.Errorf("%d of %d events that were answered with 200 are lost", lost, accepted)
				}
				for problem, n := range tr.feed.problems() {
					t.Errorf("%d answers: %s", n, problem)
				}
			})
			tr.feed.end()
			for _, l := range tr.listeners {
				if err := l.end(); err != nil || l.repeated() > 0 {
					t.Errorf("a client of node %d has heard %d events again, and was cut off: %v", l.node, l.repeated(), err)
				}
			}
			if n := disorder(tr.present()); n > 0 {
				t.Errorf("%d events came in another order to another client", n)
			}
		})
	}
}

// recovers waits until events flow again.
func (tr *trial) recovers(t *testing.T, allowed time.Time) {
	t.Helper()
	const limit = 5 * time.Second
	if !tr.within(6*limit, func() bool { return tr.flows(allowed) }) {
		t.Fatalf("events do not reach everybody after the refusal has ended: %s", tr.stuck(allowed))
	}
	at, _ := tr.back(allowed)
	if took := at.Sub(allowed); took > limit {
		t.Errorf("events reach everybody %v after the refusal has ended, want within %v", took, limit)
	}
}

// await waits for the accepted events that were sent since then, and returns how
// many there are, and how many somebody has not heard.
func (tr *trial) await(since time.Time) (accepted, lost int) {
	asked := time.Now()
	tr.within(15*time.Second, func() bool {
		accepted, lost = 0, 0
		present := tr.present()
		for _, e := range tr.feed.answered() {
			if e.status != http.StatusOK || e.sent.Before(since) || e.sent.After(asked) {
				continue
			}
			accepted++
			if _, all := everybody(present, e.key); !all {
				lost++
			}
		}
		return lost == 0 || time.Since(asked) > quiet
	})
	return accepted, lost
}

// TestRefusalsAtStart has nodes start while Redis, or a sentinel, refuses them.
func TestRefusalsAtStart(t *testing.T) {
	for name, of := range refusings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, config := of.begin(t)
			refusals(t, of.steps, func(t *testing.T, s step, reply string) {
				r.refuse(s, reply)
				t.Cleanup(r.allow)
				begun := time.Now()
				tr := unheard(t, startNodes(t, 1, config))
				accepted := 0
				for s := range batch + 1 {
					for _, e := range tr.feed.publish(0, s) {
						if e.status == http.StatusOK {
							accepted++
						}
					}
				}
				r.allow()
				tr.feed.wg.Go(func() { tr.feed.run(0) })
				tr.recovers(t, time.Now())
				if _, lost := tr.await(begun); lost > 0 {
					t.Errorf("%d events that were answered with 200 are lost; %d were accepted while Redis refused", lost, accepted)
				}
				for problem, n := range tr.feed.problems() {
					t.Errorf("%d answers: %s", n, problem)
				}
			})
		})
	}
}

// unheard returns a trial of a cluster that Redis may never have let in: there is
// a client, whose subscriptions have been answered, and nothing is published yet.
func unheard(t *testing.T, nodes []*node) *trial {
	t.Helper()
	tr := &trial{T: t, nodes: nodes, excused: map[int]bool{}}
	few := []string{"c0", "cache-c", "presence-c"} // it may take its time for each
	l := listen(t, 0, nodes[0].port, "u", few)
	tr.listeners = append(tr.listeners, l)
	tr.until("a client has its subscriptions", 30*time.Second, func() bool {
		if err := l.end(); err != nil {
			t.Fatalf("a client cannot subscribe: %v", err)
		}
		return l.ready()
	})
	tr.feed = startFeed(t, nil, few)
	tr.feed.urls = []string{"http://127.0.0.1:" + nodes[0].port}
	return tr
}
