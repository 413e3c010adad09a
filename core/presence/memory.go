package presence

import (
	"context"
	"sync"

	"github.com/revurb/revurb/core/channel"
)

var _ Members = (*Memory)(nil)

// Memory is the Members of a server that runs alone. The zero value is ready
// to use.
type Memory struct {
	mu    sync.Mutex // guards what follows
	rooms map[channel.Topic]*room
}

// room is the members of one channel.
type room struct {
	users   map[string]*user  // by user ID
	sockets map[string]string // the user ID, by socket ID
	order   []*user           // by arrival; those who left are swept out later
}

type user struct {
	Member
	sockets int
}

// Join implements Members.
func (p *Memory) Join(_ context.Context, t channel.Topic, socketID string, m Member, limit int) ([]Member, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rooms[t]
	if r == nil {
		r = &room{users: map[string]*user{}, sockets: map[string]string{}}
	}
	if _, ok := r.sockets[socketID]; ok {
		return r.list(), false, nil
	}
	u, ok := r.users[m.UserID]
	if !ok {
		if limit > 0 && len(r.users) >= limit {
			return nil, false, ErrFull
		}
		u = &user{Member: m}
		r.users[m.UserID] = u
		r.order = append(r.order, u)
	}
	u.sockets++
	r.sockets[socketID] = m.UserID
	if p.rooms == nil {
		p.rooms = map[channel.Topic]*room{}
	}
	p.rooms[t] = r
	return r.list(), !ok, nil
}

// Leave implements Members.
func (p *Memory) Leave(_ context.Context, t channel.Topic, socketID string) (Member, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rooms[t]
	if r == nil {
		return Member{}, false, nil
	}
	id, ok := r.sockets[socketID]
	if !ok {
		return Member{}, false, nil
	}
	delete(r.sockets, socketID)
	u := r.users[id]
	u.sockets--
	if u.sockets > 0 {
		return u.Member, false, nil
	}
	delete(r.users, id)
	if len(r.users) == 0 {
		delete(p.rooms, t)
	}
	return u.Member, true, nil
}

// List implements Members.
func (p *Memory) List(_ context.Context, t channel.Topic) ([]Member, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.rooms[t]; r != nil {
		return r.list(), nil
	}
	return []Member{}, nil
}

// Count implements Members.
func (p *Memory) Count(_ context.Context, t channel.Topic) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.rooms[t]; r != nil {
		return len(r.users), nil
	}
	return 0, nil
}

// list returns the members in order. Those who left are still in order, and
// are swept out here: leaving need not search for them.
func (r *room) list() []Member {
	members := make([]Member, 0, len(r.users))
	kept := r.order[:0]
	for _, u := range r.order {
		if u.sockets > 0 {
			kept = append(kept, u)
			members = append(members, u.Member)
		}
	}
	clear(r.order[len(kept):])
	r.order = kept
	return members
}
