package wasm

import (
	"errors"
	"sync/atomic"
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
	case errors.Is(err, ErrDeadline):
		return TimedOut
	case err != nil:
		return Failed
	}
	return Outcome(v.Status)
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

// counter has one writer at a time, who need not lock the bus.
type counter struct{ n atomic.Uint64 }

func (c *counter) add(n uint64) { c.n.Store(c.n.Load() + n) }

// counters are of one slot.
type counters struct {
	calls   [abi.Hooks][outcomes]counter
	number  uint64
	times   [len(Buckets) + 1]counter
	seconds counter // in nanoseconds
	yields  counter
	busy    atomic.Uint64 // calls that found no instance; of the first slot
}

func (c *counters) count(h abi.Hook, o Outcome) { c.calls[h][o].add(1) }

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
	c.times[i].add(1)
	c.seconds.add(uint64(d))
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

// Stats returns what the plugin has done until now.
func (p *Plugin) Stats() Stats {
	s := Stats{
		Live: int(p.live.Load()), Respawns: p.respawns.Load(), Memory: p.memory.live.Load(),
		LogLost: p.imports.lost.Load(), Loading: p.loading,
	}
	for i := range p.slots {
		c := &p.slots[i].counters
		if p.slots[i].x.Load() != nil {
			s.Idle++
		}
		for h := range c.calls {
			for o := range c.calls[h] {
				s.Calls[h][o] += c.calls[h][o].n.Load()
			}
		}
		for b := range c.times {
			s.Times[b] += c.times[b].n.Load()
		}
		s.Total += time.Duration(c.seconds.n.Load())
		s.Yields += c.yields.n.Load()
		s.Busy += c.busy.Load()
	}
	return s
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
