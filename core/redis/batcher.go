package redis

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	maxPublished = 256  // that go out together
	maxWaiting   = 4096 // that wait to go out; more are refused
	connectPause = 100 * time.Millisecond
)

// batcher publishes what several publishers want to publish in one go. What is
// alone goes out at once.
type batcher struct {
	node  *Node
	queue chan *publication
}

// publication is on its way to Redis.
type publication struct {
	channel string
	payload []byte
	done    chan error
	until   time.Time // for which it waits for a connection
}

func (b *batcher) init(n *Node) {
	b.node = n
	b.queue = make(chan *publication, maxWaiting)
}

// publish returns when Redis has taken the message. After an error it may have,
// too, but only where the error is that it did not answer in time.
func (b *batcher) publish(ctx context.Context, channel string, payload []byte) error {
	p := &publication{channel: channel, payload: payload, done: make(chan error, 1), until: time.Now().Add(b.node.config.PublishWait)}
	select {
	case b.queue <- p:
	default:
		return ErrAway
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *batcher) run(ctx context.Context) {
	batch := make([]*publication, 0, maxPublished)
	for {
		batch = batch[:0]
		select {
		case <-ctx.Done():
			return
		case p := <-b.queue:
			batch = append(batch, p)
		}
	more:
		for len(batch) < maxPublished {
			select {
			case p := <-b.queue:
				batch = append(batch, p)
			default:
				break more
			}
		}
		b.send(ctx, batch)
	}
}

// send publishes a batch. Nothing that may have been sent is sent again; without
// a connection it waits for one, as long as each may wait.
func (b *batcher) send(ctx context.Context, batch []*publication) {
	for len(batch) > 0 {
		pipe := b.node.publish.Pipeline()
		cmds := make([]*redis.IntCmd, len(batch))
		for i, p := range batch {
			if b.node.keys.publish == "SPUBLISH" {
				cmds[i] = pipe.SPublish(ctx, p.channel, p.payload)
			} else {
				cmds[i] = pipe.Publish(ctx, p.channel, p.payload)
			}
		}
		_, _ = pipe.Exec(ctx) // each command has its own error
		waiting := batch[:0]
		for i, p := range batch {
			err := cmds[i].Err()
			if unsent(err) && time.Now().Before(p.until) {
				waiting = append(waiting, p)
				continue
			}
			if err != nil {
				err = errors.Join(ErrAway, err)
			}
			p.done <- err
		}
		batch = waiting
		if len(batch) > 0 && !sleep(ctx, connectPause) {
			for _, p := range batch {
				p.done <- ErrAway
			}
			return
		}
	}
}

// unsent reports whether a command has certainly not reached Redis, or was
// refused by it.
func unsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" ||
		redis.HasErrorPrefix(err, "LOADING") || redis.HasErrorPrefix(err, "READONLY") || redis.HasErrorPrefix(err, "MASTERDOWN")
}
