package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

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
	return c.keep(ctx, c.state, topicKey(t), e, ttl, "", "")
}

// PublishCached implements hub.Cluster: it keeps e and publishes m, of which no
// other event comes between the two. It returns when Redis has accepted both.
func (n *Node) PublishCached(ctx context.Context, m broker.Message, e cache.Event, ttl time.Duration) error {
	before := string(appendField([]byte{kindMessage}, m.Except))
	after := string(appendField(nil, m.Frame.Payload()))
	deadline := time.Now().Add(n.config.PublishWait)
	for {
		err := Cache{n}.keep(ctx, n.publish, topicKey(m.Topic), e, ttl, before, after)
		if !unsent(err) || time.Now().After(deadline) || !sleep(ctx, connectPause) {
			return err
		}
	}
}

func (c Cache) keep(ctx context.Context, client redis.UniversalClient, key string, e cache.Event, ttl time.Duration, before, after string) error {
	if ttl <= 0 {
		ttl = time.Millisecond // it is not kept, and yet published
	}
	part := c.part(key).prefix
	err := c.scripts.cache.Run(ctx, client, []string{part + ":nodes"},
		part, key, ttl.Milliseconds(), e.Name, []byte(e.Data), before, after).Err()
	if err != nil {
		return errors.Join(ErrAway, err)
	}
	return nil
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
