package redis_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/redis/redistest"
)

// An event that was sent to nobody, because the node had not come yet, is no sign of
// another server: the connection for messages stays.
func TestComingAfterAnEventIsNoSign(t *testing.T) {
	r := redistest.Start(t)
	a := serve(t, r.URL())
	var wg sync.WaitGroup
	for i := range 1000 {
		topic := channel.Topic{App: "app", Channel: fmt.Sprint("c-", i)}
		publish := func() {
			m := broker.Message{Topic: topic, Frame: frame.Text([]byte("x"))}
			if err := a.Broker().Publish(t.Context(), m); err != nil {
				t.Error(err)
			}
		}
		wg.Go(func() {
			publish()
			publish()
		})
		wg.Go(publish)
		if err := a.Broker().Subscribe(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	if n := a.Stats().Resubs; n > 0 {
		t.Errorf("the connection was made anew %d times", n)
	}
}

// A client that has no time left takes nothing from the others.
func TestSubscriberWithoutTimeLeavesConnectionAlone(t *testing.T) {
	r := redistest.Start(t)
	a := serve(t, r.URL())
	if err := a.Broker().Subscribe(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	late, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	_ = a.Broker().Subscribe(late, quiet)
	_ = a.Broker().Unsubscribe(late, quiet)
	if err := a.Broker().Subscribe(t.Context(), channel.Topic{App: "app", Channel: "next"}); err != nil {
		t.Fatal(err)
	}
	if n := a.Stats().Resubs; n > 0 {
		t.Errorf("the connection was made anew %d times", n)
	}
}
