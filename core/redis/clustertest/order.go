package clustertest

import (
	"fmt"
	"slices"
	"sync"
)

// order is in which order the clients have heard the events of each channel.
type order struct {
	mu    sync.Mutex // guards what follows
	next  map[string]map[int64]map[int64]bool
	heard int64
}

// add takes what a client has heard on a channel since it came, or since it was
// last taken.
func (o *order) add(channel string, cl *client) {
	cl.mu.Lock()
	var heard []int64
	if v := cl.views[channel]; v != nil {
		heard = v.heard
		v.heard = nil
	}
	cl.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard += int64(len(heard))
	if o.next == nil {
		o.next = map[string]map[int64]map[int64]bool{}
	}
	if o.next[channel] == nil {
		o.next[channel] = map[int64]map[int64]bool{}
	}
	edges := o.next[channel]
	for i := 1; i < len(heard); i++ {
		if edges[heard[i-1]] == nil {
			edges[heard[i-1]] = map[int64]bool{}
		}
		edges[heard[i-1]][heard[i]] = true
	}
}

// judge reports channels of which no single order is what all have heard, and
// begins anew.
func (o *order) judge() (violations []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for channel, edges := range o.next {
		if events := cycle(edges); len(events) > 0 {
			violations = append(violations, fmt.Sprintf("clients hear events of %s in different orders: %d among %v", channel, len(events), events[:min(len(events), 10)]))
		}
	}
	o.next = nil
	return violations
}

// cycle returns the nodes of a graph that are not before all that follow them:
// none if it has no cycle.
func cycle(edges map[int64]map[int64]bool) (left []int64) {
	before := map[int64]int{}
	for from, all := range edges {
		before[from] += 0
		for to := range all {
			before[to]++
		}
	}
	var free []int64
	for n, count := range before {
		if count == 0 {
			free = append(free, n)
		}
	}
	for len(free) > 0 {
		n := free[len(free)-1]
		free = free[:len(free)-1]
		delete(before, n)
		for to := range edges[n] {
			if before[to]--; before[to] == 0 {
				free = append(free, to)
			}
		}
	}
	for n := range before {
		left = append(left, n)
	}
	slices.Sort(left)
	return left
}
