package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/revurb/revurb/core/presence"
)

// replicas are copies of who is in the topics that this node listens to. Each
// change that Redis publishes has a version, and that of the change before; where
// one is missing, or has come to a connection that was made anew, the copy is
// compared with what Redis has. So this node's clients hear of each change once.
type replicas struct {
	node     *Node
	trusting bool // what tests do to see that it matters: nothing is compared after a new connection

	mu  sync.Mutex // guards what follows, and the order of what is told
	all map[string]*replica
}

// replica is the copy of one topic.
type replica struct {
	epoch   string
	v       int64 // of the last change, or a later one of another topic
	users   map[string]*copied
	loaded  bool
	given   bool // to somebody, as a list: who is missing there is told of
	loading bool
	loads   int           // the number of the load that counts: what an earlier one has read may be too old
	pending []change      // that came while it was loaded
	changed chan struct{} // closed at the next change, and made anew
}

// copied is a member as Redis has it.
type copied struct {
	order int64
	info  []byte
	guess bool // Redis has not said so
}

func (r *replicas) init(n *Node) {
	r.node = n
	r.all = map[string]*replica{}
}

// open returns the copy of a topic, which is made if there is none. It is called
// with mu held.
func (r *replicas) open(topic string) *replica {
	c := r.all[topic]
	if c == nil {
		c = &replica{users: map[string]*copied{}, changed: make(chan struct{})}
		r.all[topic] = c
		r.load(topic, c)
	}
	return c
}

// drop forgets a topic.
func (r *replicas) drop(topic string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, topic)
}

// subscribed is told that messages of a topic come, from now on or again: what
// came before is unknown.
func (r *replicas) subscribed(_ context.Context, topic string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.all[topic]; c != nil && !(r.trusting && c.loaded) {
		c.loading = false // whatever is being loaded may be older than this
		r.load(topic, c)
	}
}

// load compares the copy with Redis, in the background. Redis has by now what has
// come by now. It is called with mu held.
func (r *replicas) load(topic string, c *replica) {
	if c.loading {
		return
	}
	c.loading, c.pending = true, nil
	c.loads++
	go r.fetch(topic, c, c.loads)
}

func (r *replicas) fetch(topic string, c *replica, number int) {
	n := r.node
	// mu is held.
	stale := func() bool { return r.all[topic] != c || !c.loading || c.loads != number || n.closed.Load() }
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		r.mu.Lock()
		over := stale()
		r.mu.Unlock()
		if over {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*answer)
		s, err := r.whole(ctx, topic, c)
		cancel()
		if err == nil && s.wait <= 0 {
			r.mu.Lock()
			if !stale() {
				r.replace(topic, c, s)
			}
			r.mu.Unlock()
			return
		}
		// While the nodes say again what they have, who is missing has not gone.
		select {
		case <-time.After(max(pause, s.wait)):
		case <-n.done:
			return
		}
	}
}

// whole reads a topic of which Redis has lost nothing: users who are missing there,
// and whom some node has, are restored.
func (r *replicas) whole(ctx context.Context, topic string, c *replica) (snapshot, error) {
	gone := map[string]bool{}
	for {
		s, err := r.node.snapshot(ctx, topic)
		if err != nil || s.wait > 0 {
			return s, err
		}
		missing := r.missing(c, s, gone)
		if len(missing) == 0 {
			return s, nil
		}
		restored := false
		for part := range slices.Chunk(missing, maxBatch) {
			nodes, err := r.node.restore(ctx, topic, part)
			if err != nil {
				return s, fmt.Errorf("restore members of %s: %w", topic, err)
			}
			for i, m := range part {
				gone[m.user] = nodes[i] == 0
				restored = restored || nodes[i] > 0
			}
		}
		if !restored {
			return s, nil
		}
	}
}

// absentee is a user of a copy whom Redis has not.
type absentee struct {
	user, order string
	info        []byte
}

// missing are users of the copy who are in no snapshot, and have not gone for sure.
func (r *replicas) missing(c *replica, s snapshot, gone map[string]bool) (all []absentee) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !c.loaded && !c.given {
		return nil
	}
	for user, copied := range c.users {
		if s.users[user] != nil || gone[user] {
			continue
		}
		m := absentee{user: user, info: copied.info}
		if !copied.guess {
			m.order = strconv.FormatInt(copied.order, 10)
		}
		all = append(all, m)
	}
	return all
}

