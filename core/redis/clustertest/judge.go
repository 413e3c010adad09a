package clustertest

import (
	"slices"
	"time"
)

// truth is what all should agree on.
type truth struct {
	counts  map[string]int            // subscriptions of each channel
	members map[string]map[string]int // on how many nodes each user is in each channel
	nodes   map[string]map[string]int // by the names of nodes, what each has
}

func (c *cluster) truth() truth {
	t := truth{map[string]int{}, map[string]map[string]int{}, map[string]map[string]int{}}
	for _, n := range c.nodes {
		here := map[subject]bool{}
		has := map[string]int{}
		for _, cl := range n.clients {
			for channel := range cl.in {
				t.counts[channel]++
				has[channel]++
				s := subject{channel, cl.user}
				if !presence(channel) || here[s] {
					continue
				}
				here[s] = true
				if t.members[channel] == nil {
					t.members[channel] = map[string]int{}
				}
				t.members[channel][cl.user]++
			}
		}
		t.nodes[n.redis.Name()] = has
	}
	return t
}

// judge waits until all agree, and reports what still does not when they should.
func (c *cluster) judge() {
	c.await(func() []string {
		return slices.Concat(c.wrongInRedis(), c.wrongViews(), c.missed())
	})
	c.answers()
	c.await(c.silentLosses)
	floor := c.clock.Load() + 1
	for _, n := range c.nodes {
		for _, cl := range n.clients {
			c.collect(cl)
			cl.turn(floor)
		}
	}
	for _, v := range c.order.judge() {
		c.violate("%s", v)
	}
}

// last judges what takes the longest: what backends are told.
func (c *cluster) last() {
	c.await(func() []string {
		return slices.Concat(c.outbox.wrong(c.truth()), c.due())
	})
	c.await(c.outbox.untold)
	for _, v := range c.outbox.wrongs() {
		c.violate("%s", v)
	}
}

func (c *cluster) await(wrong func() []string) {
	limit := time.Now().Add(c.Settle)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		violations := wrong()
		switch {
		case len(violations) == 0:
			return
		case time.Now().After(limit):
			for _, v := range violations {
				c.violate("%s", v)
			}
			return
		}
		<-time.After(pause)
	}
}

// collect takes what was wrong with what a client was told at any time.
func (c *cluster) collect(cl *client) {
	cl.mu.Lock()
	faults := cl.faults
	c.current.Load().twice += cl.twice
	cl.faults, cl.twice = nil, 0
	cl.mu.Unlock()
	for _, v := range faults {
		c.violate("%s", v)
	}
	for channel := range cl.in {
		c.order.add(channel, cl)
	}
}
