package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	batchEvents = 128       // that go out together: half a millisecond of Redis
	batchBytes  = 512 << 10 // of them
	maxWaiting  = 4096      // that wait to go out in a partition; more are refused
	lookEach    = time.Second
	retryPause  = 20 * time.Millisecond
	retryMost   = 200 * time.Millisecond
)

// batcher publishes the events of one partition: those that wait go out together,
// one batch after the other, and one that is alone at once. So the events of a
// publisher keep their order.
//
// A batch of which it is not known whether Redis has done it is sent again, to the
// same server, until its events have waited for publish_wait. That server does not
// do it twice: an attempt has a number, after which no earlier one is done, and an
// event has the number that this node gave it, by which Redis looks for it in the
// log. Another server refuses it: whoever has heard the event from the first one has
// heard it at another place.
type batcher struct {
	node  *Node
	index int // of the partition
	queue chan *publication

	accepted accepted

	// Owned by run.
	next     *publication // taken from the queue, and too much for the last batch
	attempt  int64
	sequence int64                // of the last event
	server   int64                // that has done the last batch, as it names itself; 0 if it may not
	looked   time.Time            // when it was asked for that
	lasting  map[string]time.Time // by topic, when its log was told to last on
}

func newBatcher(n *Node, partition int) *batcher {
	return &batcher{node: n, index: partition, queue: make(chan *publication, maxWaiting), server: -1}
}

// publish returns when Redis has taken the event, or when it has waited for
// publish_wait. After an error Redis may have taken it, too.
func (b *batcher) publish(ctx context.Context, p *publication) error {
	select {
	case b.queue <- p:
	default:
		return fmt.Errorf("too many events wait for Redis: %w", ErrAway)
	}
	late := time.NewTimer(time.Until(p.until))
	defer late.Stop()
	select {
	case err := <-p.done:
		return err
	case <-late.C:
		p.settle(ErrAway)
		return <-p.done
	case <-ctx.Done():
		p.settle(ctx.Err())
		return <-p.done
	case <-b.node.done:
		p.settle(ErrAway)
		return <-p.done
	}
}

func (b *batcher) run(ctx context.Context) {
	for {
		batch := b.take(ctx)
		if batch == nil {
			return
		}
		b.send(ctx, batch)
	}
}

// look reports whether the server is to be asked for the time, and which one it is.
func (b *batcher) look() bool { return time.Since(b.looked) > lookEach }

// take waits for events, and returns those that go out together; nil when ctx is
// done.
func (b *batcher) take(ctx context.Context) (batch []*publication) {
	p := b.next
	if b.next = nil; p == nil {
		select {
		case <-ctx.Done():
			return nil
		case p = <-b.queue:
		}
	}
	batch = append(batch, p)
	size := len(p.payload)
	for len(batch) < batchEvents {
		select {
		case p := <-b.queue:
			if size += len(p.payload); size > batchBytes {
				b.next = p
				return batch
			}
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

// send sends a batch until Redis has done it or refused it, or nobody waits for
// it anymore.
func (b *batcher) send(ctx context.Context, batch []*publication) {
	unsure := false // whether an attempt may have been done
	for pause := retryPause; ; pause = min(2*pause, retryMost) {
		sleep(ctx, b.node.masters.pause())
		batch = waiting(batch)
		if len(batch) == 0 {
			return
		}
		sent := time.Now()
		unheard, err := b.try(ctx, batch, unsure)
		if err == nil {
			// Who was told 503 meanwhile was promised nothing.
			b.accepted.add(slices.DeleteFunc(batch, func(p *publication) bool { return !p.settle(nil) }))
			for _, topic := range unheard {
				b.node.shards[b.index].unheard(topic, sent)
			}
			return
		}
		b.lasting = nil // what was to be told to last on may not have been
		b.node.noticed(b.index, err)
		switch {
		case !refused(err):
			unsure = true
		case !endsSoon(err):
			for _, p := range batch {
				p.settle(errors.Join(ErrAway, err))
			}
			return
		}
		if !sleep(ctx, pause) {
			for _, p := range batch {
				p.settle(ErrAway)
			}
			return
		}
	}
}

// waiting returns the publications that somebody waits for.
func waiting(batch []*publication) []*publication {
	left := batch[:0]
	for _, p := range batch {
		if !p.gone() {
			left = append(left, p)
		}
	}
	return left
}
