package redis

import (
	"sync/atomic"
	"time"
)

// tenure is the time for which a node holds an outbox. It ends with the lease, by the
// clock of the node, which began to count before Redis did: so a node that was paused
// knows that it is over before it has asked anyone, and the next one has not begun.
type tenure struct {
	begun time.Time
	until atomic.Int64 // nanoseconds after begun
	ended atomic.Bool
}

func newTenure() *tenure { return &tenure{begun: time.Now()} }

func (t *tenure) extend(until time.Time) { t.until.Store(int64(until.Sub(t.begun))) }

func (t *tenure) end() { t.ended.Store(true) }

// over reports whether the tenure has ended. Then it has for good, even if a call
// that would have made it longer comes late: who has seen that it is over has left
// out an event, and those that follow it must not be told either.
func (t *tenure) over() bool {
	if !t.ended.Load() && int64(time.Since(t.begun)) >= t.until.Load() {
		t.ended.Store(true)
	}
	return t.ended.Load()
}
