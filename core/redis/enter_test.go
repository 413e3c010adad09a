package redis_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// Whoever enters on one node when its user has just left another is in a list that
// knows of both: it does not hear afterwards that its user has left.
func TestEnterAfterLeavingElsewhere(t *testing.T) {
	s := redistest.Start(t)
	topic := channel.Topic{App: "1", Channel: "presence-a"}
	other, _ := follow(t, s.URL(), time.Minute, topic)

	c := redis.DefaultConfig
	c.URL, c.Lease = s.URL(), time.Minute
	n, err := redis.New(c, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	var entered atomic.Bool
	told := make(chan presence.Change, 100)
	held, release := make(chan bool), make(chan bool)
	n.Changes(func(ch presence.Change) {
		if entered.Load() && ch.UserID == "u" {
			t.Errorf("%+v is told of to who has entered after it", ch)
		}
		told <- ch
	})
	n.Occupancy().Start(occupancy.Change.Settled)
	err = n.Broker().Start(func(broker.Message) error { // nothing comes until it returns
		held <- true
		<-release
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Abandon)
	if err := n.Broker().Subscribe(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	enter := func(n *redis.Node, socket, user string, in func([]presence.Member)) {
		if err := n.Enter(context.Background(), topic, socket, presence.Member{UserID: user}, 0, in); err != nil {
			t.Error(err)
		}
	}
	enter(n, "1.1", "keeper", func([]presence.Member) {})
	enter(other, "2.2", "u", func([]presence.Member) {})
	next(t, told, "u", true)

	if err := other.Broker().Publish(t.Context(), broker.Message{Topic: topic, Frame: frame.Text([]byte("stop"))}); err != nil {
		t.Fatal(err)
	}
	<-held
	other.Depart(t.Context(), topic, "2.2", "u")
	in := make(chan bool)
	go func() {
		enter(n, "3.3", "u", func([]presence.Member) { entered.Store(true) })
		close(in)
	}()
	select { // it should not be in, so what waits is no sign of it
	case <-in:
	case <-time.After(500 * time.Millisecond):
	}
	close(release)
	<-in
	enter(other, "4.4", "last", func([]presence.Member) {})
	next(t, told, "last", true)
}
