package redistest

import (
	"net"
	"sync"
	"time"
)

// A link is one connection through a proxy: a pipe there, and a pipe back.
type link struct {
	client      *net.TCPConn
	there, back *pipe
	once        sync.Once
	commands    scanner // of the goroutine that fills there

	// The mutex of the proxy guards what follows.
	subscribed bool // whether the client has subscribed to a channel
	lost       bool // in a black hole
}

func newLink(client *net.TCPConn, w weather) *link {
	l := &link{client: client, there: newPipe(), back: newPipe()}
	l.set(w)
	return l
}

// set has l feel the weather. After newLink, the mutex of the proxy is held.
func (l *link) set(w weather) {
	held := l.lost || l.subscribed && w.subscribers
	l.there.set(w.there && !held, w.delay, w.rate)
	l.back.set(w.back && !held, w.delay, w.rate)
}

// run passes bytes until Redis closes, or is asked to by a client that did,
// and what came before has arrived.
func (l *link) run(addr string) {
	defer l.reset()
	if !l.there.wait() {
		return
	}
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return
	}
	server := c.(*net.TCPConn)
	defer server.Close()
	if !l.there.connect(l.client, server) || !l.back.connect(server, l.client) {
		return
	}

	var wg sync.WaitGroup
	wg.Go(l.there.fill)
	wg.Go(l.back.fill)
	wg.Go(func() {
		l.there.drain()
		_ = server.CloseWrite() // Redis closes once it has done what it was told
	})
	wg.Go(func() {
		l.back.drain()
		l.hangUp()
		l.reset()
	})
	wg.Wait()
}

// hangUp closes the client's side, after all that was written to it.
func (l *link) hangUp() {
	l.once.Do(func() { _ = l.client.Close() })
}

// reset closes the link at once.
func (l *link) reset() {
	l.once.Do(func() {
		_ = l.client.SetLinger(0)
		_ = l.client.Close()
	})
	l.there.close()
	l.back.close()
}
