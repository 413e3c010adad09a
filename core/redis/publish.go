package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// try sends a batch once. It waits no longer than the first of its events may, and
// returns the topics that nobody heard of.
func (b *batcher) try(ctx context.Context, batch []*publication, unsure bool) (unheard []string, err error) {
	until := time.Now().Add(answer)
	for _, p := range batch {
		if p.until.Before(until) {
			until = p.until
		}
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	ms, err := b.time(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range batch {
		if p.entry == nil {
			b.sequence++
			p.number = b.sequence
			p.entry = appendEntry(make([]byte, 0, 64+len(p.payload)), eventID(b.node.producer, b.sequence), ms, p.except, p.payload)
		}
	}
	b.attempt++
	g := b.groups(batch)
	reply, err := b.do(ctx, g.names(b), g.arguments(b, ms, unsure))
	if err != nil {
		return nil, err
	}
	if len(reply) < 2 {
		return nil, fmt.Errorf("publish: %w", errEnvelope)
	}
	if reply[0] > 0 {
		b.node.clock.set(reply[0])
		b.server, b.looked = reply[1], time.Now()
	}
	for _, i := range reply[2:] {
		if i > 0 && i <= int64(len(g.all)) {
			unheard = append(unheard, g.all[i-1].topic)
		}
	}
	return unheard, nil
}

// do runs the script, on the very server that has the partition: a client of a
// Redis Cluster would send again what may have been done.
func (b *batcher) do(ctx context.Context, names []string, args []any) ([]int64, error) {
	n := b.node
	client, err := n.master(ctx, names[0])
	if err != nil {
		return nil, err
	}
	if n.config.PublishReplicas > 0 {
		return b.replicated(ctx, client, names, args)
	}
	return n.scripts.publish.Run(ctx, client, names, args...).Int64Slice()
}

// replicated runs the script and waits, on the same connection, until so many
// replicas have what it has written.
func (b *batcher) replicated(ctx context.Context, client redis.Cmdable, names []string, args []any) ([]int64, error) {
	script, replicas := b.node.scripts.publish, b.node.config.PublishReplicas
	until, _ := ctx.Deadline()
	patience := max(time.Millisecond, time.Until(until)*3/4) // the rest is for the answer
	for _, run := range []func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd{script.EvalSha, script.Eval} {
		pipe := client.Pipeline()
		cmd := run(ctx, pipe, names, args...)
		wait := pipe.Do(ctx, "WAIT", replicas, patience.Milliseconds())
		_, err := pipe.Exec(ctx)
		switch {
		case redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT"):
			continue
		case cmd.Err() != nil:
			return nil, cmd.Err()
		case err != nil: // the connection could not be set up, which no command says
			return nil, err
		}
		if have, err := wait.Int(); err != nil || have < replicas {
			return nil, fmt.Errorf("%w: %d of %d", errReplicas, have, replicas)
		}
		return cmd.Int64Slice()
	}
	return nil, errors.New("publish: Redis forgets scripts at once")
}

// master is a client of the server that has a key.
func (n *Node) master(ctx context.Context, key string) (redis.Cmdable, error) {
	if c, ok := n.publish.(*redis.ClusterClient); ok {
		return c.MasterForKey(ctx, key)
	}
	return n.publish, nil
}
