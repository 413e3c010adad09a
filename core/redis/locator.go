package redis

import (
	"context"
	"sync"
	"time"
)

// locator asks Redis where the logs of topics are: of many at once.
type locator struct {
	shard *shard
	wake  chan struct{}

	mu    sync.Mutex // guards what follows
	queue []*tail
}

func (l *locator) init(s *shard) { l.shard, l.wake = s, make(chan struct{}, 1) }

func (l *locator) add(t *tail) {
	l.mu.Lock()
	l.queue = append(l.queue, t)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns those that are asked for next, each once.
func (l *locator) take() (tails []*tail) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(chunk, len(l.queue))
	taken := make(map[*tail]bool, n)
	for _, t := range l.queue[:n] {
		if !taken[t] {
			taken[t] = true
			tails = append(tails, t)
		}
	}
	if l.queue = l.queue[n:]; len(l.queue) == 0 {
		l.queue = nil
	}
	return tails
}

func (l *locator) run(ctx context.Context) {
	const least, most = 20 * time.Millisecond, 500 * time.Millisecond
	pause := least
	for ctx.Err() == nil {
		tails := l.take()
		if len(tails) == 0 {
			select {
			case <-ctx.Done():
			case <-l.wake:
			}
			continue
		}
		err := l.locate(ctx, tails)
		if err == nil {
			pause = least
			continue
		}
		l.shard.node.noticed(l.shard.index, err)
		sleep(ctx, pause)
		pause = min(2*pause, most)
		for _, t := range tails {
			l.add(t)
		}
	}
}

func (l *locator) locate(ctx context.Context, tails []*tail) error {
	topics, generations := make([]string, len(tails)), make([]int, len(tails))
	for i, t := range tails {
		topics[i] = t.topic
		t.mu.Lock()
		generations[i] = t.generation
		t.mu.Unlock()
	}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	all, err := l.shard.node.offsets(ctx, l.shard.index, topics)
	if err != nil {
		return err
	}
	for i, t := range tails {
		t.located(generations[i], all.of[i], &all)
	}
	return nil
}
