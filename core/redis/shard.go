package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	chunk       = 512 // channels that are subscribed to at once: half a millisecond of Redis
	confirmWait = 2 * answer
	overlap     = 3 * time.Second // for which a connection that is replaced is still heard
)

// shard is what this node hears of the topics of one partition: over one
// connection for messages, which is made anew when it fails, and replaced when
// the server at its other end is not the one that has the partition anymore.
type shard struct {
	node     *Node
	index    int // of the partition
	connects atomic.Uint64
	locator  locator
	replace  chan error // has why the connection is to be replaced

	mu      sync.Mutex // guards what follows
	link    *link      // nil while there is none
	failing bool       // connections fail since the last one that was any good
	topics  map[string]*tail
	waiting map[string][]chan struct{} // by topic, until Redis confirms the subscription
	leaving map[string]int             // by topic, unsubscriptions that Redis has not confirmed
}

func newShard(n *Node, i int) *shard {
	s := &shard{
		node: n, index: i, replace: make(chan error, 1),
		topics: map[string]*tail{}, waiting: map[string][]chan struct{}{}, leaving: map[string]int{},
	}
	s.locator.init(s)
	return s
}

// shard returns the one that a topic is heard on.
func (n *Node) shard(topic string) *shard { return n.shards[n.keys.partition(topic)] }

// tail returns how far the node is in a topic, or nil if it does not listen to it.
func (s *shard) tail(topic string) *tail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.topics[topic]
}

// subscribe returns when all that is published from then on will be delivered. If
// Redis is away it returns at once, or after a while: then it is delivered when
// Redis is back.
func (s *shard) subscribe(ctx context.Context, topic string) error {
	came := time.Now()
	t, l, confirmed := s.open(topic)
	if confirmed == nil {
		return s.await(ctx, t, nil, came)
	}
	ask := func() {
		if l == nil {
			return
		}
		// Whoever asks may go: the connection is that of all.
		if err := l.listen(context.WithoutCancel(ctx), s.node.keys.channel(topic)); err != nil {
			l.fail(err) // it is made anew, with all that is wanted
		}
	}
	if s.hopeless() {
		if l != nil { // else the node may be closed
			s.node.running.Go(ask)
		}
		t.late(came)
		s.forget(topic, confirmed)
		return nil
	}
	ask()
	return s.await(ctx, t, confirmed, came)
}

// hopeless reports whether there is no use in waiting for Redis.
func (s *shard) hopeless() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failing || s.link == nil && s.node.health.away()
}

// open returns the tail of a topic, which begins if there is none, and what is
// closed when Redis has confirmed the subscription: nil if it has.
func (s *shard) open(topic string) (t *tail, l *link, confirmed chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t = s.topics[topic]
	if t == nil {
		t = newTail(s.node, topic)
		s.topics[topic] = t
	} else if s.link != nil && !s.link.confirmed[topic].IsZero() {
		return t, s.link, nil
	}
	confirmed = make(chan struct{})
	s.waiting[topic] = append(s.waiting[topic], confirmed)
	return t, s.link, confirmed
}

// await waits until a subscription is confirmed and its log known. Who is let go
// before that is delivered what was published meanwhile once it is.
func (s *shard) await(ctx context.Context, t *tail, confirmed chan struct{}, came time.Time) error {
	timeout := time.NewTimer(confirmWait)
	defer timeout.Stop()
	defer s.forget(t.topic, confirmed)
	for _, done := range []chan struct{}{confirmed, t.ready} {
		if done == nil {
			continue
		}
		select {
		case <-done:
		case <-ctx.Done():
			return fmt.Errorf("subscribe in Redis: %w", ctx.Err())
		case <-timeout.C:
			t.late(came)
			return nil
		case <-s.node.done:
			return nil
		}
	}
	return nil
}

// forget takes back that somebody waits.
func (s *shard) forget(topic string, confirmed chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.waiting[topic][:0]
	for _, c := range s.waiting[topic] {
		if c != confirmed {
			left = append(left, c)
		}
	}
	if s.waiting[topic] = left; len(left) == 0 {
		delete(s.waiting, topic)
	}
}

