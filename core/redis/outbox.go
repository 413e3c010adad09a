package redis

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/occupancy"
)

// Occupancy is the occupancy.Tracker of a node. What it counts, hub tells the node
// already; the scripts write down what has changed, and one node tells of it.
type Occupancy struct{ *Node }

var _ occupancy.Tracker = Occupancy{}

// Occupancy returns the node as what backends are told of.
func (n *Node) Occupancy() Occupancy { return Occupancy{n} }

// TellAfter has backends told of who has gone after another time than
// occupancy.DefaultGrace. It is called before the node's ports are started. Nodes may
// differ in it: that one counts at which the last of a channel, or of a user, was.
func (n *Node) TellAfter(grace time.Duration) {
	n.outbox.grace = grace
	n.scripts = newScripts(n.keys, grace)
}

// Start implements occupancy.Tracker.
func (o Occupancy) Start(tell func(occupancy.Change)) { o.noted = tell }

// Join implements occupancy.Tracker. The node has been told by Count and Enter.
func (Occupancy) Join(context.Context, channel.Topic, string) error { return nil }

// Leave implements occupancy.Tracker. The node has been told by Count and Depart.
func (Occupancy) Leave(context.Context, channel.Topic, string) error { return nil }

// Missed implements occupancy.Tracker.
func (o Occupancy) Missed(ctx context.Context, t channel.Topic) (bool, error) {
	key := topicKey(t)
	first, err := o.state.SetNX(ctx, o.part(key).prefix+":miss:"+key, 1, o.outbox.grace).Result()
	return first, absent(err)
}

// Flush implements occupancy.Tracker. Of who has left the other nodes tell, once
// the grace is over; a node that is the last one tells at once. Whatever is written
// down from now on is for the others.
func (o Occupancy) Flush(ctx context.Context) error {
	defer o.outbox.each(ctx, (*box).leave)
	if o.peers.count() > 1 || o.health.away() {
		return nil
	}
	for _, p := range o.parts {
		if err := p.settle(ctx); err != nil {
			return fmt.Errorf("tell the cluster who has left: %w", err)
		}
	}
	if err := o.pump(ctx, "+inf"); err != nil {
		return err
	}
	o.outbox.each(ctx, (*box).drain)
	return nil
}

// outbox tells of what scripts have written down. Of each partition one node does at
// a time, so that what happens in a channel is told in order; the entries stay in
// Redis until backends have taken them, so that another node can go on with them.
type outbox struct {
	// Static after init.
	node  *Node
	grace time.Duration
	boxes []*box
	wait  redis.UniversalClient // for reads that block, each of which takes a connection of it

	cut atomic.Uint64 // entries that were too many, and nobody was told of
}

func (o *outbox) init(n *Node, options redis.UniversalOptions) {
	o.node, o.grace = n, occupancy.DefaultGrace
	options.PoolSize = max(options.PoolSize, 2*n.keys.partitions) // each read that blocks takes one
	o.wait = newClient(options)
	for _, p := range n.parts {
		o.boxes = append(o.boxes, newBox(n, p.prefix))
	}
}

func (o *outbox) run(ctx context.Context) {
	if o.node.noted == nil {
		return // it has nobody to tell
	}
	for _, b := range o.boxes {
		o.node.running.Go(func() { b.run(ctx) })
		o.node.running.Go(func() { b.watch(ctx) })
	}
}

// each has all boxes do something, and waits until they have, or ctx is done.
func (o *outbox) each(ctx context.Context, do func(*box, context.Context)) {
	if o.node.noted == nil {
		return
	}
	for _, b := range o.boxes {
		done := make(chan struct{})
		select {
		case b.calls <- func() { do(b, ctx); close(done) }:
		case <-o.node.done:
			return
		case <-ctx.Done():
			return
		}
		select {
		case <-done:
		case <-ctx.Done():
			return
		}
	}
}
