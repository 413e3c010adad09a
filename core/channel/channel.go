package channel

import (
	"errors"
	"math"
	"runtime"
	"sync"

	"github.com/revurb/revurb/core/frame"
)

// Subscriber receives what is sent to a channel. Send must not block: it is
// called for one subscriber after the other.
type Subscriber interface {
	Send(f *frame.Frame)
}

// ErrOverloaded is returned by Broadcast when more is published to a channel
// than its subscribers can be sent.
var ErrOverloaded = errors.New("channel is overloaded")

const (
	maxBatch   = 64 << 10 // bytes that are written to a subscriber in one go
	maxPending = 8 << 20  // bytes that wait to be sent
	inline     = 1        // up to so many subscribers, the publisher sends itself
	yieldEvery = 128      // subscribers, after which others get the processor
	splitAbove = 512      // subscribers that one processor serves alone
)

// Channel is the subscribers of one channel on this node.
//
// Broadcasting is a group commit: messages wait in pending, and one goroutine,
// the pump, writes all that wait to each subscriber in one go. When little is
// published a message goes out at once; when much is, the cost of a write is
// shared by many messages. Every subscriber sees the messages in one order.
type Channel struct {
	Name string
	Kind Kind

	// Sent, if not nil, is told of what was sent after it was: how many
	// messages to all subscribers together, and of how many bytes.
	Sent func(messages, bytes int)

	mu       sync.Mutex // guards what follows
	subs     []entry
	index    map[Subscriber]int // into subs
	snapshot []entry            // a copy of subs that the pump reads; nil when it is stale
	pending  []message
	bytes    int    // in pending
	next     uint64 // the number of the next message
	newest   int64  // the newest version of what a cache keeps that was sent
	pumping  bool

	// While a batch is being sent, who leaves may still get some of it, and must
	// not be greeted anew before that is over.
	sending bool
	left    map[Subscriber]bool
	sent    *sync.Cond // signaled when the batch was sent; nil if nobody has left
}

// entry is a subscriber, and the number of the first message that it gets: not
// those that were waiting when it came. Of what a cache keeps it has been shown
// the version after, and gets only what is newer.
type entry struct {
	sub   Subscriber
	from  uint64
	after int64
}

type message struct {
	frame   *frame.Frame
	except  Subscriber
	number  uint64
	version int64 // of what a cache keeps; 0 is none
}

// New returns the channel called name, with nobody in it.
func New(name string) *Channel {
	return &Channel{Name: name, Kind: KindOf(name), index: map[Subscriber]int{}}
}

// Add subscribes s, and sends it greeting before anything else that it hears
// of the channel. It reports whether s was not subscribed before.
func (c *Channel) Add(s Subscriber, greeting ...*frame.Frame) bool {
	return c.AddAfter(s, 1<<63-1, greeting...)
}

// AddAfter is Add for who is shown, in the greeting, what a cache keeps: of the
// given version, or 0 for nothing. It reports false, and does nothing, if
// something newer has been sent meanwhile, which s would miss.
func (c *Channel) AddAfter(s Subscriber, version int64, greeting ...*frame.Frame) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.sending && c.left[s] {
		c.sent.Wait()
	}
	if _, ok := c.index[s]; ok || c.newest > version {
		return false
	}
	if version == 1<<63-1 {
		version = 0
	}
	for _, f := range greeting {
		s.Send(f)
	}
	c.index[s] = len(c.subs)
	c.subs = append(c.subs, entry{s, c.next, version})
	c.snapshot = nil
	return true
}

// Remove unsubscribes s, and reports whether nobody is left.
func (c *Channel) Remove(s Subscriber) (empty bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, ok := c.index[s]
	if !ok {
		return len(c.subs) == 0
	}
	last := len(c.subs) - 1
	c.subs[i] = c.subs[last]
	c.index[c.subs[i].sub] = i
	c.subs[last] = entry{}
	c.subs = c.subs[:last]
	delete(c.index, s)
	c.snapshot = nil
	if c.sending {
		if c.left == nil {
			c.left, c.sent = map[Subscriber]bool{}, sync.NewCond(&c.mu)
		}
		c.left[s] = true
	}
	return last == 0
}

// Has reports whether s is subscribed.
func (c *Channel) Has(s Subscriber) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.index[s]
	return ok
}

// Len is the number of subscribers.
func (c *Channel) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.subs)
}

// Broadcast sends f to every subscriber but except, which may be nil. It
// returns before they have it; it does not block.
func (c *Channel) Broadcast(f *frame.Frame, except Subscriber) error {
	return c.BroadcastVersion(f, except, 0)
}

// BroadcastVersion is Broadcast of what a cache keeps, of the given version.
func (c *Channel) BroadcastVersion(f *frame.Frame, except Subscriber, version int64) error {
	return c.broadcast(f, except, version, maxPending)
}

// Announce is Broadcast of what the server itself has to say. It waits behind what
// is published, and is never refused: nobody could say it again.
func (c *Channel) Announce(f *frame.Frame, except Subscriber) {
	_ = c.broadcast(f, except, 0, math.MaxInt) // nothing is too much
}

