package redis

import (
	"context"
	"errors"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
)

// Broker is the broker.Broker of a node.
type Broker struct{ *Node }

var (
	_ broker.Broker = Broker{}
	_ broker.Log    = Broker{}
)

// Broker returns the node as a broker.
func (n *Node) Broker() Broker { return Broker{n} }

// Start implements broker.Broker. It sets the node going: its other ports have
// been started before.
func (b Broker) Start(deliver func(broker.Message) error) error {
	b.deliver = deliver
	b.Run()
	return nil
}

// Subscribe implements broker.Broker.
func (b Broker) Subscribe(ctx context.Context, t channel.Topic) error {
	key := topicKey(t)
	return b.shard(key).subscribe(ctx, key)
}

// Unsubscribe implements broker.Broker.
func (b Broker) Unsubscribe(ctx context.Context, t channel.Topic) error {
	key := topicKey(t)
	b.replicas.drop(key)
	b.shard(key).unsubscribe(ctx, key)
	return nil
}

// Publish implements broker.Broker. It returns when Redis has accepted m, and has
// it in the log of its topic if anybody may have the topic.
func (b Broker) Publish(ctx context.Context, m broker.Message) error {
	return b.Node.submit(ctx, newPublication(topicKey(m.Topic), m.Except, m.Frame.Payload(), b.config.PublishWait))
}

// Tip implements broker.Log.
func (b Broker) Tip(ctx context.Context, t channel.Topic) (broker.Position, error) {
	key := topicKey(t)
	all, err := b.offsets(ctx, b.keys.partition(key), []string{key})
	if err != nil {
		return broker.Position{}, errors.Join(ErrAway, err)
	}
	return all.of[0].at, nil
}

// Read implements broker.Log.
func (b Broker) Read(ctx context.Context, t channel.Topic, after broker.Position, limit int) (r broker.Page, err error) {
	p, err := b.replay(ctx, topicKey(t), offset{at: after}, limit)
	if err != nil {
		return r, errors.Join(ErrAway, err)
	}
	r.Tip, r.Complete = p.tip, true
	switch same := p.tip.Epoch == after.Epoch && after.Offset <= p.tip.Offset; {
	case same && p.first > after.Offset+1:
		r.Complete, r.Missing = false, p.first-1-after.Offset
	case !same:
		r.Complete = after == broker.Position{} && p.first <= 1
	}
	for _, e := range p.events {
		if e.number > 0 {
			r.Messages = append(r.Messages, e.message)
		}
	}
	return r, nil
}

// submit has a publication sent, and waits until it is settled.
func (n *Node) submit(ctx context.Context, p *publication) error {
	return n.batchers[n.keys.partition(p.topic)].publish(ctx, p)
}

// dispatch sees to what has come on a topic, on a connection that may have been
// replaced. It is called for one after the other.
func (n *Node) dispatch(topic string, payload []byte, stale bool) {
	if len(payload) == 0 {
		n.garbage.Add(1)
		return
	}
	switch kind := payload[0]; {
	case kind >= '0' && kind <= '9', kind == kindNumbered:
		all, err := n.parseEvents(topic, payload)
		if err != nil {
			n.garbage.Add(1)
			return
		}
		for i := range all {
			all[i].stale = stale
		}
		if t := n.shard(topic).tail(topic); t != nil {
			t.hear(all)
		}
	case kind == kindAccepted:
		a, err := n.parseAccepted(payload)
		if err != nil {
			n.garbage.Add(1)
			return
		}
		if t := n.shard(topic).tail(topic); t != nil {
			t.audit(a)
		}
	case kind == kindChange:
		c, err := parseChange(payload)
		if err != nil {
			n.garbage.Add(1)
			return
		}
		n.replicas.changed(topic, c)
	default:
		n.garbage.Add(1)
	}
}
