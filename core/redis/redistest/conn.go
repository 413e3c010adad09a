package redistest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// An Error is an error reply of Redis, such as "WRONGTYPE Operation ...".
type Error string

func (e Error) Error() string { return string(e) }

// A Conn is a connection to Redis that does nothing of its own: it neither
// retries nor reconnects. It is for one goroutine at a time.
type Conn struct {
	c net.Conn
	r *bufio.Reader
	// Timeout is how long Do and Receive wait for Redis; 0 means for ever.
	Timeout time.Duration
}

// Dial connects to addr, with TLS unless config is nil.
func Dial(addr string, config *tls.Config) (*Conn, error) {
	d := &net.Dialer{Timeout: 5 * time.Second}
	var c net.Conn
	var err error
	if config != nil {
		c, err = tls.DialWithDialer(d, "tcp", addr, config)
	} else {
		c, err = d.Dial("tcp", addr)
	}
	if err != nil {
		return nil, err
	}
	return &Conn{c: c, r: bufio.NewReader(c), Timeout: 5 * time.Second}, nil
}

// Do sends a command and returns its reply: a string, an int64, nil, or an
// []any of these, where an [Error] may be too. An error reply is returned as
// an error.
func (c *Conn) Do(args ...any) (any, error) {
	if err := c.Send(args...); err != nil {
		return nil, err
	}
	return c.Receive()
}

// Send sends a command and does not wait for the reply.
func (c *Conn) Send(args ...any) error {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, arg := range args {
		s := fmt.Sprint(arg)
		if raw, ok := arg.([]byte); ok {
			s = string(raw)
		}
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(s), s)
	}
	if err := c.c.SetWriteDeadline(c.deadline()); err != nil {
		return err
	}
	_, err := c.c.Write(b)
	return err
}

// Receive waits for the next reply, or message of a subscription.
func (c *Conn) Receive() (any, error) {
	if err := c.c.SetReadDeadline(c.deadline()); err != nil {
		return nil, err
	}
	v, err := c.value()
	if e, ok := v.(Error); ok && err == nil {
		return nil, e
	}
	return v, err
}

// Close closes the connection.
func (c *Conn) Close() error { return c.c.Close() }

func (c *Conn) deadline() time.Time {
	if c.Timeout == 0 {
		return time.Time{}
	}
	return time.Now().Add(c.Timeout)
}

// value reads one value of RESP2.
func (c *Conn) value() (any, error) {
	line, err := c.r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return nil, fmt.Errorf("not a line of Redis: %q", line)
	}
	kind, text := line[0], line[1:len(line)-2]
	switch kind {
	case '+':
		return text, nil
	case '-':
		return Error(text), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("not a number from Redis: %q", line)
	}
	switch {
	case kind == ':':
		return n, nil
	case kind != '$' && kind != '*':
		return nil, fmt.Errorf("not a reply of Redis: %q", line)
	case n < 0:
		return nil, nil
	case kind == '*':
		return c.array(n)
	}
	b := make([]byte, n+2)
	if _, err := io.ReadFull(c.r, b); err != nil {
		return nil, err
	}
	if b[n] != '\r' || b[n+1] != '\n' {
		return nil, errors.New("a string of Redis does not end where it should")
	}
	return string(b[:n]), nil
}

func (c *Conn) array(n int64) (any, error) {
	list := []any{}
	for range n {
		v, err := c.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}
