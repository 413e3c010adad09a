package redis

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// admitWait is how long a client waits to be counted before this node decides
	// by what it knows.
	admitWait = 500 * time.Millisecond

	// relearn is by when all nodes have noticed that Redis has lost what it had,
	// and have said again what they have.
	relearn = 2 * time.Second
)

// quota has the clients of all apps counted, and limits kept, on all nodes
// together. One call at a time is on its way; who comes meanwhile is in the next.
type quota struct {
	node *Node
	wake chan struct{}
	call int64 // the number of the last call; owned by run

	mu    sync.Mutex // guards what follows
	apps  map[string]*clients
	dirty map[string]bool
	lease string    // the node that has had one
	lost  time.Time // when Redis had lost that
}

// clients are those of an app.
type clients struct {
	limit   int // 0 is none
	here    int
	others  int // on the other nodes, when Redis last said so
	waiting []*place
}

// place is what somebody waits for: a client who wants to come, or one who wants to
// know how many there are.
type place struct {
	client bool
	done   chan struct{} // closed when it is decided

	// Guarded by mu.
	decided bool
	ok      bool // the client may come
	total   int
}

func (q *quota) init(n *Node) {
	q.node, q.wake = n, make(chan struct{}, 1)
	q.apps, q.dirty = map[string]*clients{}, map[string]bool{}
}

// Admit implements hub.Cluster. While Redis is away, clients are counted with those
// that the other nodes had when it last said so.
func (n *Node) Admit(ctx context.Context, app string, limit int) bool {
	q := &n.quota
	p := &place{client: true, done: make(chan struct{})}
	q.ask(app, p, limit)
	if n.health.away() {
		return q.guess(app, p)
	}
	timeout := time.NewTimer(admitWait)
	defer timeout.Stop()
	select {
	case <-p.done:
		return p.ok
	case <-timeout.C:
	case <-ctx.Done():
	}
	return q.guess(app, p)
}

// Release implements hub.Cluster.
func (n *Node) Release(app string) {
	q := &n.quota
	q.mu.Lock()
	defer q.mu.Unlock()
	q.of(app).here--
	q.mark(app)
}

// Connections implements hub.Cluster.
func (n *Node) Connections(ctx context.Context, app string) (int, error) {
	if n.health.away() {
		return 0, ErrAway
	}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	p := &place{done: make(chan struct{})}
	n.quota.ask(app, p, -1)
	select {
	case <-p.done:
		return p.total, nil
	case <-ctx.Done():
		n.quota.guess(app, p)
		return 0, errors.Join(ErrAway, ctx.Err())
	}
}

// ask has p wait for the next call. A negative limit is not known.
func (q *quota) ask(app string, p *place, limit int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.of(app)
	if limit >= 0 {
		c.limit = limit
	}
	c.waiting = append(c.waiting, p)
	q.mark(app)
}

// guess decides what Redis has not, by what this node knows.
func (q *quota) guess(app string, p *place) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.decided {
		return p.ok
	}
	p.decided = true
	c := q.of(app)
	if p.ok = p.client && (c.limit == 0 || c.here+c.others < c.limit); p.ok {
		c.here++
	}
	q.mark(app)
	return p.ok
}

// of is called with mu held.
func (q *quota) of(app string) *clients {
	c := q.apps[app]
	if c == nil {
		c = new(clients)
		q.apps[app] = c
	}
	return c
}

// mark is called with mu held.
func (q *quota) mark(app string) {
	q.dirty[app] = true
	q.poke()
}

func (q *quota) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// again has all said again: so Redis knows it whatever it has lost, and this node
// hears what the others have.
func (q *quota) again() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for app := range q.apps {
		q.mark(app)
	}
}

// renewed is called when the lease has been renewed, of which Redis may have known
// nothing.
func (q *quota) renewed(name string, added bool) {
	q.mu.Lock()
	if added && q.lease == name {
		q.lost = time.Now()
	}
	q.lease = name
	q.mu.Unlock()
	q.again()
}

// run says what there is to say, until ctx is done.
func (q *quota) run(ctx context.Context) {
	const least, most = 20 * time.Millisecond, 500 * time.Millisecond
	pause := least
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		}
		for more := true; more; {
			var err error
			if more, err = q.say(ctx); err == nil {
				pause = least
				continue
			}
			q.node.health.poke() // which sees whether Redis answers at all
			if !sleep(ctx, pause) {
				return
			}
			pause = min(2*pause, most)
		}
	}
}

// said is what is said of an app in one call.
type said struct {
	app     string
	have    int
	want    int
	limit   int
	least   int // others
	waiting []*place
}

// say makes one call, and reports whether there is more to say.
func (q *quota) say(ctx context.Context) (more bool, err error) {
	batch := q.take()
	if len(batch) == 0 {
		return false, nil
	}
	q.call++
	name, control := q.node.Name(), q.node.keys.control()
	keys := []string{control + ":alive", control + ":dead", control + ":calls"}
	args := []any{name, q.call}
	for _, s := range batch {
		keys = append(keys, control+":c:"+s.app)
		args = append(args, s.have, s.want, s.limit, s.least)
	}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	reply, err := q.node.scripts.admit.Run(ctx, q.node.state, keys, args...).Int64Slice()
	if err == nil && len(reply) == 2*len(batch) {
		q.decide(batch, reply)
		return true, nil
	}
	q.put(batch)
	switch {
	case redis.HasErrorPrefix(err, "FENCED"):
		q.node.again(name, "it was silent for longer than its lease")
		return true, nil
	case redis.HasErrorPrefix(err, "LOST"):
		q.node.health.renew(ctx)
		return true, nil
	}
	return true, err
}

// take takes some of what is to be said.
func (q *quota) take() (batch []said) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for app := range q.dirty {
		if len(batch) == maxBatch {
			break
		}
		delete(q.dirty, app)
		c := q.of(app)
		s := said{app: app, have: c.here, limit: c.limit, waiting: undecided(c.waiting)}
		for _, p := range s.waiting {
			if p.client {
				s.want++
			}
		}
		if time.Since(q.lost) < relearn {
			s.least = c.others
		}
		c.waiting = nil
		batch = append(batch, s)
	}
	return batch
}

// put has said again what could not be.
func (q *quota) put(batch []said) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range batch {
		c := q.of(s.app)
		c.waiting = append(s.waiting, c.waiting...)
		q.mark(s.app)
	}
}

// decide tells who waits what Redis says. Clients that have come meanwhile without
// it have taken places of those that it gives; what is too many is given back.
func (q *quota) decide(batch []said, reply []int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, s := range batch {
		c := q.of(s.app)
		free, counted := int(reply[2*i]), s.have+int(reply[2*i])
		c.others = int(reply[2*i+1])
		waiting := undecided(s.waiting)
		for _, p := range waiting {
			if p.client && free > 0 && c.here < counted {
				p.ok = true
				free--
				c.here++
			}
		}
		for _, p := range waiting {
			p.decided, p.total = true, c.here+c.others
			close(p.done)
		}
		if c.here != counted {
			q.mark(s.app)
		}
		if !q.dirty[s.app] && c.here == 0 && (c.limit == 0 || c.others == 0) {
			delete(q.apps, s.app)
		}
	}
}

// undecided is called with mu held.
func undecided(all []*place) (waiting []*place) {
	for _, p := range all {
		if !p.decided {
			waiting = append(waiting, p)
		}
	}
	return waiting
}
