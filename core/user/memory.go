package user

import (
	"context"
	"sync"
)

var _ Users = (*Memory)(nil)

// Memory is the Users of a server that runs alone. The zero value is ready to
// use.
type Memory struct {
	mu      sync.RWMutex // guards what follows
	sockets map[User]map[string]bool
}

// SignIn implements Users.
func (m *Memory) SignIn(_ context.Context, u User, socketID string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sockets := m.sockets[u]
	first := sockets == nil
	if first {
		sockets = map[string]bool{}
		if m.sockets == nil {
			m.sockets = map[User]map[string]bool{}
		}
		m.sockets[u] = sockets
	}
	sockets[socketID] = true
	return first, nil
}

// SignOut implements Users.
func (m *Memory) SignOut(_ context.Context, u User, socketID string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sockets := m.sockets[u]
	if !sockets[socketID] {
		return false, nil
	}
	delete(sockets, socketID)
	if len(sockets) > 0 {
		return false, nil
	}
	delete(m.sockets, u)
	return true, nil
}

// Online implements Users.
func (m *Memory) Online(_ context.Context, app string, ids []string) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var online []string
	for _, id := range ids {
		if m.sockets[User{App: app, ID: id}] != nil {
			online = append(online, id)
		}
	}
	return online, nil
}
