package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
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

// Start implements occupancy.Tracker.
func (o Occupancy) Start(tell func(occupancy.Change)) { o.noted = tell }

// Join implements occupancy.Tracker. The node has been told by Count and Enter.
func (Occupancy) Join(context.Context, channel.Topic, string) error { return nil }

// Leave implements occupancy.Tracker. The node has been told by Count and Depart.
func (Occupancy) Leave(context.Context, channel.Topic, string) error { return nil }

// Missed implements occupancy.Tracker.
func (o Occupancy) Missed(ctx context.Context, t channel.Topic) (bool, error) {
	key := topicKey(t)
	first, err := o.state.SetNX(ctx, o.part(key).prefix+":miss:"+key, 1, occupancy.DefaultGrace).Result()
	return first, absent(err)
}

// Flush implements occupancy.Tracker. Of who has left the other nodes tell, once
// the grace is over; a node that is the last one tells at once.
func (o Occupancy) Flush(ctx context.Context) error {
	if o.peers.count() > 1 || o.health.away() {
		return nil
	}
	for _, p := range o.parts {
		if err := p.settle(ctx); err != nil {
			return fmt.Errorf("tell the cluster who has left: %w", err)
		}
	}
	o.pump(ctx, "+inf")
	for _, p := range o.parts {
		for {
			entries, err := o.outbox.read(ctx, p.prefix+":ev", -1)
			if err != nil || len(entries) == 0 {
				break
			}
			o.outbox.take(p.prefix+":ev", entries)
		}
	}
	return nil
}

const (
	group     = "tell"
	readBlock = 500 * time.Millisecond
	readMost  = 200
	orphaned  = 15 * time.Second // after which another node tells what one has taken and not told
)

// outbox takes what scripts have written down, each once in the cluster.
type outbox struct{ node *Node }

func (o *outbox) run(ctx context.Context) {
	for _, p := range o.node.parts {
		o.node.running.Go(func() { o.drain(ctx, p.prefix+":ev") })
	}
}

func (o *outbox) drain(ctx context.Context, stream string) {
	pause := 50 * time.Millisecond
	for ctx.Err() == nil {
		entries, err := o.read(ctx, stream, readBlock)
		if redis.HasErrorPrefix(err, "NOGROUP") {
			// From the beginning: what was written before anyone read is told, too.
			err = o.node.state.XGroupCreateMkStream(ctx, stream, group, "0").Err()
			if redis.HasErrorPrefix(err, "BUSYGROUP") {
				err = nil
			}
		}
		if err != nil && !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, time.Second)
		if err == nil {
			pause = 50 * time.Millisecond
		}
		if o.node.noted == nil {
			return
		}
		o.take(stream, entries)
	}
}

// take tells of entries, and that they have been told. Where that fails another
// node tells of them again.
func (o *outbox) take(stream string, entries []redis.XMessage) {
	if len(entries) == 0 {
		return
	}
	ids := make([]string, 0, len(entries))
	for _, e := range entries {
		o.tell(e)
		ids = append(ids, e.ID)
	}
	ctx, cancel := context.WithTimeout(context.Background(), answer)
	defer cancel()
	_ = o.node.state.XAck(ctx, stream, group, ids...).Err()
}

// read returns what is to be told: what nobody has taken, or somebody has who is
// gone. It waits for so long for the former; less than 0 is not at all.
func (o *outbox) read(ctx context.Context, stream string, wait time.Duration) ([]redis.XMessage, error) {
	n := o.node
	left, _, err := n.state.XAutoClaim(ctx, &redis.XAutoClaimArgs{
		Stream: stream, Group: group, Consumer: n.Name(), MinIdle: orphaned, Start: "0", Count: readMost,
	}).Result()
	if err != nil || len(left) > 0 {
		return left, err
	}
	streams, err := n.state.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: group, Consumer: n.Name(), Streams: []string{stream, ">"}, Count: readMost, Block: wait,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil || len(streams) == 0 {
		return nil, err
	}
	return streams[0].Messages, nil
}

func (o *outbox) tell(e redis.XMessage) {
	field := func(name string) string { s, _ := e.Values[name].(string); return s }
	t, ok := parseTopic(field("t"))
	if !ok {
		return
	}
	c := occupancy.Change{Topic: t, UserID: field("u")}
	switch kind := field("e"); kind {
	case "occupied", "added":
		c.Came = true
	case "vacated", "removed":
	default:
		return
	}
	if strings.HasPrefix(t.Channel, "#") {
		return
	}
	o.node.noted(c)
}
