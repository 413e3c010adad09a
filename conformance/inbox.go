package conformance

import (
	"context"
	"sync"
	"time"
)

// inbox holds messages in the order in which they came, until they are taken.
type inbox struct {
	mu       sync.Mutex // guards what follows
	messages []Message
	ended    bool
	wake     chan struct{} // has an item when something has changed
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (i *inbox) put(m Message) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.messages = append(i.messages, m)
	i.signal()
}

// unread puts messages back, before those that came later.
func (i *inbox) unread(messages []Message) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.messages = append(messages[:len(messages):len(messages)], i.messages...)
	i.signal()
}

func (i *inbox) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	i.signal()
}

func (i *inbox) signal() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

func (i *inbox) take() (m Message, ok, ended bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.messages) == 0 {
		return m, false, i.ended
	}
	m = i.messages[0]
	i.messages = i.messages[1:]
	return m, true, false
}

// next waits for a message. It returns why there is none, if there is none.
func (i *inbox) next(ctx context.Context, timeout time.Duration) (m Message, problem string) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		m, ok, ended := i.take()
		switch {
		case ok:
			return m, ""
		case ended:
			return m, "the connection has ended"
		}
		select {
		case <-i.wake:
		case <-timer.C:
			return m, "nothing came in " + timeout.String()
		case <-ctx.Done():
			return m, context.Cause(ctx).Error()
		}
	}
}
