package clustertest

import (
	"maps"
	"time"
)

// A Fault is what goes wrong in a round.
type Fault string

// The faults.
const (
	None    Fault = "nothing"
	Crash   Fault = "a node crashes"
	Reaper  Fault = "a node crashes, and so does the one that reaps it"
	Backend Fault = "a node crashes while the backend takes nothing"
	Late    Fault = "calls are repeated late"

	Cut       Fault = "a node cannot connect to Redis for longer than its lease"
	Zombie    Fault = "a node is silent for longer than its lease, and comes back"
	OneWay    Fault = "what Redis says does not come to a node"
	Slow      Fault = "a node has a slow network"
	BlackHole Fault = "a node's connections for messages lead nowhere"
	Deaf      Fault = "Redis closes the connections for messages"

	Hang     Fault = "Redis hangs"
	Script   Fault = "Redis is busy with a script"
	Password Fault = "Redis wants another password for a while"
	Full     Fault = "Redis takes no clients for a while"
	Refusal  Fault = "Redis refuses to write for a while"
	Restart  Fault = "Redis is killed and comes back empty"
	Append   Fault = "Redis is killed and comes back with what it had"
	Flush    Fault = "everything in Redis is deleted"
	Part     Fault = "a key in Redis is deleted"

	Planned Fault = "a master is replaced on purpose"
	Killed  Fault = "a master is killed and replaced"
	Hung    Fault = "a master hangs and is replaced"
	Moved   Fault = "slots are moved to another master"
)

// faulty is how a fault is done: what happens while the clients are busy, and once
// they rest.
type faulty struct {
	strike func(c *cluster) (undo func())
}

// faults is what each of them is.
var faults = merge(nodeFaults, networkFaults, redisFaults, masterFaults)

func merge(all ...map[Fault]faulty) map[Fault]faulty {
	m := map[Fault]faulty{}
	for _, some := range all {
		maps.Copy(m, some)
	}
	return m
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

// after ends a fault. Sometimes nothing comes after it that would repair what was
// missed.
func (c *cluster) after() {
	c.over()
	if c.random.IntN(2) == 0 {
		c.busy(20)
		return
	}
	c.busy(part)
}

// busyFor lets a fault last.
func (c *cluster) busyFor(d time.Duration) { <-time.After(d) }

// busyBetween lets a fault last for a random time.
func (c *cluster) busyBetween(least, most time.Duration) {
	c.busyFor(least + time.Duration(c.random.Int64N(int64(most-least))))
}

// lasts lets a fault last: in a short run hardly longer than least.
func (c *cluster) lasts(least, most time.Duration) { c.busyFor(c.length(least, most)) }

// length is how long a fault is to last.
func (c *cluster) length(least, most time.Duration) time.Duration {
	if !c.long() {
		most = least + time.Second
	}
	return least + time.Duration(c.random.Int64N(int64(most-least)))
}

// victim takes a node out of those that live.
func (c *cluster) victim() *node {
	i := c.random.IntN(len(c.nodes))
	n := c.nodes[i]
	c.nodes = append(c.nodes[:i:i], c.nodes[i+1:]...)
	return n
}

func (c *cluster) any() *node { return c.nodes[c.random.IntN(len(c.nodes))] }
