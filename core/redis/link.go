package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	tick       = 250 * time.Millisecond // how often a connection is looked at
	silence    = 3 * time.Second        // after which it is as good as none
	probeEvery = time.Second
)

// link is one connection for messages. It makes sure itself that it is alive, and
// at the server to which messages go: the library would stay with a server that
// has hung, or is no master anymore.
type link struct {
	shard *shard
	ps    *redis.PubSub
	probe string // a channel of its own

	first []string // channels to begin with: what was wanted when it was made

	// Guarded by the mutex of the shard.
	confirmed map[string]time.Time // by topic, since when its messages come

	dialed atomic.Bool
	heard  atomic.Int64 // when anything last came, in nanoseconds
	stale  atomic.Bool  // another has replaced it
	probed atomic.Bool  // the subscription to the probe is confirmed
	failed chan error   // has why it has failed
	once   sync.Once
}

func newLink(s *shard) *link {
	l := &link{
		shard: s, probe: s.node.keys.probe(s.index, s.node.Name()), failed: make(chan error, 1),
		confirmed: map[string]time.Time{},
	}
	l.alive()
	ctx := l.within(context.Background())
	if s.node.keys.sharded() {
		l.ps = s.node.bus.SSubscribe(ctx)
	} else {
		l.ps = s.node.bus.Subscribe(ctx)
	}
	return l
}

func (l *link) alive() { l.heard.Store(time.Now().UnixNano()) }

func (l *link) quiet(now time.Time) time.Duration {
	return time.Duration(now.UnixNano() - l.heard.Load())
}

// fail ends the connection, from anywhere.
func (l *link) fail(err error) {
	select {
	case l.failed <- err:
	default:
	}
}

func (l *link) close() { l.once.Do(func() { _ = l.ps.Close() }) }

func (l *link) listen(ctx context.Context, channels ...string) error {
	ctx = l.within(ctx)
	if l.shard.node.keys.sharded() {
		return l.ps.SSubscribe(ctx, channels...)
	}
	return l.ps.Subscribe(ctx, channels...)
}

func (l *link) leave(ctx context.Context, channel string) error {
	ctx = l.within(ctx)
	if l.shard.node.keys.sharded() {
		return l.ps.SUnsubscribe(ctx, channel)
	}
	return l.ps.Unsubscribe(ctx, channel)
}

// serve hears messages until the connection fails, or is to be replaced.
func (l *link) serve(ctx context.Context) error {
	n := l.shard.node
	if err := l.listen(ctx, l.probe); err != nil {
		return fmt.Errorf("connect for messages: %w", err)
	}
	n.running.Go(func() { l.receive(ctx) })
	for part := range slices.Chunk(l.first, chunk) {
		if err := l.listen(ctx, part...); err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
	}
	n.health.poke() // whatever ended the last connection may have been the end of more
	if l.shard.connects.Load() > 1 {
		n.doubt()
	}
	return l.watch(ctx)
}

// watch returns when the connection is no good anymore, and why.
func (l *link) watch(ctx context.Context) error {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	looked, probed := time.Now(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-l.failed:
			return err
		case why := <-l.shard.replace:
			return why
		case <-ticks.C:
		}
		now := time.Now()
		if now.Sub(looked) > 4*tick {
			l.alive() // the process was paused: first what has come meanwhile is read
		}
		looked = now
		switch quiet := l.quiet(now); {
		case quiet > silence:
			return errSilent
		case quiet > 2*tick:
			if err := l.ps.Ping(l.within(ctx)); err != nil {
				return fmt.Errorf("ping: %w", err)
			}
		}
		if now.Sub(probed) > probeEvery && l.probed.Load() {
			probed = now
			l.shard.node.running.Go(func() { l.look(ctx) })
		}
	}
}

var errSilent = errors.New("nothing comes from Redis anymore")

// look asks the server to which messages go whether it knows this connection.
func (l *link) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	n := l.shard.node
	publish := n.publish.Publish
	if n.keys.sharded() {
		publish = n.publish.SPublish
	}
	heard, err := publish(ctx, l.probe, string(kindProbe)).Result()
	if err != nil {
		n.noticed(l.shard.index, err)
		return
	}
	if heard == 0 {
		l.fail(fmt.Errorf("%w: it does not know this connection", errReplaced))
	}
}

// linger hears what still comes, for a while.
func (l *link) linger(ctx context.Context, d time.Duration) {
	defer l.close()
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			return
		case err := <-l.failed:
			if !errors.Is(err, errReplaced) { // which is known
				return
			}
		}
	}
}

// receive hears messages until the connection is closed.
func (l *link) receive(ctx context.Context) {
	ctx = l.within(ctx)
	for {
		m, err := l.ps.Receive(ctx)
		if err != nil {
			l.fail(err)
			return
		}
		l.alive()
		switch m := m.(type) {
		case *redis.Subscription:
			l.subscription(m)
		case *redis.Message:
			if m.Channel != l.probe {
				l.shard.node.dispatch(topicOf(m.Channel), []byte(m.Payload), l.stale.Load())
			}
		}
	}
}

func (l *link) subscription(m *redis.Subscription) {
	switch m.Kind {
	case "subscribe", "ssubscribe":
		if m.Channel == l.probe {
			l.probed.Store(true)
			l.shard.node.complain("hear what is published", nil)
			return
		}
		l.shard.subscribed(l, topicOf(m.Channel))
	case "unsubscribe", "sunsubscribe":
		l.shard.unsubscribed(l, topicOf(m.Channel))
	}
}
