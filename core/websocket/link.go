package websocket

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// Listener returns ln with its connections, of TCP or a Unix socket, prepared
// to be upgraded to WebSockets. TLS goes on top of it, if there is any:
//
//	tls.NewListener(websocket.Listener(ln, c), tlsConfig)
//
// Until it is upgraded, a connection works as any other does.
func Listener(ln net.Listener, c Config) net.Listener {
	return listener{ln, c.SendBuffer}
}

type listener struct {
	net.Listener
	sendBuffer int
}

func (l listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http looks at the error of the listener itself
	}
	return newLink(nc, l.sendBuffer), nil
}

// link is a connection that can be written to without waiting.
type link struct {
	net.Conn     // of TCP or a Unix socket
	fd       int // of Conn; noFD if it has none, and always makes wait

	// mu guards what follows, and every use of fd: a number that was closed is
	// soon that of another connection.
	mu      sync.Mutex
	closed  bool
	bounded bool   // Write does not wait, but keeps what the kernel does not take
	busy    bool   // drain writes what comes before rest
	rest    []byte // what Write has kept
}

const noFD = -1

// maxRest is how much Write keeps at most. What is kept is what TLS has made of
// the one frame that it was given last, and of what it says by itself.
const maxRest = 16 << 20

var errRest = errors.New("too much waits to be written")

func newLink(nc net.Conn, sendBuffer int) *link {
	if b, ok := nc.(interface{ SetWriteBuffer(int) error }); ok && sendBuffer > 0 {
		_ = b.SetWriteBuffer(sendBuffer) // the kernel's own size does, too
	}
	return &link{Conn: nc, fd: fdOf(nc)}
}

func fdOf(nc net.Conn) int {
	fd := noFD
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			_ = raw.Control(func(n uintptr) { fd = int(n) }) // fails only once it is closed
		}
	}
	return fd
}

// linkOf returns the link that nc is, or that is beneath its TLS; or nil.
func linkOf(nc net.Conn) *link {
	if over, ok := nc.(*tls.Conn); ok {
		nc = over.NetConn()
	}
	l, _ := nc.(*link)
	return l
}

// Write implements net.Conn. On a bounded link it does not wait.
func (l *link) Write(p []byte) (int, error) {
	l.mu.Lock()
	if !l.bounded {
		l.mu.Unlock()
		return l.Conn.Write(p)
	}
	defer l.mu.Unlock()
	n := 0
	if !l.busy && len(l.rest) == 0 {
		var err error
		if n, err = l.now(p); err != nil {
			return n, err
		}
	}
	if len(l.rest)+len(p)-n > maxRest {
		return n, errRest
	}
	l.rest = append(l.rest, p[n:]...)
	return len(p), nil
}

// Close implements net.Conn.
func (l *link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.rest = nil
	return l.Conn.Close()
}

// reset closes the connection without what the kernel still has to send.
func (l *link) reset() {
	if tcp, ok := l.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // it is closed anyway
	}
	_ = l.Close()
}

// closeWrite says that nothing more will be written.
func (l *link) closeWrite() {
	if half, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // it is closed anyway
	}
}

// bound makes Write keep what it cannot write.
func (l *link) bound() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bounded = true
}

// try writes as much of p as the kernel takes at once.
func (l *link) try(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now(p)
}

// now is try with mu held.
func (l *link) now(p []byte) (int, error) {
	if l.closed {
		return 0, net.ErrClosed
	}
	if l.fd == noFD || len(p) == 0 {
		return 0, nil
	}
	return writeNow(l.fd, p)
}

// blocked reports whether Write has kept something.
func (l *link) blocked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy || len(l.rest) > 0
}

// drain writes what Write has kept, and waits until the deadline to do so. It
// returns how many bytes it wrote. It is called by one goroutine at a time.
func (l *link) drain(deadline time.Time) (written int, err error) {
	if err := l.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	for {
		p := l.takeRest()
		if p == nil {
			return written, nil
		}
		n, err := l.Conn.Write(p)
		written += n
		if err != nil {
			l.putBack(p[n:])
			return written, err
		}
	}
}

func (l *link) takeRest() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.rest
	l.rest = nil
	l.busy = len(p) > 0
	return p
}

func (l *link) putBack(p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(p, l.rest...)
	l.busy = false
}