func (c *Channel) broadcast(f *frame.Frame, except Subscriber, version int64, most int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.subs) > 0 && len(c.pending) > 0 && c.bytes+len(f.Wire()) > most {
		return ErrOverloaded
	}
	c.newest = max(c.newest, version)
	if len(c.subs) == 0 {
		return nil
	}
	c.pending = append(c.pending, message{f, except, c.next, version})
	c.bytes += len(f.Wire())
	c.next++
	if c.pumping {
		return nil
	}
	c.pumping = true
	if len(c.subs) <= inline {
		c.pumpOnce()
		if len(c.pending) == 0 {
			c.pumping = false
			return nil
		}
	}
	go c.pump()
	return nil
}

func (c *Channel) pump() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) > 0 {
		c.pumpOnce()
	}
	c.pumping = false
}

// pumpOnce sends what waits, up to maxBatch. It is called with mu held, lets go
// of it to send, and holds it again when it returns.
func (c *Channel) pumpOnce() {
	b := c.take()
	if c.snapshot == nil {
		c.snapshot = append(make([]entry, 0, len(c.subs)), c.subs...)
	}
	subs := c.snapshot
	c.sending = true
	c.mu.Unlock()
	defer c.over(b) // with mu held again
	defer c.mu.Lock()
	messages, bytes := b.send(subs)
	if c.Sent != nil {
		c.Sent(messages, bytes)
	}
}

// take removes the next batch from pending.
func (c *Channel) take() batch {
	n, size := 0, 0
	for n < len(c.pending) {
		next := len(c.pending[n].frame.Wire())
		if n > 0 && size+next > maxBatch {
			break
		}
		size += next
		n++
	}
	b := batch{messages: c.pending[:n:n]}
	c.pending = c.pending[n:]
	if len(c.pending) == 0 {
		c.pending = nil
	}
	c.bytes -= size
	b.prepare()
	return b
}

// over ends the sending of a batch.
func (c *Channel) over(b batch) {
	c.sending = false
	if c.left != nil {
		c.sent.Broadcast()
		c.left, c.sent = nil, nil
	}
	c.reuse(b)
}

// reuse keeps the memory of a batch that was sent for what is published next.
// Most batches are of one message, in a channel that few are in: what they cost
// is not shared by many deliveries.
func (c *Channel) reuse(b batch) {
	const most = 16 // messages: a burst does not hold memory for ever
	if c.pending == nil && cap(b.messages) <= most {
		clear(b.messages)
		c.pending = b.messages[:0]
	}
}

// batch is messages that are sent together.
type batch struct {
	messages []message
	joined   *frame.Frame
	excepts  bool // one of the messages has a subscriber that does not get it
	versions bool // one of the messages is what a cache keeps
}

func (b *batch) prepare() {
	if len(b.messages) == 1 {
		m := b.messages[0]
		b.joined, b.excepts, b.versions = m.frame, m.except != nil, m.version != 0
		return
	}
	frames := make([]*frame.Frame, len(b.messages))
	for i, m := range b.messages {
		frames[i] = m.frame
		b.excepts = b.excepts || m.except != nil
		b.versions = b.versions || m.version != 0
	}
	b.joined = frame.Join(frames)
}

// send writes the batch to subs, on more than one processor if they are many.
// The parts are waited for, so that the next batch does not overtake this one.
func (b *batch) send(subs []entry) (messages, bytes int) {
	parts := min((len(subs)+splitAbove-1)/splitAbove, runtime.GOMAXPROCS(0))
	if parts < 2 {
		return b.sendPart(subs)
	}
	return b.sendParts(subs, parts)
}

// sendParts is given a copy of the batch, so that one that is not split needs
// no memory of its own.
func (b batch) sendParts(subs []entry, parts int) (messages, bytes int) {
	var wg sync.WaitGroup
	counts := make([][2]int, parts)
	for p := range parts {
		part := subs[len(subs)*p/parts : len(subs)*(p+1)/parts]
		send := func() { counts[p][0], counts[p][1] = b.sendPart(part) }
		if p < parts-1 {
			wg.Go(send)
		} else {
			send()
		}
	}
	wg.Wait()
	for _, n := range counts {
		messages += n[0]
		bytes += n[1]
	}
	return messages, bytes
}

func (b *batch) sendPart(subs []entry) (messages, bytes int) {
	first := b.messages[0].number
	for i, e := range subs {
		if i%yieldEvery == yieldEvery-1 {
			// A long run of writes without a pause is punished by the
			// scheduler, which takes the processor away in every one of them.
			runtime.Gosched()
		}
		if e.from > first || b.excepts && b.exceptsOne(e.sub) || b.versions && e.after > 0 {
			m, n := b.sendSome(e)
			messages += m
			bytes += n
			continue
		}
		e.sub.Send(b.joined)
		messages += len(b.messages)
		bytes += len(b.joined.Wire())
	}
	return messages, bytes
}

func (b *batch) exceptsOne(s Subscriber) bool {
	for i := range b.messages {
		if b.messages[i].except == s {
			return true
		}
	}
	return false
}

// sendSome sends those messages of the batch that are for e, one by one.
func (b *batch) sendSome(e entry) (messages, bytes int) {
	for _, m := range b.messages {
		if m.number >= e.from && m.except != e.sub && (m.version == 0 || m.version > e.after) {
			e.sub.Send(m.frame)
			messages++
			bytes += len(m.frame.Wire())
		}
	}
	return messages, bytes
}
