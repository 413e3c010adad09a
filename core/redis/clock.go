package redis

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// clock is Redis's, as far as a node knows it: events carry its time, so that all
// nodes mean the same by the age of one.
type clock struct {
	mu    sync.Mutex // guards what follows
	ms    int64      // what it was
	asked time.Time  // when that was; zero if it is not known
}

// set notes what Redis has said just now.
func (c *clock) set(ms int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ms, c.asked = ms, time.Now()
}

// now is about what it is in milliseconds; false if it is not known.
func (c *clock) now() (ms int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ms + time.Since(c.asked).Milliseconds(), !c.asked.IsZero()
}

// time returns what Redis's clock is about, and asks for it the first time.
func (b *batcher) time(ctx context.Context) (int64, error) {
	n := b.node
	if ms, ok := n.clock.now(); ok {
		return ms, nil
	}
	client, err := n.master(ctx, n.keys.of(b.index))
	if err != nil {
		return 0, err
	}
	t, err := client.Time(ctx).Result()
	if err != nil {
		return 0, fmt.Errorf("ask Redis for the time: %w", err)
	}
	n.clock.set(t.UnixMilli())
	return t.UnixMilli(), nil
}
