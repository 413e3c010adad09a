package redis

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// masterConn is a connection to a server that was the master when it was made.
type masterConn struct {
	net.Conn
	addr    string
	masters *masters
	closed  atomic.Bool
	old     atomic.Bool // another is the master: nothing more is asked
}

// leave has what was asked answered, and nothing more asked. What is asked again on
// another server, because nobody knows whether it was done, takes another place
// among the events.
func (c *masterConn) leave() {
	c.old.Store(true)
	time.AfterFunc(drainFor, func() { _ = c.Close() })
}

// Write implements net.Conn.
func (c *masterConn) Write(b []byte) (int, error) {
	if c.old.Load() {
		_ = c.Close()
		return 0, &net.OpError{Op: "dial", Net: "tcp", Err: errReplaced} // as if there had never been one
	}
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *masterConn) Close() error {
	c.closed.Store(true)
	c.masters.mu.Lock()
	delete(c.masters.conns, c)
	c.masters.mu.Unlock()
	return c.Conn.Close()
}

// SyscallConn implements syscall.Conn: the library looks by it, before it uses a
// connection again, whether the other end has closed it. One that is not to be used
// anymore it would use.
func (c *masterConn) SyscallConn() (syscall.RawConn, error) {
	if c.closed.Load() || c.old.Load() {
		return nil, net.ErrClosed
	}
	if conn, ok := c.Conn.(syscall.Conn); ok {
		return conn.SyscallConn()
	}
	return opaque{}, nil
}

// opaque is a connection with TLS, which nobody else may read.
type opaque struct{}

// Control implements syscall.RawConn.
func (opaque) Control(func(uintptr)) error { return nil }

// Read implements syscall.RawConn.
func (opaque) Read(func(uintptr) bool) error { return nil }

// Write implements syscall.RawConn.
func (opaque) Write(func(uintptr) bool) error { return nil }