func (s *shard) unsubscribe(ctx context.Context, topic string) {
	s.mu.Lock()
	t, l := s.topics[topic], s.link
	delete(s.topics, topic)
	if l != nil {
		delete(l.confirmed, topic)
		s.leaving[topic]++
	}
	s.mu.Unlock()
	if t != nil {
		t.end()
	}
	if l == nil {
		return
	}
	if err := l.leave(context.WithoutCancel(ctx), s.node.keys.channel(topic)); err != nil {
		l.fail(err) // what is not wanted is not heard on the next one
	}
}

// errReplaced is that a connection is to be replaced while it still works.
var errReplaced = errors.New("another server has the topics")

// run hears messages until ctx is done.
func (s *shard) run(ctx context.Context) {
	const least, most = 20 * time.Millisecond, time.Second
	pause := least
	for ctx.Err() == nil {
		begun := time.Now()
		l := s.begin()
		err := l.serve(ctx)
		s.node.log.Debug("connection for messages is made anew", "shard", s.index, "err", err)
		if errors.Is(err, errReplaced) {
			// What the old server still sends is heard, until all publishers have
			// noticed: they do not all do so at the same moment.
			l.stale.Store(true)
			s.node.running.Go(func() { l.linger(ctx, overlap) })
		} else {
			l.close()
			s.node.noticed(s.index, err)
		}
		s.end(l, err)
		if time.Since(begun) > most {
			pause = least
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, most)
	}
}

// begin makes a connection that of the shard. All topics are in doubt from now on.
func (s *shard) begin() *link {
	l := newLink(s)
	s.connects.Add(1)
	select {
	case <-s.replace: // it was of the last one
	default:
	}
	s.mu.Lock()
	s.link = l
	clear(s.leaving)
	tails := make([]*tail, 0, len(s.topics))
	for topic, t := range s.topics {
		tails = append(tails, t)
		l.first = append(l.first, s.node.keys.channel(topic))
	}
	s.mu.Unlock()
	for _, t := range tails {
		t.doubt()
	}
	return l
}

// end takes the connection from the shard. One that was no good at all may be
// followed by more of its kind.
func (s *shard) end(l *link, err error) {
	s.mu.Lock()
	s.link = nil
	s.failing = !errors.Is(err, errReplaced) && !l.probed.Load()
	s.mu.Unlock()
	if !errors.Is(err, errReplaced) {
		s.node.complain("hear what is published", err)
	}
}

// renew has the connection replaced, because of what was noticed.
func (s *shard) renew(why error) {
	select {
	case s.replace <- why:
	default: // it is about to be
	}
}

// unheard is told of an event, sent to Redis at the given time, that no connection
// was sent. If this node listened to its topic by then, it does so at the wrong
// server.
func (s *shard) unheard(topic string, sent time.Time) {
	s.mu.Lock()
	var since time.Time
	if s.link != nil {
		since = s.link.confirmed[topic]
	}
	s.mu.Unlock()
	if !since.IsZero() && since.Before(sent) {
		s.renew(fmt.Errorf("%w: it has sent an event to nobody", errReplaced))
	}
}

// subscribed is told that Redis has confirmed a subscription.
func (s *shard) subscribed(l *link, topic string) {
	s.mu.Lock()
	t := s.topics[topic]
	if s.link != l || t == nil {
		s.mu.Unlock()
		return
	}
	l.confirmed[topic] = time.Now()
	for _, done := range s.waiting[topic] {
		close(done)
	}
	delete(s.waiting, topic)
	s.mu.Unlock()
	// Only now: all that is published after Redis has said where the log is will be
	// heard, one after the other.
	s.locator.add(t)
	s.node.replicas.subscribed(context.Background(), topic)
}

// unsubscribed is told that Redis sends no more of a topic.
func (s *shard) unsubscribed(l *link, topic string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != l {
		return
	}
	if s.leaving[topic] > 0 {
		if s.leaving[topic]--; s.leaving[topic] == 0 {
			delete(s.leaving, topic)
		}
		return
	}
	s.renew(fmt.Errorf("%w: it has ended a subscription", errReplaced))
}

// topic is what is published on a channel.
func topicOf(channel string) string {
	_, topic, _ := strings.Cut(channel, ":t:")
	return topic
}
