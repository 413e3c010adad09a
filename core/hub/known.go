package hub

import (
	"maps"
	"slices"
)

// know notes that s may be terminated by the ID of a user: because it has
// signed in, or for a presence channel that it is in. Each needs a forget.
func (t *tenant) know(userID string, s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sessions := t.users[userID]
	if sessions == nil {
		sessions = map[*Session]int{}
		t.users[userID] = sessions
	}
	sessions[s]++
}

func (t *tenant) forget(userID string, s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sessions := t.users[userID]
	if sessions[s]--; sessions[s] > 0 {
		return
	}
	delete(sessions, s)
	if len(sessions) == 0 {
		delete(t.users, userID)
	}
}

func (t *tenant) known(userID string) []*Session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Collect(maps.Keys(t.users[userID]))
}

// counter returns what holds back the count of a channel, or nil.
func (t *tenant) counter(name string) *counter {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.counters[name]
}

// setCounter keeps c; nil is none.
func (t *tenant) setCounter(name string, c *counter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c == nil {
		delete(t.counters, name)
		return
	}
	t.counters[name] = c
}
