package mutants

import (
	"context"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// progress is how much a proxy has read of each of its clients. Clients that
// know it write no more until the proxy has read what there is: what is written
// apart arrives apart, however busy the machine is.
type progress struct {
	mu      sync.Mutex // guards what follows
	changed sync.Cond
	read    map[string]int // by the address of the client
	ended   map[string]bool
}

func newProgress() *progress {
	p := &progress{read: map[string]int{}, ended: map[string]bool{}}
	p.changed.L = &p.mu
	return p
}

// add notes that n bytes more have been read of a client, the last of which were
// the last of all if it has ended.
func (p *progress) add(client string, n int, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read[client] += n
	p.ended[client] = p.ended[client] || ended
	p.changed.Broadcast()
}

// wait waits until n bytes of a client have been read in all, or nobody reads.
func (p *progress) wait(client string, n int) {
	late := false
	timer := time.AfterFunc(patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		late = true
		p.changed.Broadcast()
	})
	defer timer.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.read[client] < n && !p.ended[client] && !late {
		p.changed.Wait()
	}
}

// of notes what is read of c, which was accepted.
func (p *progress) of(c net.Conn) net.Conn {
	return noted{c.(*net.TCPConn), p, c.RemoteAddr().String()}
}

// dial connects a client that knows the progress.
func (p *progress) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	c, err := client.DialTCP(ctx, u)
	if err != nil {
		return nil, err
	}
	return &stepping{TCPConn: c.(*net.TCPConn), p: p}, nil
}

// noted is a connection of which is noted what is read.
type noted struct {
	*net.TCPConn
	p      *progress
	client string
}

func (n noted) Read(b []byte) (int, error) {
	i, err := n.TCPConn.Read(b)
	n.p.add(n.client, i, err != nil)
	return i, err
}

func (n noted) Close() error {
	n.p.add(n.client, 0, true)
	return n.TCPConn.Close()
}

// stepping is a connection on which what is written is waited for. Of what is
// written octet by octet only the first is: a handshake has hundreds, and no
// more time than others.
type stepping struct {
	*net.TCPConn
	p *progress

	mu      sync.Mutex // held while writing; guards what follows
	written int
	last    int // how much was written last
}

func (s *stepping) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.TCPConn.Write(b)
	s.written += n
	if n > 1 || s.last != 1 {
		s.p.wait(s.LocalAddr().String(), s.written)
	}
	s.last = n
	return n, err
}
