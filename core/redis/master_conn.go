package redis

import (
	"net"
	"sync/atomic"
	"syscall"
)

// masterConn is a connection to a server that was the master when it was made.
type masterConn struct {
	net.Conn
	addr    string
	masters *masters
	closed  atomic.Bool
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
// connection again, whether the other end has closed it. One that was closed here it
// would use.
func (c *masterConn) SyscallConn() (syscall.RawConn, error) {
	if c.closed.Load() {
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
