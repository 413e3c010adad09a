package websocket

import (
	"crypto/tls"
	"net"
	"time"
)

// lane is how bytes get to a client.
type lane interface {
	// try writes what can be written of p without waiting, and returns how
	// much that is. The rest is for push, and so is all that follows, once
	// more is true: something waits to be written.
	try(p []byte) (n int, more bool, err error)

	// push writes bufs, and what try and push could not write before. It waits
	// until the deadline, and returns how many bytes went out; of bufs it
	// leaves what it is to be called with again.
	push(bufs *net.Buffers, deadline time.Time) (int64, error)
}

// laneOf returns the lane for frames through nc, the link beneath it, and what
// to read from. A connection that did not come from Listener gets a link here,
// as far as it is possible.
func laneOf(nc net.Conn, sendBuffer int) (lane, *link, net.Conn) {
	over, secure := nc.(*tls.Conn)
	l := linkOf(nc)
	switch {
	case l != nil && secure:
		l.bound()
		return &secureLane{over, l}, l, nc
	case secure:
		return waitingLane{nc}, newLink(nc, 0), nc
	case l == nil:
		l = newLink(nc, sendBuffer)
	}
	return (*plainLane)(l), l, l.Conn
}

// plainLane is that of a connection without TLS.
type plainLane link

func (p *plainLane) try(b []byte) (int, bool, error) {
	n, err := (*link)(p).try(b)
	return n, n < len(b), err
}

func (p *plainLane) push(bufs *net.Buffers, deadline time.Time) (int64, error) {
	if err := p.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	return bufs.WriteTo(p.Conn)
}

// secureLane is that of TLS over a link. TLS takes whole frames only; what the
// link could not write of them waits there.
type secureLane struct {
	over *tls.Conn
	link *link
}

func (s *secureLane) try(b []byte) (int, bool, error) {
	n, err := s.over.Write(b)
	return n, s.link.blocked(), err
}

func (s *secureLane) push(bufs *net.Buffers, deadline time.Time) (int64, error) {
	before, err := s.link.drain(deadline)
	for err == nil && len(*bufs) > 0 {
		if _, err = s.over.Write((*bufs)[0]); err != nil {
			break
		}
		*bufs = (*bufs)[1:]
		var n int
		n, err = s.link.drain(deadline)
		before += n
	}
	return int64(before), err
}

// waitingLane is that of TLS that came from elsewhere. A write that runs into
// its deadline ends the connection.
type waitingLane struct{ net.Conn }

func (w waitingLane) try(b []byte) (int, bool, error) { return 0, len(b) > 0, nil }

func (w waitingLane) push(bufs *net.Buffers, deadline time.Time) (written int64, err error) {
	if err := w.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	for len(*bufs) > 0 {
		n, err := w.Write((*bufs)[0])
		written += int64(n)
		if err != nil {
			return written, err
		}
		*bufs = (*bufs)[1:]
	}
	return written, nil
}
