package redis_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/redis/redistest"
)

func TestCache(t *testing.T) {
	s := redistest.Start(t)
	a, b := start(t, s), start(t, s)
	topic := channel.Topic{App: "app", Channel: "cache-news"}
	e := cache.Event{Name: "e", Data: json.RawMessage(`"x"`)}
	if err := a.Cache().Put(t.Context(), topic, e, time.Minute); err != nil {
		t.Fatal(err)
	}
	m := broker.Message{Topic: topic, Frame: frame.Text([]byte("f"))}
	if err := a.PublishCached(t.Context(), m, e, time.Minute); err != nil {
		t.Fatal(err)
	}
	got, ttl, ok, err := b.Cache().Get(t.Context(), topic)
	if err != nil || !ok || got.Name != "e" || string(got.Data) != `"x"` || ttl <= 0 || ttl > time.Minute {
		t.Errorf("got %+v, %v, %v, %v", got, ttl, ok, err)
	}
}

// A limit is one of all nodes together.
func TestAllow(t *testing.T) {
	s := redistest.Start(t)
	a, b := start(t, s), start(t, s)
	const rate = 20
	passed := 0
	for i := range 3 * rate {
		n := a
		if i%2 == 0 {
			n = b
		}
		wait, ok, err := n.Allow(t.Context(), "app", "publish", 1, rate)
		if err != nil || !ok && (wait <= 0 || wait > time.Second) {
			t.Fatalf("got %v, %v, %v", wait, ok, err)
		}
		if ok {
			passed++
		}
	}
	if passed < rate || passed > rate+rate/2 {
		t.Errorf("%d of %d passed at once, want some %d", passed, 3*rate, rate)
	}
	if _, ok, err := a.Allow(t.Context(), "other", "publish", 5*rate, rate); !ok || err != nil {
		t.Errorf("a first batch, larger than the rate, of another app: %v, %v", ok, err)
	}
}
