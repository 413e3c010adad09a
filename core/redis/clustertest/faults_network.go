package clustertest

import (
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// networkFaults are those of what is between nodes and Redis.
var networkFaults = map[Fault]faulty{
	Zombie: {func(c *cluster) func() {
		c.busy(part)
		c.isolate((*redistest.Proxy).Hang, lease+700*time.Millisecond, 3*lease)
		return nil
	}},
	Cut: {func(c *cluster) func() {
		c.busy(part)
		c.isolate((*redistest.Proxy).Cut, lease+700*time.Millisecond, 3*lease)
		return nil
	}},
	OneWay: {func(c *cluster) func() {
		c.busy(part)
		way := (*redistest.Proxy).OneWay
		if c.random.IntN(2) == 0 {
			way = (*redistest.Proxy).OneWayBack
		}
		c.isolate(way, 500*time.Millisecond, 3*lease)
		return nil
	}},
	Slow: {func(c *cluster) func() {
		latency := 20*time.Millisecond + time.Duration(c.random.Int64N(int64(180*time.Millisecond)))
		c.isolate(func(p *redistest.Proxy) {
			p.Latency(latency)
			p.Bandwidth(200 << 10)
		}, time.Second, 3*time.Second)
		return nil
	}},
	BlackHole: {func(c *cluster) func() {
		c.busy(part)
		n := c.any()
		hole := (*redistest.Proxy).BlackHole
		if c.random.IntN(2) == 0 {
			hole = (*redistest.Proxy).BlackHoleSubscribers
		}
		n.network.each(hole)
		c.lasts(3*time.Second, 10*time.Second)
		n.network.heal()
		c.after()
		return nil
	}},
	Deaf: {func(c *cluster) func() {
		for range 4 {
			c.busy(part / 3)
			for _, s := range c.place.masters() {
				s.KillPubSub()
			}
		}
		c.after()
		return nil
	}},
}

// isolate breaks the network of one node alone.
func (c *cluster) isolate(fault func(*redistest.Proxy), least, most time.Duration) {
	n := c.any()
	n.alone.Store(true)
	n.network.each(fault)
	if c.long() {
		most = max(most, 15*time.Second)
	}
	c.busyBetween(least, most)
	n.network.heal()
	c.after()
}
