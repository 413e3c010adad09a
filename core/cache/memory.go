package cache

import (
	"context"
	"sync"
	"time"

	"github.com/revurb/revurb/core/channel"
)

var _ Store = (*Memory)(nil)

// Memory is the Store of a server that runs alone. The zero value is ready to
// use.
type Memory struct {
	// Now tells the time; nil is time.Now.
	Now func() time.Time

	mu      sync.Mutex // guards what follows
	entries map[channel.Topic]entry
	sweepAt int // so many entries call for a sweep
}

type entry struct {
	event   Event
	expires time.Time
}

const minSweep = 1024

// Put implements Store.
func (m *Memory) Put(_ context.Context, t channel.Topic, e Event, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.entries == nil {
		m.entries = map[channel.Topic]entry{}
	}
	m.entries[t] = entry{e, m.now().Add(ttl)}
	if len(m.entries) >= max(m.sweepAt, minSweep) {
		m.sweep()
	}
	return nil
}

// sweep drops what has expired. The next sweep is due when twice as much is
// kept, so that each Put pays for a constant share of it.
func (m *Memory) sweep() {
	now := m.now()
	for t, e := range m.entries {
		if !now.Before(e.expires) {
			delete(m.entries, t)
		}
	}
	m.sweepAt = 2 * len(m.entries)
}

// Get implements Store.
func (m *Memory) Get(_ context.Context, t channel.Topic) (Event, time.Duration, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[t]
	if !ok {
		return Event{}, 0, false, nil
	}
	left := e.expires.Sub(m.now())
	if left <= 0 {
		delete(m.entries, t)
		return Event{}, 0, false, nil
	}
	return e.event, left, true, nil
}

func (m *Memory) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

// Len is how many events are kept, the expired among them that have not been
// dropped yet.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}
