package occupancy

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/revurb/revurb/core/channel"
)

var _ Tracker = (*Memory)(nil)

// Memory is the Tracker of a server that runs alone. The zero value is ready to
// be started.
type Memory struct {
	Grace time.Duration // for which one may be gone and is not told of; 0 is DefaultGrace

	tell func(Change) // set by Start

	mu     sync.Mutex // guards what follows; held while telling, which keeps the order
	holds  map[holder]*hold
	misses map[channel.Topic]uint64 // the number of the miss that was told
	last   uint64                   // number of a departure or miss
	timers []deadline               // the earliest first, since all take as long
	timer  *time.Timer              // for the first of timers; nil if there is none
}

// holder is what is occupied: a channel, or a user's place in it.
type holder struct {
	channel.Topic
	userID string
}

// hold is how many subscriptions occupy it.
type hold struct {
	subscriptions int
	left          uint64 // the number of the last departure, while nobody is there
}

// deadline is when a departure is told, or a miss is forgotten.
type deadline struct {
	at     time.Time
	holder holder
	number uint64
	miss   bool
}

// Start implements Tracker.
func (m *Memory) Start(tell func(Change)) {
	m.tell, m.Grace = tell, cmp.Or(m.Grace, DefaultGrace)
}

// Join implements Tracker.
func (m *Memory) Join(_ context.Context, t channel.Topic, userID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrive(holder{Topic: t})
	if userID != "" {
		m.arrive(holder{t, userID})
	}
	return nil
}

func (m *Memory) arrive(who holder) {
	h := m.holds[who]
	if h == nil {
		if m.holds == nil {
			m.holds = map[holder]*hold{}
		}
		h = &hold{}
		m.holds[who] = h
		m.tell(Change{Topic: who.Topic, UserID: who.userID, Came: true})
	}
	h.subscriptions++
}

// Leave implements Tracker.
func (m *Memory) Leave(_ context.Context, t channel.Topic, userID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if userID != "" {
		m.depart(holder{t, userID})
	}
	m.depart(holder{Topic: t})
	return nil
}

func (m *Memory) depart(who holder) {
	h := m.holds[who]
	if h == nil || h.subscriptions == 0 { // it never came
		return
	}
	if h.subscriptions--; h.subscriptions > 0 {
		return
	}
	h.left = m.after(who, false)
}

// after has a departure or a miss seen to when the grace is over, and returns
// its number.
func (m *Memory) after(who holder, miss bool) uint64 {
	m.last++
	m.timers = append(m.timers, deadline{time.Now().Add(m.Grace), who, m.last, miss})
	if m.timer == nil {
		m.timer = time.AfterFunc(m.Grace, m.expire)
	}
	return m.last
}

// Missed implements Tracker.
func (m *Memory) Missed(_ context.Context, t channel.Topic) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, told := m.misses[t]; told {
		return false, nil
	}
	if m.misses == nil {
		m.misses = map[channel.Topic]uint64{}
	}
	m.misses[t] = m.after(holder{Topic: t}, true)
	return true, nil
}

// expire sees to what is due, and waits for what comes next.
func (m *Memory) expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.timer = nil
	now := time.Now()
	m.settle(func(d deadline) bool { return !d.at.After(now) })
	if len(m.timers) > 0 {
		m.timer = time.AfterFunc(m.timers[0].at.Sub(now), m.expire)
	}
}

// Flush implements Tracker.
func (m *Memory) Flush(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	m.settle(func(deadline) bool { return true })
	return nil
}

// settle sees to the first of timers, as long as they are due.
func (m *Memory) settle(due func(deadline) bool) {
	for len(m.timers) > 0 && due(m.timers[0]) {
		d := m.timers[0]
		if m.timers = m.timers[1:]; len(m.timers) == 0 {
			m.timers = nil // and its memory with it
		}
		switch h := m.holds[d.holder]; {
		case d.miss:
			delete(m.misses, d.holder.Topic)
		case h != nil && h.subscriptions == 0 && h.left == d.number:
			delete(m.holds, d.holder)
			m.tell(Change{Topic: d.holder.Topic, UserID: d.holder.userID})
		}
	}
}
