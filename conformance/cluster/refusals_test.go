package cluster_test

import (
	"fmt"
	"net/http"
	"os"
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
	replies  []string // the first of them is tried without REVURB_LONG=1
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
	{"connection", nil, []string{"ERR max number of clients reached", "DENIED Redis is running in protected mode"}},
	{"HELLO", []string{"HELLO", "AUTH"}, all(logins, troubles)},
	{"CLIENT", []string{"CLIENT"}, all(logins[3:4], troubles)},
	{"SELECT", []string{"SELECT"}, all([]string{"ERR DB index is out of range"}, logins, troubles)},
	{"SUBSCRIBE", []string{"SUBSCRIBE", "SSUBSCRIBE"}, all([]string{"NOPERM this user has no permissions to access one of the channels used as arguments"}, logins, troubles)},
	{"EVALSHA", []string{"EVALSHA"}, all(writes, troubles, logins)},
	{"scripts", []string{"EVALSHA", "EVAL", "SCRIPT"}, all(writes, troubles, logins)},
	{"PUBLISH", []string{"PUBLISH", "SPUBLISH"}, all(writes[4:], troubles, logins)},
	{"PING", []string{"PING"}, all(logins[3:], troubles)},
	{"INFO", []string{"INFO", "CONFIG", "TIME"}, all(logins[3:4], troubles)},
	{"everything", []string{
		"HELLO", "AUTH", "CLIENT", "SELECT", "PING", "SUBSCRIBE", "SSUBSCRIBE", "EVALSHA", "EVAL", "SCRIPT", "PUBLISH", "SPUBLISH", "INFO",
	}, all(logins, troubles, writes)},
}

// watchSteps are those of a sentinel.
var watchSteps = []step{
	{"connection", nil, []string{"ERR max number of clients reached"}},
	{"HELLO", []string{"HELLO", "AUTH"}, logins},
	{"SENTINEL", []string{"SENTINEL"}, all(logins[3:], troubles, []string{"IDONTKNOW I have not enough information to reply. Please ask another Sentinel."})},
	{"SUBSCRIBE", []string{"SUBSCRIBE"}, logins[2:]},
}

// refusals calls f for each step and each reply that is to be tried.
func refusals(t *testing.T, list []step, f func(*testing.T, step, string)) {
	t.Helper()
	long := os.Getenv("REVURB_LONG") == "1"
	for _, s := range list {
		for i, reply := range s.replies {
			if i > 0 && !long {
				break
			}
			word, _, _ := strings.Cut(reply, " ")
			t.Run(fmt.Sprintf("%s/%s-%d", s.name, word, i), func(t *testing.T) { f(t, s, reply) })
		}
	}
}

// refusing returns a refuser in front of a Redis, and the lines of [redis] with
// which nodes go through it.
func refusing(t *testing.T) (r *redistest.Refuser, config func(int) string) {
	t.Helper()
	r = redistest.NewRefuser(t, redistest.Start(t, redistest.Password("secret"))) // so is AUTH
	url := strings.TrimSuffix(r.URL(), "/0") + "/1"                               // SELECT is a step of the set-up
	return r, func(int) string { return fmt.Sprintf("url = %q\nprefix = \"refused\"", url) }
}

// refusingSentinel is refusing for a sentinel.
func refusingSentinel(t *testing.T) (r *redistest.Refuser, config func(int) string) {
	t.Helper()
	s := redistest.StartSentinel(t, 1)
	r = redistest.NewRefuser(t, s.Sentinels[0])
	return r, func(int) string {
		return fmt.Sprintf("sentinels = [%q]\nmaster = %q", r.Addr(), redistest.MasterName)
	}
}

// TestRefusals has a Redis, or a sentinel, let nodes connect and refuse the rest
// while they run: what is answered with 200 is heard, and all is well soon after.
func TestRefusals(t *testing.T) {
	for name, setUp := range map[string]struct {
		begin func(*testing.T) (*redistest.Refuser, func(int) string)
		steps []step
	}{"redis": {refusing, steps}, "sentinel": {refusingSentinel, watchSteps}} {
		t.Run(name, func(t *testing.T) {
			r, config := setUp.begin(t)
			tr := newTrial(t, startNodes(t, 2, config), 1)
			refusals(t, setUp.steps, func(t *testing.T, s step, reply string) {
				tr.feed.forget()
				begun := time.Now()
				r.Refuse(reply, s.commands...)
				tr.pass(1500 * time.Millisecond)
				refused := r.Refused()
				r.Allow()
				tr.recovers(t, time.Now())
				accepted, lost := tr.await(begun)
				t.Logf("Redis refused %d times; %d events accepted, %d lost", refused, accepted, lost)
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
	for name, setUp := range map[string]struct {
		begin func(*testing.T) (*redistest.Refuser, func(int) string)
		steps []step
	}{"redis": {refusing, steps}, "sentinel": {refusingSentinel, watchSteps}} {
		t.Run(name, func(t *testing.T) {
			r, config := setUp.begin(t)
			refusals(t, setUp.steps, func(t *testing.T, s step, reply string) {
				r.Refuse(reply, s.commands...)
				t.Cleanup(r.Allow)
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
				r.Allow()
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
	l := listen(t, 0, nodes[0].port, "u", channels)
	tr.listeners = append(tr.listeners, l)
	tr.until("a client has its subscriptions", 30*time.Second, func() bool {
		if err := l.end(); err != nil {
			t.Fatalf("a client cannot subscribe: %v", err)
		}
		return l.ready()
	})
	tr.feed = startFeed(t, nil, channels)
	tr.feed.urls = []string{"http://127.0.0.1:" + nodes[0].port}
	return tr
}
