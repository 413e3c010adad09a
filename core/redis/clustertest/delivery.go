package clustertest

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// present returns who is in each channel.
func (c *cluster) present() map[string][]*client {
	in := map[string][]*client{}
	for _, n := range c.nodes {
		for _, cl := range n.clients {
			for channel := range cl.in {
				in[channel] = append(in[channel], cl)
			}
		}
	}
	return in
}

// missed says which events were accepted and have not come to whom they should: to
// each client that is in the channel from before. What Redis may have lost itself
// is not among them.
func (c *cluster) missed() (violations []string) {
	const most = 8 // that are named
	r := c.current.Load()
	in := c.present()
	var events, clients, late int
	var first, last time.Duration
	for _, e := range r.accepted {
		if r.excused(e) {
			continue
		}
		lacking := slices.DeleteFunc(slices.Clone(in[e.channel]), func(cl *client) bool { return !cl.lacks(e) })
		if len(lacking) == 0 {
			continue
		}
		cl, at := lacking[0], e.done.Sub(r.begun).Round(time.Millisecond)
		if events++; events <= most {
			violations = append(violations, fmt.Sprintf("client %s has not heard event %d of %s, in which it is since %d; it was accepted at %v, after %v",
				cl.name, e.id, e.channel, cl.in[e.channel], at, e.done.Sub(e.begun).Round(time.Millisecond)))
			first = cmp.Or(first, at)
		}
		last = max(last, at)
		clients += len(lacking)
		for _, cl := range lacking {
			if cl.in[e.channel] > r.first {
				late++
			}
		}
	}
	if events > 0 {
		violations = append(violations, fmt.Sprintf("in %q %d of %d accepted events have not come to some client that was there, %d times (%d to clients who came meanwhile); they were accepted between %v and %v; the fault was over at %v",
			r.fault, events, len(r.accepted), clients, late, first, last, r.healed.Sub(r.begun).Round(time.Millisecond)))
	}
	return violations
}

// lacks reports whether a client should have heard an event, and has not.
func (c *client) lacks(e event) bool {
	return c.in[e.channel] < e.id && e.except != c && !c.heard(e.channel, e.id)
}

// silentLosses counts what Redis has lost itself. Nodes must have counted it, too.
func (c *cluster) silentLosses() []string {
	r := c.current.Load()
	in := c.present()
	r.lost, r.counted = 0, 0
	for _, e := range r.accepted {
		if r.excused(e) && slices.ContainsFunc(in[e.channel], func(cl *client) bool { return cl.lacks(e) }) {
			r.lost++
		}
	}
	if c.Lost == nil {
		return nil
	}
	for _, n := range c.nodes {
		r.counted += c.Lost(n.redis) - r.said[n]
	}
	if r.lost > 0 && r.counted == 0 {
		return []string{fmt.Sprintf("%d events are lost in %q, and no node says so", r.lost, r.fault)}
	}
	return nil
}

// answers judges how long somebody who published has waited.
func (c *cluster) answers() {
	const margin = 5 * time.Second // of a busy machine
	r := c.current.Load()
	if r.slowest > publishWait+margin {
		c.violate("an answer to somebody who published took %v in %q, and publish_wait is %v", r.slowest, r.fault, publishWait)
	}
}
