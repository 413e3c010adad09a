package clustertest

import (
	"fmt"
	"sync"

	"github.com/revurb/revurb/core/occupancy"
)

// outbox is what scripts write down for backends, of which Redis keeps a copy for
// us, and what nodes then tell of it.
type outbox struct {
	c       *cluster
	written int
	last    string           // ID of the entry that was read last
	state   map[subject]bool // of channels and members, as was last written

	mu    sync.Mutex // guards what follows
	told  map[news]int
	wrote map[news]int
}

// subject is a channel, or a member of one.
type subject struct{ channel, user string }

// news is a change of a subject.
type news struct {
	subject
	came bool
}

func newOutbox(c *cluster) *outbox {
	o := &outbox{c: c}
	o.reset()
	return o
}

// reset forgets all, as Redis does.
func (o *outbox) reset() {
	o.last, o.state = "0", map[subject]bool{}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told, o.wrote = map[news]int{}, map[news]int{}
}

// tell is called for what a node tells.
func (o *outbox) tell(ch occupancy.Change) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told[news{subject{ch.Channel, ch.UserID}, ch.Came}]++
}

var came = map[string]bool{"occupied": true, "added": true, "vacated": false, "removed": false}

// read reads what was written since, and finds what does not alternate.
func (o *outbox) read() {
	for {
		entries, _ := o.c.server.Do("XRANGE", o.c.key("wrote"), "("+o.last, "+", "COUNT", 1000).([]any)
		if o.last == "0" {
			entries, _ = o.c.server.Do("XRANGE", o.c.key("wrote"), "-", "+", "COUNT", 1000).([]any)
		}
		if len(entries) == 0 {
			return
		}
		for _, e := range entries {
			entry := e.([]any)
			o.last = text(entry[0])
			fields := map[string]string{}
			list := entry[1].([]any)
			for i := 0; i+1 < len(list); i += 2 {
				fields[text(list[i])] = text(list[i+1])
			}
			o.entry(fields["e"], channelOf(fields["t"]), fields["u"])
		}
	}
}

func (o *outbox) entry(kind, channel, user string) {
	is, known := came[kind]
	if !known {
		return
	}
	o.written++
	s := subject{channel, user}
	was, seen := o.state[s]
	if seen && was == is || !seen && !is && !o.c.amnesia {
		o.c.violate("backends are told twice that %s %s %s", channel, user, kind)
	}
	o.state[s] = is
	o.mu.Lock()
	o.wrote[news{s, is}]++
	o.mu.Unlock()
}

// wrong returns subjects whose last state is not the truth. Of what nothing was
// written since Redis has lost all, nothing is known.
func (o *outbox) wrong(t truth) (violations []string) {
	for s, is := range o.state {
		var want bool
		if s.user == "" {
			want = t.counts[s.channel] > 0
		} else {
			want = t.members[s.channel][s.user] > 0
		}
		if is != want {
			violations = append(violations, fmt.Sprintf("backends were last told of %s %s: %v, which is not true", s.channel, s.user, is))
		}
	}
	return violations
}

// untold returns what was written down and not told by any node.
func (o *outbox) untold() (violations []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for n, wrote := range o.wrote {
		if told := o.told[n]; told < wrote {
			violations = append(violations, fmt.Sprintf("%s %s, came %v, was written down %d times and told %d times", n.channel, n.user, n.came, wrote, told))
		}
	}
	return violations
}

func (c *cluster) key(name string) string { return c.Keys + ":" + name }
