package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// backlog is how many entries wait for backends in each partition. What is more
	// than that is cut from its beginning, and counted.
	backlog = 100_000

	readMost  = 500              // entries that are looked at in one call
	ackMost   = 500              // entries that are settled in one call
	lookAgain = time.Second      // how often a node looks whether there still is a holder
	watchFor  = time.Second      // how long a read waits for an entry
	cutQuiet  = time.Minute      // after which another cut is another incident
	leastWait = time.Millisecond // of a lease that is about to end
)

// box is the outbox of a partition: a stream of what backends are to be told, and
// which node does it. The holder reads the stream from its beginning, and takes out
// of it what is settled; a node that becomes the holder begins with what the one
// before it has not settled. So backends may be told something twice, when a node
// dies, but never something old after something new.
type box struct {
	// Static after construction.
	node    *Node
	name    string   // of this process, as the holder
	keys    []string // of the holder and the stream
	entries *entries
	wake    chan struct{} // has one item when an entry is settled
	calls   chan func()   // that run does
	after   chan string   // the ID after which watch looks for an entry
	news    chan struct{} // that watch has found one, or has given up

	// Owned by run.
	cursor   string // ID of the last entry that was read
	watching bool
	leaving  bool // others are to hold it
	turns    int
	lastCut  time.Time
}

func newBox(n *Node, prefix string) *box {
	b := &box{
		node: n, name: n.Name(), keys: []string{prefix + ":out", prefix + ":ev"},
		wake: make(chan struct{}, 1), calls: make(chan func()), after: make(chan string, 1), news: make(chan struct{}),
	}
	b.entries = newEntries(n.keys.partitions, b.poke)
	return b
}

func (b *box) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run holds the box if nobody else does, and tells what is in it.
func (b *box) run(ctx context.Context) {
	const least, most = 50 * time.Millisecond, time.Second
	pause := least
	for ctx.Err() == nil {
		more, wait, err := b.turn(ctx)
		wake := b.wake
		switch {
		case err != nil: // health sees what is wrong, and says so
			wait, wake = pause, nil
			pause = min(2*pause, most)
		case more:
			pause, wait = least, 0
		default:
			pause = least
			b.look()
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-wake:
		case <-b.news:
			b.watching = false
		case do := <-b.calls:
			do()
		}
		timer.Stop()
	}
}

// look has watch say when there is something to read.
func (b *box) look() {
	if b.watching || b.leaving || !b.entries.holds() || b.entries.room() == 0 {
		return
	}
	b.watching = true
	after := b.cursor
	if after == "" {
		after = "0-0"
	}
	b.after <- after // which has room, since watch is idle
}

// watch waits for entries, so that run hears of them at once.
func (b *box) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case after := <-b.after:
			for ctx.Err() == nil && b.entries.holds() && !b.comes(ctx, after) {
			}
		}
		select {
		case <-ctx.Done():
			return
		case b.news <- struct{}{}:
		}
	}
}

// comes waits for an entry after the one with that ID, for a moment.
func (b *box) comes(ctx context.Context, after string) bool {
	limited, cancel := context.WithTimeout(ctx, watchFor+answer)
	defer cancel()
	found, err := b.node.outbox.wait.XRead(limited, &redis.XReadArgs{Streams: []string{b.keys[1], after}, Count: 1, Block: watchFor}).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		sleep(ctx, lookAgain)
	}
	return len(found) > 0
}

// question is what a node asks of Redis in a turn.
type question struct {
	acks     []string
	count    int
	from, to string
	app      string // of which it reads, "" if of all
}

// turn makes one call, and tells what comes of it. It reports whether there is more
// to do at once, or how long to wait if nothing happens.
func (b *box) turn(ctx context.Context) (more bool, wait time.Duration, err error) {
	if !b.entries.holds() {
		b.lose()
		if b.leaving {
			return false, lookAgain, nil
		}
	}
	q := b.question()
	begun := time.Now()
	said, err := b.ask(ctx, q)
	if err != nil {
		return false, 0, err
	}
	if said.status == 0 {
		b.lose()
		return false, max(leastWait, min(said.left, lookAgain)), nil
	}
	if b.hold(said, q, begun); !b.entries.holds() { // Redis took longer than the lease
		return true, 0, nil
	}
	if said.status == 2 && q.from != "-" {
		b.restart()
		return true, 0, nil
	}
	more = b.read(said, q)
	if b.leaving && b.entries.idle() {
		b.release(ctx)
	}
	return more, b.node.config.Lease / 3, nil
}

func (b *box) question() question {
	b.turns++
	q := question{acks: b.entries.unacked(ackMost), count: min(readMost, b.entries.room()), from: "-", to: "+"}
	if b.leaving {
		q.count = 0
	}
	if b.cursor != "" {
		q.from = "(" + b.cursor
	}
	if app, from := b.entries.behind(); app != "" && q.count > 0 && b.turns%2 == 0 {
		q.app, q.from, q.to = app, from, b.cursor
	}
	return q
}

