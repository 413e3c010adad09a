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
	since  time.Time  // when Redis stopped to answer, or to do as it is told; zero while it does
	said   spoken     // of what is wrong since then
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
	Repairs uint64 // entries that Redis had lost, and that were put right
	Garbage uint64 // messages of others that could not be read
	Nodes   int    // as they have told
	Resubs  uint64 // times that a connection for messages was lost and made anew

	LostEvents   uint64 // that were accepted and could not be delivered here
	WebhooksLost uint64 // events for backends that were too many for Redis to keep
}

// Stats returns how the cluster fares, as this node sees it.
func (n *Node) Stats() Stats {
	h := &n.health
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Stats{Up: h.since.IsZero() && h.asked, Lost: h.losses, Repairs: n.repairs.Load(), Garbage: n.garbage.Load(), Nodes: n.peers.count()}
	s.WebhooksLost, s.LostEvents = n.outbox.cut.Load(), n.lost.count()
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
	h.node.mayHaveLost()
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
	reply, err := n.scripts.renew.Run(ctx, n.state, []string{control + ":alive", control + ":dead", control + ":clock"},
		name, n.config.Lease.Milliseconds()).Int64Slice()
	if redis.HasErrorPrefix(err, "FENCED") {
		n.again(name, "it was silent for longer than its lease")
		err = nil
	} else if err == nil {
		n.peers.saw(int(reply[1]))
		n.quota.renewed(name, reply[0] == 1)
	}
	h.saw(err)
	if err == nil {
		for _, p := range n.parts {
			p.check()
		}
	}
}

// joined reports whether Redis has answered at least once.
func (h *health) joined() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

// saw notes whether Redis has done as it was told, and logs when that has changed.
// What is wrong is said again when it is something else, and once a minute.
func (h *health) saw(err error) {
	if err == nil {
		h.sawGood()
	} else {
		h.sawBad(err, time.Now())
	}
}

func (h *health) sawGood() {
	h.mu.Lock()
	first, was := !h.asked, h.since
	h.since, h.asked = time.Time{}, true
	h.mu.Unlock()
	log := h.node.log
	switch {
	case first:
		log.Info("joined the cluster", append([]any{"node", h.node.Name(), "redis", h.node.config.Place()}, h.node.servers.attrs()...)...)
	case !was.IsZero():
		log.Info("Redis is usable again", "away", time.Since(was).Round(time.Millisecond).String())
	}
}

func (h *health) sawBad(err error, now time.Time) {
	h.mu.Lock()
	if h.since.IsZero() {
		h.since, h.said = now, spoken{}
	}
	joined, away := h.asked, now.Sub(h.since)
	d := h.node.config.diagnose(err, joined)
	due := h.said.due(d.what, now)
	h.mu.Unlock()
	if !due {
		return
	}
	text := d.what + "; publishes are refused with 503 until that is over"
	if !joined {
		text = "cannot join the cluster: " + text
	}
	attrs := d.attrs(err)
	if away > 0 {
		attrs = append(attrs, "away", away.Round(time.Millisecond).String())
	}
	h.node.log.Error(text, attrs...)
}

// away reports whether Redis is known not to answer.
func (h *health) away() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.since.IsZero()
}
