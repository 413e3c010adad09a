package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
)

// Cache is the cache.Store of a node.
type Cache struct{ *Node }

var _ cache.Store = Cache{}

// Cache returns the node as the cache of cache channels.
func (n *Node) Cache() Cache { return Cache{n} }

// Put implements cache.Store.
func (c Cache) Put(ctx context.Context, t channel.Topic, e cache.Event, ttl time.Duration) error {
	if ttl <= 0 {
		return nil
	}
	key := topicKey(t)
	err := c.scripts.keep.Run(ctx, c.state, []string{c.part(key).prefix + ":c:" + key}, ttl.Milliseconds(), e.Name, []byte(e.Data)).Err()
	if err != nil {
		return errors.Join(ErrAway, err)
	}
	return nil
}

// PublishCached implements hub.Cluster: it keeps e and publishes m, of which no
// other event comes between the two. It returns when Redis has accepted both.
func (n *Node) PublishCached(ctx context.Context, m broker.Message, e cache.Event, ttl time.Duration) error {
	p := newPublication(topicKey(m.Topic), m.Except, m.Frame.Payload(), n.config.PublishWait)
	p.cache = &cached{e, ttl}
	return n.submit(ctx, p)
}

// Get implements cache.Store.
func (c Cache) Get(ctx context.Context, t channel.Topic) (e cache.Event, ttl time.Duration, ok bool, err error) {
	key := topicKey(t)
	key = c.part(key).prefix + ":c:" + key
	pipe := c.state.Pipeline()
	hash, left := pipe.HGetAll(ctx, key), pipe.PTTL(ctx, key)
	if _, err := pipe.Exec(ctx); err != nil {
		return e, 0, false, absent(err)
	}
	kept := hash.Val()
	if len(kept) == 0 || left.Val() <= 0 {
		return e, 0, false, nil
	}
	e.Name, e.Data = kept["e"], []byte(kept["d"])
	e.Version, _ = strconv.ParseInt(kept["v"], 10, 64)
	return e, left.Val(), true, nil
}
