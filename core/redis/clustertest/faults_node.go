package clustertest

import "time"

// nodeFaults are those of nodes, and of what backends they tell. Redis and the
// network are well.
var nodeFaults = map[Fault]faulty{
	None: {func(c *cluster) func() {
		c.busy(2 * part)
		return nil
	}},
	Crash: {func(c *cluster) func() {
		c.busy(part)
		c.crash(c.victim())
		c.after()
		return nil
	}},
	Reaper: {func(c *cluster) func() {
		c.busy(part)
		c.crash(c.victim())
		if len(c.nodes) > 1 {
			n := c.victim()
			c.ReapSome(n.redis)
			c.crash(n)
		}
		c.after()
		return nil
	}},
	Backend: {func(c *cluster) func() {
		c.backend.fail(true)
		c.busy(2 * part)
		c.busyBetween(500*time.Millisecond, 1500*time.Millisecond)
		c.crash(c.victim())
		c.busy(part)
		c.backend.fail(false)
		c.after()
		return nil
	}},
	Late: {func(c *cluster) func() {
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
