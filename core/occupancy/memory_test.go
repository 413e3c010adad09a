package occupancy_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/occupancy/occupancytest"
)

// The time of a synctest bubble passes at once.
func TestMemory(t *testing.T) {
	occupancytest.Run(t, synctest.Test, func(*testing.T) (occupancy.Tracker, func(time.Duration)) {
		return new(occupancy.Memory), func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
	})
}

// The grace is what one says it is.
func TestMemoryGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &occupancy.Memory{Grace: time.Minute}
		var gone atomic.Int32
		m.Start(func(c occupancy.Change) {
			if !c.Came {
				gone.Add(1)
			}
		})
		topic := channel.Topic{App: "app", Channel: "c"}
		if err := errors.Join(m.Join(t.Context(), topic, ""), m.Leave(t.Context(), topic, "")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - time.Millisecond)
		synctest.Wait()
		if gone.Load() != 0 {
			t.Error("who has gone is told before the grace is over")
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if n := gone.Load(); n != 1 {
			t.Errorf("who has gone is told %d times, want once", n)
		}
	})
}
