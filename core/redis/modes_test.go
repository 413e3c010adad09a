package redis_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/broker/brokertest"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/presence/presencetest"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
	"github.com/revurb/revurb/core/user"
	"github.com/revurb/revurb/core/user/usertest"
)

// run starts a node, which hands what it hears to hear.
func run(t *testing.T, c redis.Config, hear func(broker.Message)) *redis.Node {
	t.Helper()
	n, err := redis.New(c, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	n.Changes(func(presence.Change) {})
	n.Occupancy().Start(occupancy.Change.Settled)
	if err := n.Broker().Start(func(m broker.Message) error { hear(m); return nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() }) // Redis may have failed for good
	return n
}

// A Redis Cluster keeps all promises, too.
func TestRedisCluster(t *testing.T) {
	s := redistest.StartCluster(t, 3)
	c := redis.DefaultConfig
	c.Cluster, c.Lease = s.Addrs(), lease
	other := 0
	fresh := func(t *testing.T) redis.Config { // the keys of one check are not those of the next
		other++
		c := c
		c.Prefix = fmt.Sprint("check", other)
		return c
	}
	quiet := func(broker.Message) {}
	t.Run("broker", func(t *testing.T) {
		brokertest.Run(t, func(t *testing.T) broker.Broker {
			n, err := redis.New(fresh(t), logger(t))
			if err != nil {
				t.Fatal(err)
			}
			return n.Broker()
		})
	})
	t.Run("members", func(t *testing.T) {
		presencetest.Run(t, func(t *testing.T) presence.Members { return run(t, fresh(t), quiet).Members() })
	})
	t.Run("users", func(t *testing.T) {
		usertest.Run(t, func(t *testing.T) user.Users { return run(t, fresh(t), quiet).Users() })
	})
	t.Run("cache", func(t *testing.T) {
		n := run(t, fresh(t), quiet)
		for i := range 20 { // in several partitions
			topic := channel.Topic{App: "app", Channel: fmt.Sprint("cache-", i)}
			m := broker.Message{Topic: topic, Frame: frame.Text([]byte("f"))}
			if err := n.PublishCached(t.Context(), m, cache.Event{Name: "e", Data: json.RawMessage(fmt.Sprint(i))}, time.Minute); err != nil {
				t.Fatal(err)
			}
			e, _, ok, err := n.Cache().Get(t.Context(), topic)
			if err != nil || !ok || string(e.Data) != fmt.Sprint(i) {
				t.Errorf("%s: got %+v, %v, %v", topic.Channel, e, ok, err)
			}
		}
	})
}

// A master that hangs is replaced, and nodes hear one another again: the
// connections to the one that hangs are still open.
func TestSentinelFailover(t *testing.T) {
	s := redistest.StartSentinel(t, 3)
	c := redis.DefaultConfig
	c.Sentinels, c.Master, c.Lease = s.Addrs(), redistest.MasterName, lease
	var mu sync.Mutex
	heard := map[string]bool{}
	a := run(t, c, func(broker.Message) {})
	b := run(t, c, func(m broker.Message) {
		mu.Lock()
		defer mu.Unlock()
		heard[string(m.Frame.Payload())] = true
	})
	topic := channel.Topic{App: "app", Channel: "news"}
	if err := b.Broker().Subscribe(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	number := 0
	arrives := func() bool {
		number++
		text := fmt.Sprint(number)
		err := a.Broker().Publish(t.Context(), broker.Message{Topic: topic, Frame: frame.Text([]byte(text))})
		for end := time.Now().Add(200 * time.Millisecond); err == nil && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			ok := heard[text]
			mu.Unlock()
			if ok {
				return true
			}
		}
		return false
	}
	for end := time.Now().Add(20 * time.Second); !arrives(); {
		if time.Now().After(end) {
			t.Fatal("nothing arrives at all")
		}
	}
	old := s.Master()
	old.Pause()
	hung := time.Now()
	s.WaitPromoted(old)
	promoted := time.Now()
	for !arrives() {
		if time.Since(hung) > 60*time.Second {
			t.Fatal("nothing arrives after a failover")
		}
	}
	t.Logf("promoted after %v, delivered again %v after that", promoted.Sub(hung), time.Since(promoted))
}
