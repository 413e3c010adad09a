package hub

import (
	"maps"
	"slices"
	"sync"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/metrics"
)

// tenant is what this node holds of one app: apps share nothing.
type tenant struct {
	metrics *metrics.App
	app     *app.App
	control sync.Once // listens to the other nodes

	mu       sync.RWMutex // guards what follows
	sessions map[string]*Session
	channels map[string]*channel.Channel // those with subscribers
	users    map[string]map[*Session]int // by the IDs of users; see know
	counters map[string]*counter         // by the names of channels
}

func newTenant(m *metrics.App) *tenant {
	return &tenant{
		metrics:  m,
		sessions: map[string]*Session{},
		channels: map[string]*channel.Channel{},
		users:    map[string]map[*Session]int{},
		counters: map[string]*counter{},
	}
}

// channel returns the channel called name, or nil if nobody here is in it.
func (t *tenant) channel(name string) *channel.Channel {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.channels[name]
}

// session returns the session with the given socket ID, or nil.
func (t *tenant) session(id string) *Session {
	if id == "" {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.sessions[id]
}

// subscriber is the session with the given socket ID as one of a channel, or nil.
func (t *tenant) subscriber(id string) channel.Subscriber {
	if s := t.session(id); s != nil {
		return s
	}
	return nil
}

// newChannel makes a channel that nobody finds before it is opened.
func (t *tenant) newChannel(name string) *channel.Channel {
	ch := channel.New(name)
	ch.Sent = func(messages, bytes int) {
		t.metrics.Deliveries.Add(float64(messages))
		t.metrics.BytesOut.Add(float64(bytes))
	}
	return ch
}

func (t *tenant) open(ch *channel.Channel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.channels[ch.Name] = ch
}

func (t *tenant) close(ch *channel.Channel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.channels, ch.Name)
}

// add registers s, unless limit sessions are registered; 0 is no limit.
func (t *tenant) add(s *Session, limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if limit > 0 && len(t.sessions) >= limit {
		return false
	}
	for s.ID == "" || t.sessions[s.ID] != nil {
		s.ID = newSocketID()
	}
	t.sessions[s.ID] = s
	return true
}

func (t *tenant) remove(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sessions, s.ID)
}

func (t *tenant) allSessions() []*Session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Collect(maps.Values(t.sessions))
}

func (t *tenant) allChannels() []*channel.Channel {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Collect(maps.Values(t.channels))
}

func (t *tenant) connections() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.sessions)
}
