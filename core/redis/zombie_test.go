package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// follow starts a node that hears of a topic, and returns what it tells of it.
func follow(t *testing.T, url string, lease time.Duration, topic channel.Topic) (*redis.Node, <-chan presence.Change) {
	t.Helper()
	c := redis.DefaultConfig
	c.URL, c.Lease = url, lease
	n, err := redis.New(c, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan presence.Change, 100)
	n.Changes(func(ch presence.Change) { told <- ch })
	n.Occupancy().Start(occupancy.Change.Settled)
	if err := n.Broker().Start(func(broker.Message) error { return nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Abandon)
	if err := n.Broker().Subscribe(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	return n, told
}

// next waits for what is told next of a user who has come or gone.
func next(t *testing.T, told <-chan presence.Change, user string, came bool) presence.Change {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case c := <-told:
			if c.UserID == user && c.Came == came {
				return c
			}
		case <-limit:
			t.Fatalf("nothing is told of %s, came %v", user, came)
		}
	}
}

// A client whose node was taken for dead is told that its user has gone: so it
// must be told, too, that the user is back.
func TestZombieTellsItsOwn(t *testing.T) {
	s := redistest.Start(t)
	proxy := redistest.NewProxy(t, s)
	topic := channel.Topic{App: "1", Channel: "presence-a"}
	zombie, told := follow(t, proxy.URL(), lease, topic)
	witness, seen := follow(t, s.URL(), lease, topic)
	enter := func(n *redis.Node, socket, user string) {
		err := n.Enter(context.Background(), topic, socket, presence.Member{UserID: user}, 0, func([]presence.Member) {})
		if err != nil {
			t.Fatal(err)
		}
	}
	enter(witness, "1.1", "witness")
	enter(zombie, "2.2", "undead")
	next(t, seen, "undead", true)
	proxy.Hang()
	next(t, seen, "undead", false)
	proxy.Heal()
	next(t, told, "undead", false)
	if c := next(t, told, "undead", true); c.Except != "" {
		t.Errorf("all are told but %s, which was told of the going", c.Except)
	}
}