// restore has Redis put back those whom any node has, and returns how many nodes
// have each.
func (n *Node) restore(ctx context.Context, topic string, missing []absentee) ([]int64, error) {
	var m mending
	for _, who := range missing {
		m.member(member{topic, who.user}, "u", who.order, who.info)
	}
	return n.mend(ctx, n.part(topic), "", "", m)
}

// replace makes the copy what Redis has, and tells of the differences. It is
// called with mu held.
func (r *replicas) replace(topic string, c *replica, s snapshot) {
	told := c.loaded || c.given
	for user := range c.users {
		if s.users[user] == nil && told {
			r.tell(topic, user, nil, false, "")
		}
	}
	for _, user := range s.ordered() {
		if c.users[user] == nil && told {
			r.tell(topic, user, s.users[user].info, true, "")
		}
	}
	c.epoch, c.v, c.users = s.epoch, s.v, s.users
	c.loaded, c.loading = true, false
	pending := c.pending
	c.pending = nil
	for _, ch := range pending {
		r.apply(topic, c, ch)
	}
	c.wake()
}

// changed applies a change that Redis has published.
func (r *replicas) changed(topic string, ch change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.all[topic]
	switch {
	case c == nil:
	case c.loading:
		c.pending = append(c.pending, ch)
	default:
		r.apply(topic, c, ch)
	}
}

func (r *replicas) apply(topic string, c *replica, ch change) {
	switch {
	case c.loading:
		c.pending = append(c.pending, ch)
		return
	case ch.epoch == c.epoch && ch.v <= c.v:
		return
	case ch.epoch != c.epoch || ch.last > c.v || ch.last == 0 && len(c.users) > 0:
		r.load(topic, c)
		return
	}
	c.v = ch.v
	_, was := c.users[ch.user]
	if ch.came {
		c.users[ch.user] = &copied{order: ch.order, info: ch.info}
	} else {
		delete(c.users, ch.user)
	}
	if was != ch.came {
		r.tell(topic, ch.user, ch.info, ch.came, ch.except)
	}
	c.wake()
}

// retract takes back a guess: who has gone before Redis heard of it was never
// there, and Redis will say nothing.
func (r *replicas) retract(topic, user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.all[topic]
	if c == nil || c.users[user] == nil || !c.users[user].guess {
		return
	}
	delete(c.users, user)
	r.tell(topic, user, nil, false, "")
	c.wake()
}

func (r *replicas) tell(topic, user string, info []byte, came bool, except string) {
	t, ok := parseTopic(topic)
	if !ok || r.node.tell == nil {
		return
	}
	r.node.tell(presence.Change{Topic: t, Member: presence.Member{UserID: user, Info: info}, Came: came, Except: except})
}

func (c *replica) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// members returns who is in the copy, in the order in which they came.
func (c *replica) members() []presence.Member {
	s := snapshot{users: c.users}
	all := make([]presence.Member, 0, len(c.users))
	for _, user := range s.ordered() {
		all = append(all, presence.Member{UserID: user, Info: c.users[user].info})
	}
	return all
}

// snapshot is a topic as Redis has it.
type snapshot struct {
	epoch string
	wait  time.Duration // for which nodes still say what they have
	v     int64         // of the last change in the partition
	users map[string]*copied
}

func (s snapshot) ordered() []string {
	return slices.SortedFunc(maps.Keys(s.users), func(a, b string) int {
		switch x, y := s.users[a].order, s.users[b].order; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return strings.Compare(a, b)
	})
}

// snapshot reads a topic.
func (n *Node) snapshot(ctx context.Context, topic string) (s snapshot, err error) {
	p := n.part(topic)
	reply, err := n.run(ctx, n.scripts.snapshot, p.prefix, []string{"nodes", "epoch", "recover", "p:" + topic}, topic, n.Name()).Slice()
	if err != nil {
		return s, err
	}
	s.users = map[string]*copied{}
	s.epoch, _ = reply[0].(string)
	version, _ := reply[1].(string)
	if s.v, err = strconv.ParseInt(version, 10, 64); err != nil {
		return s, fmt.Errorf("version of %s: %w", topic, err)
	}
	if ms, _ := reply[2].(int64); ms > 0 {
		s.wait = time.Duration(ms) * time.Millisecond
	}
	hash, _ := reply[3].([]any)
	for i := 0; i+1 < len(hash); i += 2 {
		key, _ := hash[i].(string)
		value, _ := hash[i+1].(string)
		if user, ok := strings.CutPrefix(key, "i\x00"); ok {
			if order, info, err := parseInfo([]byte(value)); err == nil {
				s.users[user] = &copied{order: order, info: info}
			}
		}
	}
	return s, nil
}
