// Package broker ties the nodes of a cluster together: it carries messages
// from the node where they were published to every node that has subscribers.
//
// Memory, in this package, serves a single node. Another broker is another
// package that implements Broker and Log and passes brokertest.Run and RunLog.
// None of them knows who the subscribers are or what a frame says.
package broker

import (
	"context"
	"errors"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
)

// Message is one frame on its way to the subscribers of a topic.
type Message struct {
	channel.Topic
	Frame  *frame.Frame // as clients receive it
	Except string       // the socket ID that does not get it, or ""

	// Version is that of the event that a cache channel keeps, in a cluster: they
	// grow. 0 is none.
	Version int64

	// Position is where the message is in the log of its topic, once it has been
	// published; the zero Position where nothing is kept.
	Position Position
}

// ErrUnavailable is the error of what cannot be done while what ties the nodes
// together is away. It is worth trying again.
var ErrUnavailable = errors.New("the cluster is not reachable")

// Broker delivers messages once, in one order for each topic on all nodes, and
// those of one publisher in the order in which they were published. A broker that
// has a Log delivers later what a node could not be sent, in its order; without
// one, or when the log has no more of it, a message may be lost.
//
// All methods may be called concurrently.
type Broker interface {
	// Start begins to deliver messages of subscribed topics. It is called
	// once, before all other methods. deliver must not block. What it returns
	// is for Publish to return, if it can; a broker with a Log delivers the same
	// message again a little later.
	Start(deliver func(Message) error) error
	Close() error

	// Subscribe asks for the messages of t. What anyone publishes after it has
	// returned is delivered. After an error some may still come, until Unsubscribe.
	Subscribe(ctx context.Context, t channel.Topic) error

	// Unsubscribe asks for no more of them. A few may still come.
	Unsubscribe(ctx context.Context, t channel.Topic) error

	// Publish sends m to every node that is subscribed to its topic, this one
	// included. It returns when m has been accepted: after an error it may have
	// been, too. The error is ErrUnavailable if trying again is all that helps.
	Publish(ctx context.Context, m Message) error
}
