package hooks

import (
	"sync"
	"sync/atomic"
	"time"
)

// BreakerState is whether a plugin is called at all.
type BreakerState int32

// The states of a breaker.
const (
	Closed  BreakerState = iota // it is called
	Probing                     // one call decides whether it is called again
	Open                        // it has failed too often, and is left alone for a while
)

var breakerNames = [...]string{"closed", "probing", "open"}

// String returns the name of s, as "open".
func (s BreakerState) String() string { return breakerNames[s] }

const (
	tripRow    = 5  // failures one after the other that open a breaker
	tripWindow = 20 // calls since the first failure, of which half open it, too

	minPause = time.Second
	maxPause = time.Minute
)

// breaker spares the server a plugin that keeps failing. While it does not fail,
// nobody writes to the breaker. The zero value is closed.
type breaker struct {
	state    atomic.Int32
	troubled atomic.Bool // there has been a failure that is not forgotten

	mu       sync.Mutex // guards what follows
	row      int        // failures one after the other
	calls    int        // since the first failure
	failures int        // among them
	pause    time.Duration
	until    time.Time // when the pause is over
}

// State is the state of the breaker.
func (b *breaker) State() BreakerState { return BreakerState(b.state.Load()) }

// allow reports whether the plugin may be called now, and whether that call is
// the probe. The caller tells how it has ended with done, or with withdraw.
func (b *breaker) allow() (probe, ok bool) {
	if b.State() == Closed {
		return false, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.State() != Open || time.Now().Before(b.until) {
		return false, b.State() == Closed
	}
	b.state.Store(int32(Probing))
	return true, true
}

// withdraw says that nothing has been called after all.
func (b *breaker) withdraw(probe bool) {
	if probe {
		b.state.Store(int32(Open)) // nobody else changes it while it is Probing
	}
}

// done notes how a call has ended, and reports whether that has opened the
// breaker, and for how long.
func (b *breaker) done(probe, failed bool) (pause time.Duration, opened bool) {
	if !failed && !b.troubled.Load() {
		return 0, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case probe && failed:
		return b.open(), true
	case probe:
		b.reset()
		return 0, false
	case b.State() != Closed: // the call is from before: the probe alone decides
		return 0, false
	}
	b.calls++
	b.row++
	if failed {
		b.troubled.Store(true)
		b.failures++
	} else {
		b.row = 0
	}
	full := b.calls >= tripWindow
	switch {
	case b.row >= tripRow || full && 2*b.failures >= b.calls:
		return b.open(), true
	case full && !failed:
		b.reset()
	case full:
		b.calls, b.failures = 0, 0
	}
	return 0, false
}

// open leaves the plugin alone, for twice as long as the last time.
func (b *breaker) open() (pause time.Duration) {
	b.row, b.calls, b.failures = 0, 0, 0
	b.pause = min(max(2*b.pause, minPause), maxPause)
	b.until = time.Now().Add(b.pause)
	b.state.Store(int32(Open))
	return b.pause
}

// reset forgets all failures.
func (b *breaker) reset() {
	b.row, b.calls, b.failures, b.pause = 0, 0, 0, 0
	b.troubled.Store(false)
	b.state.Store(int32(Closed))
}
