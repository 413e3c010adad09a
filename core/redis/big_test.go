package redis_test

import (
	"testing"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// A log of large events has no more bytes than it may, but for the last event.
func TestLogOfLargeEventsIsBounded(t *testing.T) {
	r := redistest.Start(t)
	a := serve(t, r.URL())
	if err := a.Broker().Subscribe(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	const size = 256 << 10
	big := frame.Text(make([]byte, size))
	for range 60 {
		if err := a.Broker().Publish(t.Context(), broker.Message{Topic: quiet, Frame: big}); err != nil {
			t.Fatal(err)
		}
	}
	used, _ := r.Do("MEMORY", "USAGE", redis.Keys+":t:"+quietKey).(int64)
	if most := int64(redis.DefaultConfig.ReplayBytes + 2*size); used > most {
		t.Errorf("the log has %d bytes, and may have %d", used, most)
	}
}
