package redis_test

import (
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

// kept are the kinds of keys that Redis has of members, subscriptions and nodes.
func kept(s *redistest.Server) (kinds []string) {
	for _, key := range keysOf(s) {
		_, name, _ := strings.Cut(key, "}:")
		switch kind, _, _ := strings.Cut(name, ":"); kind {
		case "tot", "n", "m", "p", "nodes", "alive", "calls", "reap", "dead":
			kinds = append(kinds, kind)
		}
	}
	return slices.Compact(kinds)
}

// Who has gone leaves nothing, and neither does a node that says goodbye.
func TestNothingIsLeft(t *testing.T) {
	s := redistest.Start(t)
	a, b := reside(t, s.URL(), "a"), reside(t, s.URL(), "b")
	for _, r := range []*resident{a, b} {
		r.leave(r.name)
		r.leave("both")
		for _, topic := range []channel.Topic{hall, news, r.own()} {
			r.Count(topic, 0)
		}
	}
	defer func() {
		if t.Failed() {
			t.Logf("%q are left", keysOf(s))
		}
	}()
	eventually(t, "only the nodes are left", func() bool { return slices.Equal(kept(s), []string{"nodes", "alive"}) })
	for _, r := range []*resident{a, b} {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := kept(s); got != nil {
		t.Errorf("%v are left when all nodes have gone", got)
	}
}

// A node that stops with members takes them along.
func TestGoodbyeWithMembers(t *testing.T) {
	s := redistest.Start(t)
	a, b := reside(t, s.URL(), "a"), reside(t, s.URL(), "b")
	eventually(t, "both are there", func() bool { return strings.HasSuffix(a.heard(), "+b") })
	a.forget()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a hears that b has gone", func() bool { return a.heard() == "-b" })
	eventually(t, "a is alone", func() bool {
		return a.wrong(t, map[channel.Topic]int{hall: 2, news: 3, b.own(): 0}, "a", "both") == ""
	})
}

// The mark of a dead node goes when the cluster has forgotten the node, and not
// before.
func TestMarkOfTheDeadGoes(t *testing.T) {
	s := redistest.Start(t)
	a, b := reside(t, s.URL(), "a"), reside(t, s.URL(), "b")
	name := b.Name()
	b.Abandon()
	mark := func() string { return hashOf(s, redis.Keys+":nodes")[name] }
	eventually(t, "b is reaped", func() bool {
		return a.wrong(t, nil, "a", "both") == "" && s.Do("SCARD", redis.ControlKeys+":reap") == int64(0)
	})
	for range 20 { // passes, or nearly so
		if mark() != "dead" {
			t.Fatal("the mark is gone while b might come back")
		}
		<-time.After(20 * time.Millisecond)
	}
	s.Do("HSET", redis.ControlKeys+":dead", name, 1) // it died long ago
	eventually(t, "the mark is gone", func() bool { return mark() == "" })
}

// A dead node is reaped, too, when Redis has lost that it had a lease, or that it
// was being reaped.
func TestForgottenNodeIsReaped(t *testing.T) {
	for _, c := range []struct {
		name   string
		forget func(s *redistest.Server, name string)
	}{
		{"lease", func(s *redistest.Server, name string) { s.Do("ZREM", redis.ControlKeys+":alive", name) }},
		{"being reaped", func(s *redistest.Server, name string) {
			s.Do("ZREM", redis.ControlKeys+":alive", name)
			s.Do("HSET", redis.Keys+":nodes", name, "dead")
			s.Do("HSET", redis.ControlKeys+":dead", name, "99999999999999")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := redistest.Start(t)
			a, b := reside(t, s.URL(), "a"), reside(t, s.URL(), "b")
			eventually(t, "both are there", func() bool { return strings.HasSuffix(a.heard(), "+b") })
			a.forget()
			b.Abandon()
			c.forget(s, b.Name())
			eventually(t, "b is reaped", func() bool {
				return a.wrong(t, map[channel.Topic]int{hall: 2, news: 3, b.own(): 0}, "a", "both") == ""
			})
			if got := a.heard(); got != "-b" {
				t.Errorf("a is told %q, want -b", got)
			}
		})
	}
}

// What keeps the reaper from its work is logged, and not each time.
func TestReaperSaysOnceWhatIsWrong(t *testing.T) {
	s := redistest.Start(t)
	s.Do("SET", redis.Keys+":due", "not what it should be")
	log := new(lines)
	n, err := redis.New(config(s), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	n.Changes(func(presence.Change) {})
	launch(t, n)
	eventually(t, "it is logged", func() bool { return log.count("WRONGTYPE") > 0 })
	other, err := redis.New(config(s), logger(t))
	if err != nil {
		t.Fatal(err)
	}
	other.Changes(func(presence.Change) {})
	other.Occupancy().Start(func(occupancy.Change) {})
	if err := other.Broker().Start(func(broker.Message) error { return nil }); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other has come", func() bool { return n.Stats().Nodes == 2 })
	other.Abandon()
	eventually(t, "it is reaped all the same", func() bool { return log.count("node reaped: its lease expired") == 1 })
	if got := log.count("WRONGTYPE"); got != 1 {
		t.Errorf("it is logged %d times", got)
	}
	s.Do("DEL", redis.Keys+":due")
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.all.String(), what)
}
