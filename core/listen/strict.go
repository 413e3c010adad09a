package listen

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
)

// Strict refuses HTTP/1 requests that two servers could read differently, so
// that nobody can hide a request behind another one from a proxy (request
// smuggling, RFC 9112, section 11.2): those with both a Content-Length and a
// Transfer-Encoding, those with more than one of either, and those with lines
// that end without a carriage return or are continued on the next line. Package
// net/http lets them pass, some of them to run what stands behind.
//
// Such a request fails as one that cannot be read: the connection is closed, and
// before that it is answered with 400, unless it came right behind another
// request, and package net/http has not begun to read it. What follows a request that is chunked, or that
// upgrades the connection, is not looked at, so nothing but that request may be
// served on the connection: the handler sees to that.
//
// If config is not nil, connections come over TLS. They have a TLS state, and
// do the handshake when they are first read.
func Strict(ln net.Listener, config *tls.Config) net.Listener {
	return &strictListener{ln, config}
}

type strictListener struct {
	net.Listener
	tls *tls.Config
}

func (l *strictListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l.tls == nil {
		return &strictConn{Conn: c}, nil
	}
	t := tls.Server(c, l.tls)
	return &strictTLSConn{strictConn{Conn: t}, t}, nil
}

// Unwrap returns the connection that Strict looks into, which is c itself if it
// is none of Strict's.
func Unwrap(c net.Conn) net.Conn {
	switch s := c.(type) {
	case *strictConn:
		return s.Conn
	case *strictTLSConn:
		return s.Conn
	}
	return c
}

// strictConn is read by one goroutine at a time.
type strictConn struct {
	net.Conn
	scan requestScanner
	err  error
}

// strictTLSConn has what package net/http looks for to set Request.TLS.
type strictTLSConn struct {
	strictConn
	tls *tls.Conn
}

func (c *strictTLSConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

func (c *strictConn) Read(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.Conn.Read(b)
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) && plain.Conn != nil {
		_, _ = io.WriteString(plain.Conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"+
			"This is an HTTPS server: use https:// or wss://.\n")
		return 0, io.EOF
	}
	good, bad := c.scan.next(b[:n])
	if bad == nil {
		return n, err
	}
	// What is before the bad request is complete, and may be served.
	if c.err = bad; good > 0 {
		return good, nil
	}
	return 0, bad
}

// errAmbiguous is no error of the network, so package net/http answers it.
var errAmbiguous = errors.New("the end of the request depends on who reads it")

// requestScanner finds where requests begin and end.
type requestScanner struct {
	off  bool   // what comes now is not for the scanner
	body int64  // bytes of it that are still to come
	line []byte // the beginning of one; package net/http stops reading when headers are too long

	// What has been read of the headers.
	first   bool   // the request line
	http11  bool   // its version
	length  string // Content-Length
	chunked bool   // there is a Transfer-Encoding
	upgrade bool
}

// next looks at what has been read. If there is a bad request in it, good is
// how many bytes belong to the requests before it.
func (s *requestScanner) next(b []byte) (good int, err error) {
	for i := 0; i < len(b); {
		switch {
		case s.off:
			return len(b), nil
		case s.body > 0:
			n := min(s.body, int64(len(b)-i))
			s.body -= n
			i += int(n)
			good = i
			continue
		}
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			s.line = append(s.line, b[i:]...)
			return good, nil
		}
		line := b[i : i+n]
		if s.line != nil {
			line, s.line = append(s.line, line...), nil
		}
		i += n + 1
		done, err := s.readLine(line)
		switch {
		case err != nil:
			return good, err
		case done:
			good = i
		}
	}
	return good, nil
}

// readLine reports whether the line is the last of the headers.
func (s *requestScanner) readLine(line []byte) (done bool, err error) {
	line, ok := bytes.CutSuffix(line, []byte("\r"))
	switch {
	case !ok:
		return false, errAmbiguous
	case !s.first:
		// Clients may send an empty line before a request (RFC 9112, section 2.2).
		s.first = len(line) > 0
		s.http11 = bytes.HasSuffix(line, []byte(" HTTP/1.1"))
		return false, nil
	case len(line) == 0:
		return true, s.endOfHeaders()
	case line[0] == ' ' || line[0] == '\t':
		return false, errAmbiguous
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		if s.length != "" {
			return false, errAmbiguous
		}
		s.length = string(bytes.TrimSpace(value))
		if _, err := strconv.ParseUint(s.length, 10, 63); err != nil {
			return false, errAmbiguous
		}
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		// In HTTP/1.0 package net/http does as if it were not there.
		if s.chunked || !s.http11 {
			return false, errAmbiguous
		}
		s.chunked = true
	case bytes.EqualFold(name, []byte("Upgrade")):
		s.upgrade = true
	}
	return false, nil
}

func (s *requestScanner) endOfHeaders() error {
	if s.chunked && s.length != "" {
		return errAmbiguous
	}
	body, _ := strconv.ParseUint(s.length, 10, 63) // none is 0
	*s = requestScanner{off: s.chunked || s.upgrade, body: int64(body)}
	return nil
}
