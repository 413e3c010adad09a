package clustertest

import (
	"math/rand/v2"
	"sync"
	"time"
)

// round is the time of one fault, from when all agree until they do so again.
type round struct {
	fault Fault
	begun time.Time
	first int64 // the time of the cluster at which it began

	mu       sync.Mutex // guards what follows
	healed   time.Time  // when the fault was over
	accepted []event
	refused  int
	slowest  time.Duration // answer to somebody who published
	again    time.Duration // from the end of the fault until an event was accepted that came after it

	// Owned by the goroutine that runs the rounds.
	losses  []span
	said    map[*node]uint64 // how many events nodes said were lost, before the round
	lost    int              // events that Redis has lost
	counted uint64           // events that nodes say are lost
	twice   int
}

// event is one that was accepted.
type event struct {
	id      int64 // the time at which somebody began to publish it
	channel string
	except  *client
	begun   time.Time
	done    time.Time
}

// span is a time in which Redis may have accepted what it has lost since.
type span struct{ from, till time.Time }

// strike has the clients busy while a fault comes and goes, and judges.
func (c *cluster) strike(f Fault) {
	r := &round{fault: f, begun: time.Now(), first: c.clock.Load(), said: c.said()}
	c.current.Store(r)
	ops := c.ops.Load()
	c.trouble.Store(f != None)
	c.outbox.shake(f, false)
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for _, n := range c.nodes {
		n.alone.Store(false)
		for _, cl := range n.clients {
			if cl.stays {
				continue
			}
			random := rand.New(rand.NewPCG(c.Seed, c.random.Uint64()))
			busy.Go(func() { c.work(cl, random, stop) })
		}
	}
	undo := faults[f].strike(c)
	close(stop)
	busy.Wait()
	if undo != nil {
		undo()
	}
	if r.healed.IsZero() {
		r.healed = time.Now()
	}
	_, replaced := masterFaults[f]
	if replaced {
		c.outbox.doubt() // what an old master was told last is nowhere else
	}
	c.store.forget()
	c.judge()
	if replaced {
		c.outbox.doubt()
	}
	if c.amnesia {
		c.outbox.forget() // what was on its way when Redis lost it has come by now
		c.amnesia = false
	}
	c.outbox.shake(f, true)
	c.trouble.Store(false)
	c.report.add(r, time.Since(r.healed))
	c.tb.Logf("round %d, %s: %d operations, %d events accepted, %d refused, %d lost, the slowest answer after %v; over after %v, accepted again %v later, all agreed %v later",
		c.report.Rounds, f, c.ops.Load()-ops, len(r.accepted), r.refused, r.lost, r.slowest.Round(time.Millisecond),
		r.healed.Sub(r.begun).Round(time.Millisecond), r.again.Round(time.Millisecond), time.Since(r.healed).Round(time.Millisecond))
	for len(c.nodes) < c.Nodes {
		c.start()
	}
}

// over notes that the fault is over: from now on all should be well again.
func (c *cluster) over() {
	r := c.current.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.healed = time.Now()
}

// answered notes what became of an event, and how long that took.
func (r *round) answered(e event, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slowest = max(r.slowest, e.done.Sub(e.begun))
	if !ok {
		r.refused++
		return
	}
	r.accepted = append(r.accepted, e)
	if r.again == 0 && !r.healed.IsZero() && e.begun.After(r.healed) {
		r.again = e.done.Sub(r.healed)
	}
}

// risk does what may cost Redis events that it has accepted a moment ago.
func (c *cluster) risk(fault func()) {
	s := span{from: time.Now().Add(-time.Second)}
	fault()
	s.till = time.Now()
	c.outbox.doubt()
	r := c.current.Load()
	r.losses = append(r.losses, s)
}

// excused reports whether Redis may have lost an event itself.
func (r *round) excused(e event) bool {
	for _, s := range r.losses {
		if e.done.After(s.from) && e.begun.Before(s.till) {
			return true
		}
	}
	return false
}

// said is how many events each node says are lost, since it began.
func (c *cluster) said() map[*node]uint64 {
	if c.Lost == nil {
		return nil
	}
	m := map[*node]uint64{}
	for _, n := range c.nodes {
		m[n] = c.Lost(n.redis)
	}
	return m
}
