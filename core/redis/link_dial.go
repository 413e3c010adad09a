package redis

import (
	"context"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"
)

// linkKey is the key of a link in the contexts of what it asks the library.
type linkKey struct{}

// within returns a context in which the library dials for l.
func (l *link) within(ctx context.Context) context.Context {
	return context.WithValue(ctx, linkKey{}, l)
}

// hookLinks has the connections of links made by linkDialer.
func hookLinks(bus redis.UniversalClient) {
	if c, ok := bus.(*redis.ClusterClient); ok {
		c.OnNewNode(func(node *redis.Client) { node.AddHook(linkDialer{}) })
		return
	}
	bus.AddHook(linkDialer{})
}

// linkDialer makes one connection for each link: the library would make another in
// the middle of an error. What comes in on it is noticed by the byte: a long
// message on a slow network is no silence.
type linkDialer struct{}

var errDialed = errors.New("the connection for messages is lost")

// DialHook implements redis.Hook.
func (linkDialer) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		l, ok := ctx.Value(linkKey{}).(*link)
		if !ok {
			return next(ctx, network, addr)
		}
		if !l.dialed.CompareAndSwap(false, true) {
			return nil, errDialed
		}
		c, err := next(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &heardConn{c, l}, nil
	}
}

// ProcessHook implements redis.Hook.
func (linkDialer) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (linkDialer) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// heardConn is the connection of a link.
type heardConn struct {
	net.Conn
	link *link
}

func (c *heardConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.link.alive()
	}
	return n, err
}
