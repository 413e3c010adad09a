package clustertest

import (
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// masterFaults are those of a Redis where another server takes over.
var masterFaults = map[Fault]faulty{
	Planned: {func(c *cluster) func() {
		c.busy(part)
		p := c.place.(replicated)
		for _, master := range p.masters() {
			p.promote(master)
		}
		c.after()
		return nil
	}},
	Killed: {func(c *cluster) func() {
		c.busy(part)
		p := c.place.(replicated)
		master := c.master()
		c.risk(master.Kill)
		p.promoted(master)
		c.after()
		return func() { p.rejoin(master) }
	}},
	Hung: {func(c *cluster) func() {
		c.busy(part)
		p := c.place.(replicated)
		master := c.master()
		c.risk(master.Pause)
		p.promoted(master)
		c.over()
		c.lasts(500*time.Millisecond, 10*time.Second)
		master.Resume() // and still takes itself for the master
		p.returned(master)
		c.after()
		return nil
	}},
	Moved: {func(c *cluster) func() {
		c.busy(part)
		p := c.place.(sharded)
		masters := p.masters()
		for range 3 {
			to := masters[c.random.IntN(len(masters))]
			part := c.Parts[c.random.IntN(len(c.Parts))]
			p.MoveSlot(p.Slot(part), to)
			c.busy(100)
		}
		// The node's own keys are in a slot, too.
		p.MoveSlot(p.Slot(c.Control), masters[c.random.IntN(len(masters))])
		c.after()
		return nil
	}},
}

// master is any of them.
func (c *cluster) master() *redistest.Server {
	masters := c.place.masters()
	return masters[c.random.IntN(len(masters))]
}
