package occupancy_test

import (
	"testing"
	"testing/synctest"
	"time"

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
