package redis_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// Scripts name all keys that they touch, in KEYS: a Redis Cluster that moves some
// of them says so then, where it would take them for missing. A new script needs
// a line here that has it run.
func TestScriptsNameTheirKeys(t *testing.T) {
	s := redistest.Start(t)
	check := redis.KeyCheck{Exempt: []string{"cache", "renew", "claim", "allow"}}
	defer func() { // after a step that fails for that, too
		if all := check.Undeclared(); len(all) > 0 {
			t.Errorf("these touch keys that they do not name:\n%q", all)
		}
	}()
	watched := func(name string) *resident {
		return resideWith(t, s.URL(), name, func(n *redis.Node) {
			n.AuditEvery(50 * time.Millisecond)
			check.Watch(n)
		})
	}
	a, b := watched("a"), watched("b")
	cached := channel.Topic{App: "app", Channel: "cache-a"}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"members come, and are heard of", func() error {
			eventually(t, "both are there", func() bool { return strings.HasSuffix(a.heard(), "+b") })
			return nil
		}},
		{"a channel is full", func() error {
			a.fill("too many")
			return nil
		}},
		{"an event is published and kept", func() error {
			m := broker.Message{Topic: cached, Frame: frame.Text([]byte("f"))}
			return a.PublishCached(t.Context(), m, cache.Event{Name: "e", Data: json.RawMessage("1")}, time.Minute)
		}},
		{"an event is kept, and a log is read", func() error {
			if _, err := a.Broker().Read(t.Context(), cached, broker.Position{}, 1); err != nil {
				return err
			}
			return a.Cache().Put(t.Context(), cached, cache.Event{Name: "e", Data: json.RawMessage("1")}, time.Minute)
		}},
		{"a client is admitted", func() error {
			if !a.Admit(t.Context(), "app", 1) {
				return errors.New("it is not")
			}
			return nil
		}},
		{"a limit is looked at", func() error {
			_, _, err := a.Allow(t.Context(), "app", "events", 1, 10)
			return err
		}},
		{"Redis loses some, and it is mended", func() error {
			s.Do("DEL", redis.Keys+":tot", redis.Keys+":p:app\x00presence-hall")
			a.leave("a")
			a.come("a")
			eventually(t, "it is mended", func() bool {
				return a.wrong(t, map[channel.Topic]int{hall: 4}, "a", "b", "both") == ""
			})
			return nil
		}},
		{"Redis loses everything", func() error {
			s.FlushAll()
			eventually(t, "all is said again", func() bool {
				return a.wrong(t, map[channel.Topic]int{hall: 4}, "a", "b", "both") == ""
			})
			return nil
		}},
		{"a node dies, and is reaped", func() error {
			b.Abandon()
			eventually(t, "b is reaped", func() bool {
				return a.wrong(t, map[channel.Topic]int{hall: 2}, "a", "both") == ""
			})
			return nil
		}},
		{"all leave, and what is due is told", func() error {
			a.leave("a")
			a.leave("both")
			for _, topic := range []channel.Topic{hall, news, a.own()} {
				a.Count(topic, 0)
			}
			return a.Occupancy().Flush(context.Background())
		}},
		{"a node says goodbye", a.Close},
	} {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
	}
	if all := check.Unseen(); len(all) > 0 {
		t.Errorf("nothing here has these scripts run: %v", all)
	}
}
