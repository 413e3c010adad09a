package redis

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// unready is how long Redis may be away before new clients had better go to
// another server.
const unready = 5 * time.Second

// health renews the lease of the node, and knows by that whether Redis answers.
type health struct {
	node *Node
	wake chan struct{}

	mu     sync.Mutex // guards what follows
	since  time.Time  // when Redis stopped to answer; zero while it does
	asked  bool       // it has answered at least once
	losses int        // how often Redis has lost what it had
}

// Ready reports whether Redis answers, or has until a moment ago. A node that has
// not joined yet is not ready.
func (n *Node) Ready() bool {
	h := &n.health
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked && (h.since.IsZero() || time.Since(h.since) < unready)
}

// Stats are what the metrics tell of the cluster.
type Stats struct {
	Up      bool   // Redis answers
	Lost    int    // how often Redis has lost what it had
	Garbage uint64 // messages of others that could not be read
	Nodes   int    // as they have told
	Resubs  uint64 // times that a connection for messages was lost and made anew

	WebhooksLost uint64 // events for backends that were too many for Redis to keep
}

// Stats returns how the cluster fares, as this node sees it.
func (n *Node) Stats() Stats {
	h := &n.health
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Stats{Up: h.since.IsZero() && h.asked, Lost: h.losses, Garbage: n.garbage.Load(), Nodes: n.peers.count()}
	s.WebhooksLost = n.outbox.cut.Load()
	for _, sh := range n.shards {
		if n := sh.connects.Load(); n > 0 {
			s.Resubs += n - 1 // the first is no loss
		}
	}
	return s
}

func (h *health) poke() {
	select {
	case h.wakeup() <- struct{}{}:
	default:
	}
}

func (h *health) wakeup() chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wake == nil {
		h.wake = make(chan struct{}, 1)
	}
	return h.wake
}

// lost notes that Redis has lost what it had.
func (h *health) lost() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.losses++
	h.node.log.Warn("Redis has lost what the cluster had in it: all nodes say again what they have; backends do not hear of what changes meanwhile")
}

// lookEvery is how often it is tried whether Redis answers again.
const lookEvery = 500 * time.Millisecond

// run renews the lease three times in its length.
func (h *health) run(ctx context.Context) {
	wake := h.wakeup()
	for {
		h.renew(ctx)
		every := h.node.config.Lease / 3
		if h.away() {
			every = min(every, lookEvery)
		}
		t := time.NewTimer(every)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-wake:
			t.Stop()
		case <-t.C:
		}
	}
}

func (h *health) renew(ctx context.Context) {
	n := h.node
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	name := n.Name()
	control := n.keys.control()
	infos, err := n.scripts.renew.Run(ctx, n.state, []string{control + ":alive"},
		control, name, n.config.Lease.Milliseconds(), n.peers.mine()).StringSlice()
	if redis.HasErrorPrefix(err, "FENCED") {
		n.again(name, "it was silent for longer than its lease")
		err = nil
	} else if err == nil {
		n.peers.theirs(name, infos)
	}
	h.saw(err)
	if err == nil {
		for _, p := range n.parts {
			p.check()
		}
	}
}

// saw notes whether Redis has answered, and logs it when that has changed.
func (h *health) saw(err error) {
	h.mu.Lock()
	first, was := !h.asked, h.since
	switch {
	case err == nil:
		h.since, h.asked = time.Time{}, true
	case was.IsZero():
		h.since = time.Now()
	}
	h.mu.Unlock()
	log := h.node.log
	switch {
	case err != nil && was.IsZero():
		log.Error("Redis does not answer: what is published is refused until it does", "err", err)
	case err == nil && first:
		log.Info("joined the cluster", "node", h.node.Name(), "redis", h.node.config.Place())
	case err == nil && !was.IsZero():
		log.Info("Redis answers again", "away", time.Since(was).Round(time.Millisecond))
	}
}

// away reports whether Redis is known not to answer.
func (h *health) away() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.since.IsZero()
}
