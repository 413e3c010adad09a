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

// allow reports whether the plugin may be called now. The caller tells the
// outcome with success or failure.
func (b *breaker) allow() bool {
	if b.State() == Closed {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.State() != Open || time.Now().Before(b.until) {
		return b.State() == Closed
	}
	b.state.Store(int32(Probing))
	return true
}

func (b *breaker) success() {
	if !b.troubled.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.row = 0
	b.calls++
	if b.State() == Probing || b.calls >= tripWindow {
		b.reset()
	}
}

// reset forgets all failures.
func (b *breaker) reset() {
	b.row, b.calls, b.failures, b.pause = 0, 0, 0, 0
	b.troubled.Store(false)
	b.state.Store(int32(Closed))
}

// failure reports whether it has opened the breaker, and for how long.
func (b *breaker) failure() (pause time.Duration, opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubled.Store(true)
	b.row++
	b.calls++
	b.failures++
	probing := b.State() == Probing
	trip := b.row >= tripRow || b.calls >= tripWindow && 2*b.failures >= b.calls
	if b.State() == Open || !probing && !trip {
		if b.calls >= tripWindow {
			b.calls, b.failures = 0, 0
		}
		return 0, false
	}
	b.row, b.calls, b.failures = 0, 0, 0
	b.pause = min(max(2*b.pause, minPause), maxPause)
	b.until = time.Now().Add(b.pause)
	b.state.Store(int32(Open))
	return b.pause, true
}
