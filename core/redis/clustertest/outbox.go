package clustertest

import (
	"fmt"
	"slices"
	"sync"
)

// outbox is what backends are told of channels and members.
//
// A node that dies may have told what it could not say it had: the next one tells
// it again. So what is told twice is no fault if something was broken since it was
// told first.
type outbox struct {
	c *cluster

	mu      sync.Mutex // guards what follows
	shakes  int        // how often something was broken
	shaken  bool       // something is broken
	amnesia bool       // Redis has lost what it had at least once
	state   map[subject]said
	life    int
	told    map[news]int // in this life
	wrote   map[news]int // in Redis in this life, as far as it was seen
	changes int
	faults  []string
}

// subject is a channel, or a member of one.
type subject struct{ channel, user string }

// news is a change of a subject.
type news struct {
	subject
	came bool
}

// said is what was last told of a subject.
type said struct {
	is     bool
	shakes int  // that there were when it was told
	vague  bool // Redis may have lost a change since
}

func newOutbox(c *cluster) *outbox {
	o := &outbox{c: c}
	o.forget()
	return o
}

// gentle are the faults in which no node is kept from saying what it has told.
var gentle = map[Fault]bool{None: true, Late: true, Deaf: true, BlackHole: true}

// shake notes that something is broken, or that all is well again.
func (o *outbox) shake(f Fault, over bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if gentle[f] {
		return
	}
	o.shakes++
	o.shaken = !over
}

// forget is called when Redis loses what it has. Of what nothing is told after
// that, nothing is known.
func (o *outbox) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.amnesia = o.state != nil
	o.state = map[subject]said{}
	o.unwrite()
}

// doubt is called when Redis may lose what was written last: a change that a backend
// has not been told of since may be lost for good.
func (o *outbox) doubt() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unwrite()
	for s, said := range o.state {
		said.vague = true
		o.state[s] = said
	}
}

// unwrite forgets what was written. It is called with mu held.
func (o *outbox) unwrite() {
	o.life++
	o.told, o.wrote = map[news]int{}, map[news]int{}
}

// lifetime is the number of those in which Redis has lost nothing.
func (o *outbox) lifetime() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.life
}

// tell is called for each change that a backend is told, in that order.
func (o *outbox) tell(n news) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changes++
	o.told[n]++
	was, seen := o.state[n.subject]
	switch {
	case seen && was.is == n.came && was.shakes == o.shakes && !o.shaken, !seen && !n.came && !o.amnesia:
		o.faults = append(o.faults, fmt.Sprintf("backends are told twice of %s %s: %v", n.channel, n.user, n.came))
	}
	if !n.came && n.user != "" && !o.c.deadly(n.user) {
		o.faults = append(o.faults, fmt.Sprintf("backends are told that %s has gone from %s, who has not", n.user, n.channel))
	}
	o.state[n.subject] = said{is: n.came, shakes: o.shakes}
}

// written is called for each change that is seen in Redis on its way to a backend.
func (o *outbox) written(life int, n news) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if life == o.life {
		o.wrote[n]++
	}
}

func (o *outbox) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.changes
}

// wrongs returns what was wrong with what was told at any time.
func (o *outbox) wrongs() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.faults)
}

// wrong returns subjects of which what was told last is not the truth.
func (o *outbox) wrong(t truth) (violations []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s, said := range o.state {
		want := t.counts[s.channel] > 0
		if s.user != "" {
			want = t.members[s.channel][s.user] > 0
		}
		if said.is != want && !said.vague {
			violations = append(violations, fmt.Sprintf("backends were last told of %s %s: %v, which is not true", s.channel, s.user, said.is))
		}
	}
	return violations
}

// untold returns what was written in Redis and not told by any node.
func (o *outbox) untold() (violations []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for n, wrote := range o.wrote {
		if told := o.told[n]; told < wrote {
			violations = append(violations, fmt.Sprintf("%s %s, came %v, was written %d times and told %d times", n.channel, n.user, n.came, wrote, told))
		}
	}
	return violations
}
