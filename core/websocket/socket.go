package websocket

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/lxzan/gws"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/conn"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/protocol"
)

var (
	_ conn.Transport = (*socket)(nil)
	_ owner          = (*socket)(nil)
)

// socket is one WebSocket. Frames go out through its outbound; those that come
// in are read by one goroutine, the reader, with the library's help.
type socket struct {
	// Static after construction.
	h        *Handler
	app      *app.App // nil if it is the app that was not found
	nc       net.Conn // what the client is read from: TLS, or the link's own
	link     *link
	limit    int // bytes of a message
	ws       *gws.Conn
	buffered *bufio.Reader // what ws reads from
	leave    func()        // of the Gate
	deflate  bool          // compression was negotiated

	// Owned by the reader.
	goesOn  bool   // in another goroutine
	fresh   uint8  // readers in this second
	second  uint32 // of the wheel's clock
	early   []byte // what came together with the handshake
	guard   guard
	fault   int   // the code to close with, once the library has seen what came before
	readErr error // the end of what is read, if it is not of the client's making

	conn atomic.Pointer[conn.Conn] // nil for a client that was not admitted
	out  outbound
}

var pingFrame = frame.Ping()

// Send implements hub.Peer.
func (s *socket) Send(f *frame.Frame) {
	if s.deflate {
		s.out.send(f.Deflated())
		return
	}
	s.out.send(f.Wire())
}

// Ping implements conn.Transport.
func (s *socket) Ping() { s.out.send(pingFrame) }

// Close implements hub.Peer. The client has a while to answer.
func (s *socket) Close(code int, reason string) { s.closeWith(frame.Close(code, reason)) }

func (s *socket) closeWith(wire []byte) {
	if s.out.end(wire) {
		s.expectEnd()
	}
}

// expectEnd gives the client a while until it must have ended the connection.
func (s *socket) expectEnd() {
	_ = s.link.SetReadDeadline(time.Now().Add(s.h.config.CloseTimeout)) // fails only once it is closed
}

// refuse ends the connection of a client that does not keep to RFC 6455.
func (s *socket) refuse(code int) {
	if c := s.conn.Load(); c != nil && code == closeTooBig {
		c.Session().End(protocol.Errorf("A message may have at most %d bytes", s.limit), code)
		return
	}
	if s.out.end(closeFrame(code)) {
		s.count(code)
		s.expectEnd()
	}
}

// count counts a close of the server's making.
func (s *socket) count(code int) {
	id := ""
	if s.app != nil {
		id = s.app.ID
	}
	s.h.Metrics.App(id).Closed(code)
}

// farewell implements owner.
func (s *socket) farewell() []byte {
	dialect := protocol.Pusher
	if s.app != nil {
		dialect = s.app.Dialect
	}
	e := protocol.ErrSlowConsumer
	told := frame.Text(e.Encode(dialect)).Wire()
	return append(told, frame.Close(e.Code, e.Message)...)
}

// slow implements owner.
func (s *socket) slow() {
	s.expectEnd()
	if c := s.conn.Load(); c != nil {
		s.h.Metrics.App(s.app.ID).Slow.Inc()
		c.Session().End(protocol.ErrSlowConsumer, protocol.ErrSlowConsumer.Code)
	}
}

// gone implements owner.
func (s *socket) gone() {
	_ = s.link.SetReadDeadline(time.Unix(1, 0)) // fails only once it is closed
}

// contain implements owner. Whatever fails is the end of this connection, and
// of no other.
func (s *socket) contain(f func()) {
	defer func() {
		if reason := recover(); reason != nil {
			s.failed(reason)
		}
	}()
	f()
}

func (s *socket) failed(reason any) {
	s.h.Metrics.Panicked()
	s.h.Log.Error("connection failed", "err", fmt.Sprint(reason), "stack", string(debug.Stack()))
	s.refuse(closeInternal)
}

// finish gives the client what is on its way to it, if the connection ends in
// good order.
func (s *socket) finish() {
	answered := s.readErr == nil
	if !answered && !errors.Is(s.readErr, os.ErrDeadlineExceeded) {
		return // the client has gone
	}
	s.out.end(nil) // if nobody has ended it, flushed may take for ever
	if !s.out.flushed() {
		s.link.reset()
		return
	}
	if over, ok := s.nc.(*tls.Conn); ok {
		_ = over.CloseWrite() // it is closed anyway
	}
	s.link.closeWrite()
	if answered {
		s.discard()
	}
}

// maxDiscard is how much of what a client still sends is read and not used.
const maxDiscard = 4 << 20

// discard reads what the client sends until it closes the connection, too. To
// close it with something unread would be to reset it, and the client might
// never see the close frame that tells it why.
func (s *socket) discard() {
	s.expectEnd()
	_, _ = io.Copy(io.Discard, io.LimitReader(s.link.Conn, maxDiscard)) // its end is all that is wanted
}
