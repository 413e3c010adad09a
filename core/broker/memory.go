package broker

import (
	"context"
	"sync"

	"github.com/revurb/revurb/core/channel"
)

var (
	_ Broker = (*Memory)(nil)
	_ Log    = (*Memory)(nil)
)

// Memory is the Broker of a server that runs alone. The zero value is ready to
// use, and keeps nothing for its Log.
type Memory struct {
	Retention Retention // set before Start; the zero value costs nothing

	deliver func(Message) error // set by Start

	mu     sync.RWMutex // guards what follows
	topics map[channel.Topic]bool
	logs   memoryLogs
}

// Start implements Broker.
func (b *Memory) Start(deliver func(Message) error) error {
	b.deliver = deliver
	return nil
}

// Close implements Broker.
func (b *Memory) Close() error { return nil }

// Subscribe implements Broker.
func (b *Memory) Subscribe(_ context.Context, t channel.Topic) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.topics == nil {
		b.topics = map[channel.Topic]bool{}
	}
	b.topics[t] = true
	return nil
}

// Unsubscribe implements Broker.
func (b *Memory) Unsubscribe(_ context.Context, t channel.Topic) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.topics, t)
	return nil
}

// Publish implements Broker. An error is that of deliver: nothing is appended
// then.
func (b *Memory) Publish(_ context.Context, m Message) error {
	if b.Retention != (Retention{}) {
		return b.publish(m)
	}
	b.mu.RLock()
	ok := b.topics[m.Topic]
	b.mu.RUnlock()
	if !ok {
		return nil
	}
	return b.deliver(m)
}
