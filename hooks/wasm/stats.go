package wasm

import (
	"errors"
	"runtime"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// Outcome is what became of a call.
type Outcome int

// The outcomes: those of the statuses, and the failures.
const (
	Continued Outcome = iota
	Allowed
	Denied
	Replaced
	Dropped
	TimedOut
	Failed

	outcomes
)

var outcomeNames = [outcomes]string{"continue", "allow", "deny", "replace", "drop", "timeout", "failure"}

// String returns the name of o, as "deny".
func (o Outcome) String() string { return outcomeNames[o] }

func outcome(v *hooks.Verdict, err error) Outcome {
	switch {
	case err == nil:
		return Outcome(v.Status)
	case errors.Is(err, ErrDeadline):
		return TimedOut
	}
	return Failed
}

// Buckets are the upper bounds of the histogram of call times; beyond the last
// there is one more bucket.
var Buckets = [...]time.Duration{
	100, 250, 500, time.Microsecond, 2500, 5 * time.Microsecond, 10 * time.Microsecond, 25 * time.Microsecond,
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond,
}

// sampleEvery is how many calls are timed: two looks at the clock take longer
// than a short call.
const sampleEvery = 16

// counters are of one slot. Who holds its instance may read and write them.
type counters struct {
	calls  [abi.Hooks][outcomes]uint64
	number uint64 // of calls
	times  [len(Buckets) + 1]uint64
	total  time.Duration // of those that were timed
	yields uint64
}

// sample reports whether this call is timed.
func (c *counters) sample() bool {
	c.number++
	return c.number%sampleEvery == 0
}

func (c *counters) observe(d time.Duration) {
	i := 0
	for i < len(Buckets) && d > Buckets[i] {
		i++
	}
	c.times[i]++
	c.total += d
}

// Stats are what a plugin has done until now.
type Stats struct {
	Calls    [abi.Hooks][outcomes]uint64
	Busy     uint64                   // calls that found no instance
	Times    [len(Buckets) + 1]uint64 // of a call in 16, by Buckets
	Total    time.Duration            // of those
	Yields   uint64
	Idle     int // instances that wait for a call
	Live     int // instances
	Respawns uint64
	Memory   int64  // bytes of all instances
	LogLost  uint64 // lines that were not logged because there were too many
	Loading  []Stage
}

// Stats returns what the plugin has done until now. It looks at each slot when
// nobody else does; of one whose instance is held all the time, it says what it
// was when it looked before.
func (p *Plugin) Stats() Stats {
	p.looking.Lock()
	defer p.looking.Unlock()
	s := Stats{
		Live: int(p.live.Load()), Respawns: p.respawns.Load(), Memory: p.memory.live.Load(),
		LogLost: p.imports.lost.Load(), Loading: p.loading, Busy: p.busy.Load(),
	}
	for i := range p.slots {
		slot := &p.slots[i]
		if slot.x.Load() != nil {
			s.Idle++
		}
		slot.look()
		c := &slot.seen
		for h := range c.calls {
			for o, n := range c.calls[h] {
				s.Calls[h][o] += n
			}
		}
		for b, n := range c.times {
			s.Times[b] += n
		}
		s.Total += c.total
		s.Yields += c.yields
	}
	return s
}

// look copies the counters of a slot, if its instance comes free for a moment.
// Those of a plugin that has gone are nobody's anymore.
func (s *slot) look() {
	const attempts = 1000
	for range attempts {
		x := s.x.Load()
		if x == nil {
			if s.gone.Load() {
				s.seen = s.counters
				return
			}
			runtime.Gosched()
			continue
		}
		if s.x.CompareAndSwap(x, nil) {
			s.seen = s.counters
			x.plugin.release(x)
			return
		}
	}
}

// Add adds what is counted in past, of a plugin that this one has replaced. What
// is there at the moment stays that of s.
func (s *Stats) Add(past Stats) {
	for h := range past.Calls {
		for o, n := range past.Calls[h] {
			s.Calls[h][o] += n
		}
	}
	for i, n := range past.Times {
		s.Times[i] += n
	}
	s.Total += past.Total
	s.Yields += past.Yields
	s.Busy += past.Busy
	s.Respawns += past.Respawns
	s.LogLost += past.LogLost
}
