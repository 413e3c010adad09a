package redis

import (
	"context"
	"errors"
	"time"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/presence"
)

// Members is the presence.Members of a node.
type Members struct{ *Node }

var _ presence.Members = Members{}

// Members returns the node as the members of presence channels.
func (n *Node) Members() Members { return Members{n} }

// Changes implements hub.Cluster.
func (n *Node) Changes(tell func(presence.Change)) { n.tell = tell }

// enterWait is how long a member waits to see itself.
const enterWait = 2 * time.Second

// Enter implements hub.Cluster. While Redis is away, members are those that this
// node knows of, and those who come.
func (n *Node) Enter(ctx context.Context, t channel.Topic, socketID string, m presence.Member, limit int, enter func([]presence.Member)) error {
	key := topicKey(t)
	// The copy tells nobody to leave socketID out: it is not in the channel yet,
	// unless it was told that its user has gone, and is to be told of the return.
	version, err := n.come(ctx, key, socketID, "", m, limit)
	if err != nil {
		return err
	}
	n.replicas.wait(ctx, key, func(c *replica) bool {
		return c.loaded && c.users[m.UserID] != nil && c.v >= int64(version)
	})
	n.replicas.mu.Lock()
	defer n.replicas.mu.Unlock()
	c := n.replicas.open(key)
	if c.users[m.UserID] == nil { // Redis is away, or slow: it will say so itself
		c.users[m.UserID] = &copied{order: time.Now().UnixNano(), info: m.Info, guess: true}
		n.replicas.tell(key, m.UserID, m.Info, true, socketID)
	}
	c.given = true
	enter(c.members())
	return nil
}

// come notes a connection of a member, of whom except is not to be told. If the
// user was on no node, it returns the version with which it came; else 0.
func (n *Node) come(ctx context.Context, key, socketID, except string, m presence.Member, limit int) (version int, err error) {
	p, who := n.part(key), member{key, m.UserID}
	done := p.join(who, socketID, except, string(m.Info), limit)
	if done == nil || n.health.away() {
		return 0, nil
	}
	select {
	case r := <-done:
		switch {
		case r.err != nil:
			return 0, nil // it is said when Redis is back
		case r.code < 0:
			return 0, presence.ErrFull
		}
		return r.code, nil
	case <-ctx.Done():
		p.leave(who, socketID)
		return 0, ctx.Err()
	}
}

// wait waits until a copy is as it should be, or for as long as enterWait.
func (r *replicas) wait(ctx context.Context, topic string, is func(*replica) bool) {
	timeout := time.NewTimer(enterWait)
	defer timeout.Stop()
	for {
		r.mu.Lock()
		c := r.open(topic)
		ok, changed := is(c), c.changed
		r.mu.Unlock()
		if ok || r.node.health.away() {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Depart implements hub.Cluster. It returns when Redis knows, so that nothing that
// happens then is told before this is. While Redis is away it does not wait.
func (n *Node) Depart(ctx context.Context, t channel.Topic, socketID, userID string) {
	key := topicKey(t)
	_, said := n.part(key).leave(member{key, userID}, socketID)
	if said == nil {
		return
	}
	if !n.health.away() {
		_, _ = wasLast(ctx, said) // what has failed is said again
	}
	n.replicas.retract(key, userID)
}

// Join implements presence.Members.
func (m Members) Join(ctx context.Context, t channel.Topic, socketID string, who presence.Member, limit int) ([]presence.Member, bool, error) {
	key := topicKey(t)
	version, err := m.come(ctx, key, socketID, socketID, who, limit)
	if err != nil {
		return nil, false, err
	}
	list, err := m.List(ctx, t)
	return list, version > 0, err
}

// Leave implements presence.Members.
func (m Members) Leave(ctx context.Context, t channel.Topic, socketID string) (presence.Member, bool, error) {
	key := topicKey(t)
	p := m.part(key)
	for user, h := range p.local(key) {
		here, said := p.leave(member{key, user}, socketID)
		if !here {
			continue
		}
		who := presence.Member{UserID: user}
		if h.info != "" {
			who.Info = []byte(h.info)
		}
		last, err := wasLast(ctx, said)
		return who, last, err
	}
	return presence.Member{}, false, nil
}

// wasLast waits for what Redis says of who has left.
func wasLast(ctx context.Context, said <-chan result) (bool, error) {
	if said == nil {
		return false, nil
	}
	select {
	case r := <-said:
		return r.code > 0, r.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// List implements presence.Members.
func (m Members) List(ctx context.Context, t channel.Topic) ([]presence.Member, error) {
	key := topicKey(t)
	s, err := m.snapshot(ctx, key)
	if err != nil {
		return nil, errors.Join(ErrAway, err)
	}
	c := replica{users: s.users}
	return c.members(), nil
}

// Count implements presence.Members.
func (m Members) Count(ctx context.Context, t channel.Topic) (int, error) {
	key := topicKey(t)
	fields, err := m.state.HLen(ctx, m.part(key).prefix+":p:"+key).Result()
	return int(fields / 2), absent(err) // two for each, and the version
}
