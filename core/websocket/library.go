package websocket

import (
	"errors"
	"net"
	"time"

	"github.com/lxzan/gws"

	"github.com/revurb/revurb/core/frame"
)

// library is a socket as the library sees it: the connection that it reads
// from, and believes to write to and to close.
type library socket

var _ net.Conn = (*library)(nil)

var errRefused = errors.New("refused")

// Read implements net.Conn. What it returns has passed the guard.
func (l *library) Read(p []byte) (n int, err error) {
	switch {
	case l.fault != 0:
		(*socket)(l).refuse(l.fault)
		return 0, errRefused
	case l.early != nil:
		n = l.readEarly(p)
	default:
		n, err = l.nc.Read(p)
	}
	return l.inspect(p, n, err)
}

func (l *library) readEarly(p []byte) int {
	n := copy(p, l.early)
	if l.early = l.early[n:]; len(l.early) == 0 {
		l.early = nil
	}
	return n
}

// inspect is the second half of Read, apart from it because the stack of every
// reader is as deep as Read for most of the time.
func (l *library) inspect(p []byte, n int, err error) (int, error) {
	if err != nil {
		l.readErr = err
	}
	n, l.fault = l.guard.scan(p[:n], l.limit)
	if n == 0 && l.fault != 0 {
		return l.Read(p)
	}
	return n, err
}

// Write implements net.Conn. After the handshake, all that the library writes
// is the close frame with which it ends, or answers.
func (l *library) Write(p []byte) (int, error) {
	if l.ws == nil {
		return l.nc.Write(p)
	}
	if l.readErr == nil {
		switch code := closeWanted(p); code {
		case closeProtocol, closeInvalid, closeTooBig:
			(*socket)(l).refuse(code)
		default:
			(*socket)(l).closeWith(closeFrame(code))
		}
	}
	return len(p), nil
}

// Close implements net.Conn. The connection is closed by the reader, when the
// client has had time to read why.
func (l *library) Close() error { return nil }

// LocalAddr implements net.Conn.
func (l *library) LocalAddr() net.Addr { return l.nc.LocalAddr() }

// RemoteAddr implements net.Conn.
func (l *library) RemoteAddr() net.Addr { return l.nc.RemoteAddr() }

// SetDeadline implements net.Conn. The library sets one for the handshake.
func (l *library) SetDeadline(t time.Time) error { return l.nc.SetDeadline(t) }

// SetReadDeadline implements net.Conn.
func (l *library) SetReadDeadline(t time.Time) error { return l.nc.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (l *library) SetWriteDeadline(t time.Time) error { return l.nc.SetWriteDeadline(t) }

// events is what the library calls for the control frames that it reads: those
// in the middle of a message.
type events struct{ gws.BuiltinEventHandler }

func socketOf(ws *gws.Conn) *socket { return (*socket)(ws.NetConn().(*library)) }

// OnPing implements gws.Event.
func (events) OnPing(ws *gws.Conn, payload []byte) {
	s := socketOf(ws)
	s.seen()
	s.out.send(frame.Pong(payload))
}

// OnPong implements gws.Event.
func (events) OnPong(ws *gws.Conn, _ []byte) { socketOf(ws).seen() }

// noSession is the library's storage for a connection, which is not used: the
// socket is found through its net.Conn. It is shared by all connections.
type noSession struct{}

func (noSession) Len() int                               { return 0 }
func (noSession) Load(string) (any, bool)                { return nil, false }
func (noSession) Delete(string)                          {}
func (noSession) Store(string, any)                      {}
func (noSession) Range(func(key string, value any) bool) {}