// holding is what Redis answers.
type holding struct {
	status int           // 0 another node is the holder, 1 this one is, 2 it is now and nobody was
	left   time.Duration // of the lease of the other one
	cut    int
	seen   int
	last   string
	read   []raw
}

func (b *box) ask(ctx context.Context, q question) (s holding, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*answer)
	defer cancel()
	n := b.node
	args := []any{b.name, n.config.Lease.Milliseconds(), backlog, q.count, q.from, q.to, q.app}
	for _, id := range q.acks {
		args = append(args, id)
	}
	reply, err := n.scripts.take.Run(ctx, n.state, b.keys, args...).Slice()
	if err != nil {
		return s, fmt.Errorf("read what backends are to be told: %w", err)
	}
	return parseSaid(reply), nil
}

// parseSaid reads what take.lua returns.
func parseSaid(reply []any) (s holding) {
	number := func(i int) int64 { n, _ := reply[i].(int64); return n }
	if len(reply) < 2 || number(0) == 0 {
		if len(reply) == 2 {
			s.left = time.Duration(number(1)) * time.Millisecond
		}
		return s
	}
	s.status, s.cut, s.seen = int(number(0)), int(number(2)), int(number(3))
	s.last, _ = reply[4].(string)
	list, _ := reply[5].([]any)
	for _, v := range list {
		var fields [4]string
		entry, _ := v.([]any)
		for i := range min(len(fields), len(entry)) {
			fields[i], _ = entry[i].(string)
		}
		age := time.Duration(number(1)-written(fields[0])) * time.Millisecond
		s.read = append(s.read, raw{fields[0], fields[1], fields[2], fields[3], max(0, age)})
	}
	return s
}

// hold notes that this node is the holder, for a lease from when it asked.
func (b *box) hold(s holding, q question, begun time.Time) {
	b.entries.hold(begun.Add(b.node.config.Lease))
	b.entries.acked(q.acks)
	if s.cut == 0 {
		return
	}
	b.node.outbox.cut.Add(uint64(s.cut))
	if time.Since(b.lastCut) > cutQuiet {
		b.node.log.Warn("more webhooks wait than Redis keeps: the oldest are dropped", "events", s.cut, "most", backlog)
	}
	b.lastCut = time.Now()
}

// lose is for a box that another node holds, or may by now.
func (b *box) lose() {
	b.cursor = ""
	if open := b.entries.end(); open > 0 {
		b.node.log.Warn("this node could not renew its hold on the webhooks: what it had not sent is sent by whichever node holds them now", "events", open)
	}
}

// restart is for a stream that may be another one: Redis has lost who the holder is.
func (b *box) restart() {
	b.cursor = ""
	b.entries.again()
}

// read tells what was read, and reports whether there is more.
func (b *box) read(s holding, q question) (more bool) {
	whole := s.seen == q.count && q.count > 0
	var tell []*entry
	switch {
	case q.app != "" && whole:
		tell = b.entries.addOf(q.app, s.read, s.last)
	case q.app != "":
		tell = b.entries.addOf(q.app, s.read, "")
	default:
		tell = b.entries.add(s.read)
		if s.last != "" {
			b.cursor = s.last
		}
		if !whole && q.count > 0 {
			b.entries.caughtUp()
		}
	}
	for _, e := range tell {
		c := e.change
		c.Receipt = e
		b.node.noted(c)
	}
	if len(b.entries.unacked(1)) > 0 {
		return true
	}
	app, _ := b.entries.behind()
	return !b.leaving && b.entries.room() > 0 && (whole || q.app != "" || app != "")
}

// drain tells all that there is, if this node is the holder or can be.
func (b *box) drain(ctx context.Context) {
	for ctx.Err() == nil {
		if more, _, err := b.turn(ctx); err != nil || !more {
			return
		}
	}
}

// leave has other nodes hold the box, as soon as all that this one has told is
// settled.
func (b *box) leave(ctx context.Context) {
	b.leaving = true
	if b.entries.idle() {
		b.release(ctx)
	}
}

// release lets go of the box. What is not settled is for the next one.
func (b *box) release(ctx context.Context) {
	b.leaving = true
	for ctx.Err() == nil && len(b.entries.unacked(ackMost+1)) > ackMost {
		if _, _, err := b.turn(ctx); err != nil {
			break
		}
	}
	if !b.entries.holds() {
		return
	}
	args := []any{b.name}
	for _, id := range b.entries.unacked(ackMost) {
		args = append(args, id)
	}
	b.entries.end()
	b.cursor = ""
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	_ = b.node.scripts.release.Run(ctx, b.node.state, b.keys, args...).Err() // else its lease ends
}
