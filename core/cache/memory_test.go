package cache_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
)

var topic = channel.Topic{App: "app", Channel: "cache-a"}

func TestMemory(t *testing.T) {
	now := time.Unix(1000, 0)
	m := &cache.Memory{Now: func() time.Time { return now }}
	put := func(name string) {
		t.Helper()
		if err := m.Put(t.Context(), topic, cache.Event{Name: name, Data: []byte(`"1"`)}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	want := func(topic channel.Topic, name string, left time.Duration) {
		t.Helper()
		e, ttl, ok, err := m.Get(t.Context(), topic)
		if err != nil || e.Name != name || ttl != left || ok != (name != "") {
			t.Errorf("Get = %q for %v, %v, %v, want %q for %v", e.Name, ttl, ok, err, name, left)
		}
	}
	want(topic, "", 0)
	put("one")
	now = now.Add(20 * time.Second)
	want(topic, "one", 40*time.Second)
	want(channel.Topic{App: "other", Channel: topic.Channel}, "", 0)
	put("two") // starts its own time
	want(topic, "two", time.Minute)
	now = now.Add(time.Minute)
	want(topic, "", 0)
}

// What nobody asks for any more is dropped all the same.
func TestMemoryDropsTheExpired(t *testing.T) {
	now := time.Unix(1000, 0)
	m := &cache.Memory{Now: func() time.Time { return now }}
	for i := range 100_000 {
		now = now.Add(time.Second)
		if err := m.Put(t.Context(), channel.Topic{Channel: fmt.Sprint(i)}, cache.Event{Name: "e"}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if n := m.Len(); n > 2048 {
		t.Errorf("%d events are kept, of which 60 have not expired", n)
	}
}
