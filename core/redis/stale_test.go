package redis_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// A snapshot that was taken before messages came again is not what the copy
// becomes, even if it arrives first.
func TestSnapshotFromBefore(t *testing.T) {
	s := redistest.Start(t)
	proxy := redistest.NewProxy(t, s)
	topic := channel.Topic{App: "1", Channel: "presence-a"}
	other, _ := follow(t, s.URL(), time.Minute, topic)
	n, told := follow(t, proxy.URL(), time.Minute, topic)
	enter := func(n *redis.Node, socket, user string) {
		err := n.Enter(context.Background(), topic, socket, presence.Member{UserID: user}, 0, func([]presence.Member) {})
		if err != nil {
			t.Error(err)
		}
	}
	enter(n, "0.0", "keeper")

	taken := make(chan int, 10)
	before, after := make(chan struct{}), make(chan struct{})
	n.HoldSnapshots(func(number int) <-chan struct{} {
		taken <- number
		if number == 1 {
			return before
		}
		return after
	})
	s.KillPubSub() // so that a snapshot is taken
	<-taken
	proxy.Cut()
	enter(other, "1.1", "late")
	proxy.Heal()
	<-taken
	close(before)
	select { // the first must have been thrown away, of which there is no sign
	case c := <-told:
		t.Errorf("%+v is told of", c)
	case <-time.After(200 * time.Millisecond):
	}
	close(after)
	next(t, told, "late", true)
}

// A node that Redis has forgotten, and knows again, is not answerable for calls
// from before.
func TestCallsFromBeforeRedisWasEmpty(t *testing.T) {
	s := redistest.Start(t)
	topic := channel.Topic{App: "1", Channel: "public-a"}
	n, _ := follow(t, s.URL(), time.Minute, topic)
	for i := range 20 {
		n.Count(topic, i%2)
		if _, err := n.Subscriptions(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	s.FlushAll()
	n.Count(topic, 1)
	waitFor(t, func() bool {
		count, err := n.Subscriptions(t.Context(), topic)
		return err == nil && count == 1
	})
	if err := n.LateCall(19, "1\x00public-a", 7); err == nil || !strings.Contains(err.Error(), "STALE") {
		t.Errorf("a call from before is done: %v", err)
	}
}

// waitFor waits until something is so.
func waitFor(t *testing.T, so func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !so(); {
		if time.Now().After(limit) {
			t.Fatal("it never came to what the test waits for")
		}
		<-time.After(5 * time.Millisecond)
	}
}
