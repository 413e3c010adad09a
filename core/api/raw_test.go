package api_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// rawConn is a connection to the server on which a test may send anything.
type rawConn struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func (s *stage) dial() *rawConn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		s.t.Fatal(err)
	}
	return &rawConn{s.t, conn, bufio.NewReader(conn)}
}

func (c *rawConn) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rawConn) response() result {
	c.t.Helper()
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return result{resp.StatusCode, string(body), resp.Header}
}

// mustEnd fails the test unless the server has closed the connection and sent
// nothing more.
func (c *rawConn) mustEnd() {
	c.t.Helper()
	rest, err := io.ReadAll(c.in)
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		c.t.Error("the connection is still open, want it closed")
	}
	if len(rest) > 0 {
		c.t.Errorf("got %q after the response, want nothing", rest)
	}
}
