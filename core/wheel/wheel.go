// Package wheel calls tasks when their time has come, to the precision of a
// tick: one goroutine and one ticker for any number of them.
//
// It does not know what the tasks do.
package wheel

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Task is something that has to be looked at now and then. Check does what is
// due at now, and returns when it wants to be called again; 0 is never. It may
// be called earlier than it asked for. It must not block: all tasks of a wheel
// share one goroutine.
type Task interface {
	Check(now time.Duration) (next time.Duration)
}

// slots is how many ticks the wheel takes to turn. No task waits longer than
// that, however late it wants to be called: so a task that is over is let go
// of soon, which matters more than the few calls that it costs.
const slots = 16

// keep is how many entries a slot may have room for while it is empty.
const keep = 4096

// Wheel is a clock and the tasks that wait for it. Its times are those since
// it was made. All methods may be called concurrently.
type Wheel struct {
	// Panicked, if not nil, is told of what a task panicked with; the task is
	// not called again. It is set before Run.
	Panicked func(reason any)

	// Static after construction.
	start time.Time
	tick  time.Duration

	now     atomic.Int64
	turning sync.Mutex // held by Advance; taken before mu

	mu   sync.Mutex // guards what follows
	turn int64      // ticks that are over
	ring [slots][]Task
}

// New returns a wheel that has not begun to turn. The tick is its precision:
// a task is called up to one tick late.
func New(tick time.Duration) *Wheel {
	return &Wheel{start: time.Now(), tick: tick}
}

// Now is the time since the wheel was made, as of the last tick. It costs next
// to nothing.
func (w *Wheel) Now() time.Duration { return time.Duration(w.now.Load()) }

// Add has t called at the given time, or up to a turn of the wheel earlier,
// and from then on when t says.
func (w *Wheel) Add(at time.Duration, t Task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(at, t)
}

func (w *Wheel) add(at time.Duration, t Task) {
	due := int64((at + w.tick - 1) / w.tick)
	due = min(max(due, w.turn+1), w.turn+slots-1)
	slot := &w.ring[due%slots]
	*slot = append(*slot, t)
}

// Run turns the wheel by the system's monotonic clock until ctx is done.
func (w *Wheel) Run(ctx context.Context) {
	ticker := time.NewTicker(w.tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.Advance(time.Since(w.start))
		}
	}
}

// Advance turns the wheel to now and calls the tasks that are due. A now that
// is not after Now has no effect. Run calls it; tests may do so instead.
func (w *Wheel) Advance(now time.Duration) {
	w.turning.Lock()
	defer w.turning.Unlock()
	if now <= w.Now() {
		return
	}
	w.now.Store(int64(now))
	for {
		due, ok := w.next(int64(now / w.tick))
		if !ok {
			return
		}
		w.check(due, now)
	}
}

// next takes the tasks of the next tick, unless until ticks are over. When the
// wheel was stopped for longer than a turn, it does not make up for the ticks
// in which it would have found nothing.
func (w *Wheel) next(until int64) (due []Task, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn = max(w.turn, until-slots)
	if w.turn >= until {
		return nil, false
	}
	w.turn++
	slot := &w.ring[w.turn%slots]
	due, *slot = *slot, nil
	return due, true
}

func (w *Wheel) check(due []Task, now time.Duration) {
	for i, t := range due {
		due[i] = nil
		if next := w.checkOne(t, now); next > 0 {
			w.Add(next, t)
		}
	}
	w.giveBack(due[:0])
}

// giveBack lets the slot whose turn it was use its memory again.
func (w *Wheel) giveBack(due []Task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slot := &w.ring[w.turn%slots]; *slot == nil && cap(due) <= keep {
		*slot = due
	}
}

func (w *Wheel) checkOne(t Task, now time.Duration) (next time.Duration) {
	defer func() {
		if reason := recover(); reason != nil {
			next = 0
			if w.Panicked != nil {
				w.Panicked(reason)
			}
		}
	}()
	return t.Check(now)
}
