package redis

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	readers     = 4 // logs that are read at a time
	readAgain   = 50 * time.Millisecond
	readAtMost  = time.Second
	overloadFor = 20 * time.Millisecond
)

// errFull is that a channel has more to send than it may.
var errFull = errors.New("the channel is overloaded")

// reader reads the logs of topics in which the node is behind.
type reader struct {
	node *Node
	wake chan struct{}

	mu    sync.Mutex // guards what follows; taken after that of a tail
	queue []*tail
}

func (r *reader) init(n *Node) {
	r.node, r.wake = n, make(chan struct{}, readers)
}

func (r *reader) add(t *tail) {
	r.mu.Lock()
	r.queue = append(r.queue, t)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default: // as many are awake as there are
	}
}

func (r *reader) take() *tail {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		r.queue = nil
		return nil
	}
	t := r.queue[0]
	r.queue[0] = nil
	r.queue = r.queue[1:]
	return t
}

// run reads until ctx is done. There are several of it.
func (r *reader) run(ctx context.Context) {
	pause := readAgain
	for ctx.Err() == nil {
		t := r.take()
		if t == nil {
			select {
			case <-ctx.Done():
			case <-r.wake:
			}
			continue
		}
		err := t.read(ctx)
		switch {
		case err == nil:
			pause = readAgain
			continue
		case errors.Is(err, errFull):
			sleep(ctx, overloadFor)
		default:
			sleep(ctx, pause)
			pause = min(2*pause, readAtMost)
		}
		r.add(t)
	}
}

// read reads the log up to its end, and delivers what was missed.
func (t *tail) read(ctx context.Context) error {
	for {
		before, after, over := t.mark()
		if over {
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, answer)
		p, err := t.node.replay(ctx, t.topic, after, pageEvents)
		cancel()
		if err != nil {
			return err
		}
		if done, err := t.catch(p, before, after); done || err != nil {
			return err
		}
	}
}

// mark is where a read begins: so many events have come already.
func (t *tail) mark() (before int, after offset, over bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.short = false // what is only in the log is read now
	return len(t.waiting), t.last, t.over
}

// catch delivers what was read, and reports whether that was all.
func (t *tail) catch(p page, before int, after offset) (done bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return true, nil
	}
	t.account(p, after)
	for _, e := range p.events {
		if e.time < t.from { // it was published before anybody here came
			t.seen.add(e.producer, e.number)
		} else if !t.give(e) {
			return false, errFull
		}
		t.last = e.offset()
	}
	if p.more() {
		return false, nil
	}
	if len(p.events) == 0 && t.last.at != p.tip {
		t.last = offset{at: p.tip}
	}
	if t.begun != nil {
		t.seen.before, t.begun, t.from = t.begun, nil, 0
	}
	t.reading = false
	if !t.doubtful {
		t.finish(before)
	}
	return true, nil
}

// account counts what the log does not have anymore.
func (t *tail) account(p page, after offset) {
	switch {
	case t.begun != nil, after.at.Epoch == 0:
		// Who came while Redis was away is owed only what came after.
	case p.tip.Epoch == after.at.Epoch:
		if missing := p.first - 1 - after.at.Offset; missing > 0 && after.at.Offset <= p.tip.Offset {
			t.node.lost.add(t.topic, missing)
		}
	case p.first > 1: // of the log that has begun since; what is missing of the last one, accounts tell
		t.node.lost.add(t.topic, p.first-1)
	}
}
