package redis

import (
	"context"
	"errors"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
)

// Broker is the broker.Broker of a node.
type Broker struct{ *Node }

var _ broker.Broker = Broker{}

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
	return b.shard(key).subscribe(ctx, b.keys.channel(key))
}

// Unsubscribe implements broker.Broker.
func (b Broker) Unsubscribe(ctx context.Context, t channel.Topic) error {
	key := topicKey(t)
	b.replicas.drop(key)
	b.shard(key).unsubscribe(ctx, b.keys.channel(key))
	return nil
}

// Publish implements broker.Broker. It returns when Redis has accepted m.
func (b Broker) Publish(ctx context.Context, m broker.Message) error {
	key := topicKey(m.Topic)
	payload := appendField([]byte{kindMessage}, m.Except)
	payload = appendField(payload, "")
	payload = appendField(payload, m.Frame.Payload())
	return b.batcher.publish(ctx, b.keys.channel(key), payload)
}

// dispatch sees to what has come on a topic. It is called for one after the
// other.
func (n *Node) dispatch(topic string, payload []byte) {
	if len(payload) == 0 {
		n.garbage.Add(1)
		return
	}
	switch payload[0] {
	case kindMessage:
		f, err := fields(payload, 3)
		t, ok := parseTopic(topic)
		if err != nil || !ok {
			n.garbage.Add(1)
			return
		}
		version, _ := strconv.ParseInt(string(f[1]), 10, 64) // of a cache; none is 0
		m := broker.Message{Topic: t, Frame: frame.Text(f[2]), Except: string(f[0]), Version: version}
		// Who publishes too much for this node is told by nobody: it is not here.
		_ = n.deliver(m)
	case kindChange:
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

// absent makes no error of what is not there, and ErrAway of all else.
func absent(err error) error {
	switch {
	case err == nil, errors.Is(err, redis.Nil):
		return nil
	case errors.Is(err, context.Canceled):
		return err
	}
	return errors.Join(ErrAway, err)
}
