package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	chunk      = 512 // channels that are subscribed to at once: half a millisecond of Redis
	silence    = 3 * time.Second
	probeEvery = 2 * time.Second
	probeLimit = 5 * time.Second
	tick       = 500 * time.Millisecond
)

// shard is one connection for messages. It makes sure itself that it is alive:
// the library would stay with a server that has hung, or is no master anymore.
type shard struct {
	node     *Node
	index    int
	connects atomic.Uint64

	mu      sync.Mutex // guards what follows
	ps      *redis.PubSub
	wanted  map[string]bool // channels; true once Redis has said so
	waiting map[string][]chan struct{}

	// Owned by run.
	heard   time.Time // when anything last came
	probed  int       // the number of the last probe
	sent    time.Time // when it was sent
	probing bool      // it has not come back
}

func newShard(n *Node, i int) *shard {
	return &shard{node: n, index: i, wanted: map[string]bool{}, waiting: map[string][]chan struct{}{}}
}

// shard returns the one that a topic is heard on.
func (n *Node) shard(topic string) *shard { return n.shards[n.keys.partition(topic)] }

// subscribe returns when Redis has said that messages of a channel will come. If
// Redis is away it returns at once: they come when it is back.
func (s *shard) subscribe(ctx context.Context, name string) error {
	s.mu.Lock()
	if s.wanted[name] {
		s.mu.Unlock()
		return nil
	}
	s.wanted[name] = false
	ps := s.ps
	if ps == nil && s.node.health.away() {
		s.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	s.waiting[name] = append(s.waiting[name], done)
	s.mu.Unlock()
	if ps != nil && s.node.listen(ctx, ps, name) != nil {
		_ = ps.Close() // the library may have made it anew, without this channel
		return nil     // it is made anew, with all that is wanted
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("subscribe in Redis: %w", ctx.Err())
	case <-time.After(2 * answer):
		return nil
	}
}

func (n *Node) listen(ctx context.Context, ps *redis.PubSub, names ...string) error {
	if n.keys.publish == "SPUBLISH" {
		return ps.SSubscribe(ctx, names...)
	}
	return ps.Subscribe(ctx, names...)
}

func (s *shard) unsubscribe(ctx context.Context, name string) {
	s.mu.Lock()
	delete(s.wanted, name)
	ps := s.ps
	s.mu.Unlock()
	if ps == nil {
		return
	}
	var err error
	if s.node.keys.publish == "SPUBLISH" {
		err = ps.SUnsubscribe(ctx, name)
	} else {
		err = ps.Unsubscribe(ctx, name)
	}
	if err != nil {
		_ = ps.Close() // what is not wanted is not heard on the next one
	}
}

// run hears messages until ctx is done.
func (s *shard) run(ctx context.Context) {
	const least, most = 20 * time.Millisecond, time.Second
	pause := least
	for ctx.Err() == nil {
		begun := time.Now()
		err := s.connection(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > most {
			pause = least
		}
		s.node.log.Debug("connection for messages is made anew", "shard", s.index, "err", err)
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, most)
	}
}

// connection is one connection, from the first to the last.
func (s *shard) connection(ctx context.Context) error {
	n := s.node
	var ps *redis.PubSub
	if n.keys.publish == "SPUBLISH" {
		ps = n.bus.SSubscribe(ctx)
	} else {
		ps = n.bus.Subscribe(ctx)
	}
	s.connects.Add(1)
	probe := n.keys.probe(s.index, n.Name())
	s.heard, s.probing = time.Now(), false
	names := s.begin(ps)
	defer s.end(ps)
	if err := n.listen(ctx, ps, probe); err != nil {
		return err
	}
	for part := range slices.Chunk(names, chunk) {
		if err := n.listen(ctx, ps, part...); err != nil {
			return err
		}
	}
	n.health.poke() // whatever ended the last connection may have been the end of more
	for {
		m, err := ps.ReceiveTimeout(ctx, tick)
		var timeout net.Error
		switch {
		case err == nil:
			s.heard = time.Now()
			s.receive(ctx, m, probe)
		case errors.As(err, &timeout) && timeout.Timeout() && ctx.Err() == nil:
		default:
			return err
		}
		if err := s.check(ctx, ps, probe); err != nil {
			return err
		}
	}
}

// begin makes ps the connection, and returns the channels that are wanted on it.
func (s *shard) begin(ps *redis.PubSub) (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ps = ps
	for name := range s.wanted {
		s.wanted[name] = false
		names = append(names, name)
	}
	return names
}

func (s *shard) end(ps *redis.PubSub) {
	s.mu.Lock()
	s.ps = nil
	for name, all := range s.waiting {
		for _, done := range all {
			close(done)
		}
		delete(s.waiting, name)
	}
	s.mu.Unlock()
	_ = ps.Close()
}

var errSilent = errors.New("nothing comes from Redis anymore")

// check pings a silent connection, and has a message of its own come round: the
// server at the other end may answer and yet hear nothing of what is published.
func (s *shard) check(ctx context.Context, ps *redis.PubSub, probe string) error {
	now := time.Now()
	quiet := now.Sub(s.heard)
	if quiet > silence {
		return errSilent
	}
	if quiet > tick {
		if err := ps.Ping(ctx); err != nil {
			return err
		}
	}
	switch {
	case s.probing && now.Sub(s.sent) > probeLimit:
		return fmt.Errorf("%w that is published: is this still the master?", errSilent)
	case !s.probing && now.Sub(s.sent) > probeEvery:
		s.probed++
		s.sent, s.probing = now, true
		number := strconv.Itoa(s.probed)
		go func() { // which takes its time when Redis does not answer; then there is no probe to wait for
			_ = s.node.batcher.publish(ctx, probe, appendField([]byte{kindProbe}, number))
		}()
	}
	return nil
}

// receive sees to what has come.
func (s *shard) receive(ctx context.Context, m any, probe string) {
	switch m := m.(type) {
	case *redis.Subscription:
		if strings.HasSuffix(m.Kind, "unsubscribe") || m.Channel == probe {
			return
		}
		s.mu.Lock()
		if _, ok := s.wanted[m.Channel]; ok {
			s.wanted[m.Channel] = true
		}
		for _, done := range s.waiting[m.Channel] {
			close(done)
		}
		delete(s.waiting, m.Channel)
		s.mu.Unlock()
		s.node.replicas.subscribed(ctx, s.topic(m.Channel))
	case *redis.Message:
		if m.Channel == probe {
			s.probing = false
			return
		}
		s.node.dispatch(s.topic(m.Channel), []byte(m.Payload))
	}
}

// topic is what is published on a channel.
func (s *shard) topic(channel string) string {
	_, topic, _ := strings.Cut(channel, ":t:")
	return topic
}
