package redis

import (
	"sync"
	"time"

	"github.com/revurb/revurb/core/broker"
)

const (
	maxBehind      = 1024    // events of a topic that wait while its log is read
	maxBehindBytes = 2 << 20 // of them; more are read from the log themselves
)

// tail is how far this node has come in the log of one topic.
//
// What comes in its order is delivered at once. Where an offset is missing the
// node is behind: what comes waits until the log has been read, and everything
// goes out in its order. So it is, too, from when a connection for messages is
// made anew until Redis has said where the log is. What was delivered already is
// known by its publisher and number.
type tail struct {
	// Static after construction.
	node  *Node
	topic string // its key
	ready chan struct{}
	began time.Time

	mu         sync.Mutex // guards what follows, and the order of what is delivered
	over       bool       // nobody here has the topic anymore
	known      bool       // Redis has said where the log is; ready is closed
	last       offset     // what was delivered last
	seen       seen
	generation int  // of the connection for messages
	doubtful   bool // Redis has not said where the log is since the last generation
	reading    bool // the log is being read, or will be
	waiting    []event
	bytes      int  // of waiting
	short      bool // some that should be waiting are only in the log

	accounts []account // that wait until the log has been read
	strays   []event   // that a server has sent which is the master no more

	// Of a topic whose first client came before the log was known.
	asked time.Time        // when that was
	from  int64            // the same, in milliseconds of Redis's clock, while older events are passed over
	begun map[string]int64 // by producer, what was published last when the log became known
}

func newTail(n *Node, topic string) *tail {
	return &tail{node: n, topic: topic, ready: make(chan struct{}), began: time.Now(), doubtful: true}
}

// hear takes events that were heard together.
func (t *tail) hear(all []event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range all {
		if !t.over {
			t.sort(e)
		}
	}
}

func (t *tail) sort(e event) {
	switch {
	case e.stale:
		t.stray(e)
	case t.doubtful || t.reading:
		t.wait(e)
	case t.follows(e):
		t.take(e)
	case !t.seen.has(e.producer, e.number):
		t.wait(e)
		t.catchUp()
	}
}

// follows reports whether e is the next event, or the first of a log that begins.
// Most events do not say where they are: on a connection nothing is left out.
func (t *tail) follows(e event) bool {
	switch {
	case e.at == broker.Position{}:
		return !t.seen.has(e.producer, e.number)
	case e.at.Epoch != t.last.at.Epoch:
		return e.at.Offset == 1
	}
	return e.at.Offset == t.last.at.Offset+1
}

// take delivers the next event. Where the channel has more to send than it may, it
// is read from the log later.
func (t *tail) take(e event) {
	heard := e
	if e.at == (broker.Position{}) {
		e.at = broker.Position{Epoch: t.last.at.Epoch, Offset: t.last.at.Offset + 1}
		e.message.Position = e.at
	}
	if !t.give(e) {
		t.wait(heard)
		t.catchUp()
		return
	}
	t.last = e.offset()
}

// give delivers an event, unless it was delivered before. It reports false if it
// cannot be, now.
func (t *tail) give(e event) bool {
	if e.number == 0 || t.seen.has(e.producer, e.number) {
		return true
	}
	if t.node.deliver(e.message) != nil {
		return false
	}
	t.seen.add(e.producer, e.number)
	return true
}

// wait keeps an event until the log has been read.
func (t *tail) wait(e event) {
	if len(t.waiting) >= maxBehind || t.bytes+e.size() > maxBehindBytes {
		t.waiting, t.bytes, t.short = nil, 0, true
	}
	if !t.short {
		t.waiting = append(t.waiting, e)
		t.bytes += e.size()
	}
}

// catchUp has the log read. It is called with mu held.
func (t *tail) catchUp() {
	if !t.reading {
		t.reading = true
		t.node.reader.add(t)
	}
}

// doubt is called when a connection for messages is made anew.
func (t *tail) doubt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.generation++
	t.doubtful = true
}

// end is called when nobody here has the topic anymore.
func (t *tail) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over, t.waiting = true, nil
}

// late notes that a client has come at the given time, and does not wait until the
// log is known.
func (t *tail) late(came time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.known && t.asked.IsZero() {
		t.asked = came
	}
}

// located is told where the log is, as Redis had it when it was asked in the given
// generation: the node has missed something, or nothing.
func (t *tail) located(generation int, is offset, all *offsets) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || generation != t.generation {
		return
	}
	t.doubtful = false
	switch {
	case !t.known:
		t.begin(is, all)
	case t.node.trusting:
		t.finish(0)
	case is.at.Epoch != t.last.at.Epoch && is.at.Offset == 0 && !t.reading:
		// The log was over, or is lost, and begins now: there is nothing to read. Of
		// many quiet topics each read would hold up those who have missed something.
		t.last = is
		t.finish(0)
	case is.at != t.last.at, is.producer != "" && is != t.last:
		t.catchUp()
	case !t.reading:
		t.finish(0)
	}
}

// begin is the beginning of a tail. Nobody has been greeted yet; or, of who has,
// it is known when: what was published since then is in the log.
func (t *tail) begin(is offset, all *offsets) {
	t.known = true
	close(t.ready)
	if t.asked.IsZero() {
		t.last, t.seen.before = is, all.producers
		t.finish(0)
		return
	}
	// An event has the time at which its node began to publish it, and may have been
	// accepted later.
	since := time.Since(t.asked) + t.node.config.PublishWait
	t.from, t.begun = all.now-since.Milliseconds(), all.producers
	t.last = offset{at: broker.Position{Epoch: is.at.Epoch}}
	t.catchUp()
}

// finish goes on with what has come meanwhile, once the log has been read up to its
// end. The first of what waits came before it was read. What is not in the log then
// was trimmed from it meanwhile, or it is of a server that another has replaced.
func (t *tail) finish(before int) {
	waiting := t.waiting
	t.waiting, t.bytes = nil, 0
	if t.short {
		t.short = false
		t.catchUp()
	}
	for i, e := range waiting {
		if i < before && !t.reading && !t.doubtful && (e.at == broker.Position{} || !t.follows(e)) {
			t.unlogged(e)
			continue
		}
		t.sort(e)
	}
	t.auditAll()
}
