package clustertest

import (
	"time"
)

// A Fault is what goes wrong in a round.
type Fault string

// The faults.
const (
	None    Fault = "nothing"
	Crash   Fault = "a node crashes"
	Reaper  Fault = "a node crashes, and so does the one that reaps it"
	Zombie  Fault = "a node is silent for longer than its lease, and comes back"
	Deaf    Fault = "Redis closes the connections for messages"
	Hang    Fault = "Redis hangs"
	Restart Fault = "Redis is killed and comes back empty"
	Flush   Fault = "everything in Redis is deleted"
	Late    Fault = "calls are repeated late"
)

// All are the faults of a usual run.
var All = []Fault{None, Crash, Deaf, Late, Zombie, Flush, Reaper, Hang, Restart}

// faulty is how a fault is done: what happens while the clients are busy, and once
// they rest.
type faulty struct {
	strike  func(c *cluster) (undo func())
	lossy   bool // events may be lost
	amnesia bool // Redis loses what it had
}

var faults = map[Fault]faulty{
	None: {strike: func(c *cluster) func() {
		c.busy(2 * part)
		return nil
	}},
	Crash: {strike: func(c *cluster) func() {
		c.busy(part)
		c.crash(c.victim())
		c.busy(part)
		return nil
	}},
	Reaper: {strike: func(c *cluster) func() {
		c.busy(part)
		c.crash(c.victim())
		if len(c.nodes) > 1 {
			n := c.victim()
			c.ReapSome(n.redis)
			c.crash(n)
		}
		c.busy(part)
		return nil
	}},
	Zombie: {lossy: true, strike: func(c *cluster) func() {
		c.busy(part)
		n := c.any()
		n.proxy.Hang()
		c.busyFor(lease + 700*time.Millisecond + time.Duration(c.random.Int64N(int64(1500*time.Millisecond))))
		n.proxy.Heal()
		if c.random.IntN(2) == 0 {
			c.busy(part)
		}
		return nil
	}},
	Deaf: {lossy: true, strike: func(c *cluster) func() {
		for range 4 {
			c.busy(part / 3)
			c.server.KillPubSub()
		}
		c.busy(20)
		return nil
	}},
	Hang: {lossy: true, strike: func(c *cluster) func() {
		c.busy(part)
		c.server.Pause()
		c.busyFor(time.Second + time.Duration(c.random.Int64N(int64(time.Second))))
		c.server.Resume()
		c.busy(part)
		return nil
	}},
	Restart: {lossy: true, amnesia: true, strike: func(c *cluster) func() {
		c.busy(part)
		c.server.Kill()
		c.busyFor(time.Duration(c.random.Int64N(int64(time.Second))))
		c.server.Restart()
		c.busyFor(time.Duration(c.random.Int64N(int64(2 * time.Second))))
		return nil
	}},
	Flush: {amnesia: true, strike: func(c *cluster) func() {
		c.busy(part)
		c.server.FlushAll()
		c.busyFor(time.Duration(c.random.Int64N(int64(2 * time.Second))))
		return nil
	}},
	Late: {strike: func(c *cluster) func() {
		var ends []func()
		for _, n := range c.nodes {
			ends = append(ends, c.Late(n.redis))
		}
		c.busy(2 * part)
		return func() {
			for _, end := range ends {
				end()
			}
		}
	}},
}

// part is a number of operations during which something happens.
const part = 1500

// busy returns when clients have done so much more, or nearly nothing is done.
func (c *cluster) busy(operations int64) {
	limit := time.Now().Add(5 * time.Second)
	for until := c.ops.Load() + operations; c.ops.Load() < until && time.Now().Before(limit); {
		<-time.After(time.Millisecond)
	}
}

// busyFor lets a fault last.
func (c *cluster) busyFor(d time.Duration) { <-time.After(d) }

// victim takes a node out of those that live.
func (c *cluster) victim() *node {
	i := c.random.IntN(len(c.nodes))
	n := c.nodes[i]
	c.nodes = append(c.nodes[:i:i], c.nodes[i+1:]...)
	return n
}

func (c *cluster) any() *node { return c.nodes[c.random.IntN(len(c.nodes))] }
