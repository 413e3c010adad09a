package client

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Conn is one WebSocket. Reading is for one goroutine at a time; writing may be
// done by any.
type Conn struct {
	Response *http.Response // to the handshake

	nc net.Conn
	br *bufio.Reader

	mu sync.Mutex // guards writing
}

// HandshakeError is the error of a server that answers the handshake with
// anything but 101.
type HandshakeError struct {
	Status int
	Header http.Header
	Body   string // the beginning of it
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("the server answers the handshake with %d %s: %s", e.Status, http.StatusText(e.Status), strings.TrimSpace(e.Body))
}

// Dial opens a WebSocket to a URL of ws or wss. Header is sent along, and may
// replace what the handshake has by itself; a header that is nil is left out.
func Dial(ctx context.Context, rawURL string, header http.Header) (*Conn, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("parse URL: %w", err)
	}
	nc, err := DialTCP(ctx, u)
	if err != nil {
		return nil, err
	}
	return Open(ctx, nc, u, header)
}

// Open is Dial with a connection that there is already. If it fails, the
// connection is closed.
func Open(ctx context.Context, nc net.Conn, u *url.URL, header http.Header) (*Conn, error) {
	c, err := handshake(ctx, nc, u, header)
	if err != nil {
		_ = nc.Close() // it is lost already
		return nil, err
	}
	return c, nil
}

// DialTCP opens the connection beneath: TCP, and TLS for wss and https.
func DialTCP(ctx context.Context, u *url.URL) (net.Conn, error) {
	secure := u.Scheme == "wss" || u.Scheme == "https"
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), map[bool]string{false: "80", true: "443"}[secure])
	}
	var nc net.Conn
	var err error
	if secure {
		nc, err = new(tls.Dialer).DialContext(ctx, "tcp", host)
	} else {
		nc, err = new(net.Dialer).DialContext(ctx, "tcp", host)
	}
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return nc, nil
}

func handshake(ctx context.Context, nc net.Conn, u *url.URL, header http.Header) (*Conn, error) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = nc.SetDeadline(deadline) // what fails is what comes next
	}
	key := make([]byte, 16)
	_, _ = rand.Read(key) // never fails
	nonce := base64.StdEncoding.EncodeToString(key)
	h := http.Header{
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {nonce},
	}
	for name, values := range header {
		h[name] = values
	}
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", u.RequestURI(), u.Host)
	_ = h.Write(&b) // a strings.Builder does not fail
	b.WriteString("\r\n")
	if _, err := nc.Write([]byte(b.String())); err != nil {
		return nil, fmt.Errorf("send handshake: %w", err)
	}
	br := bufio.NewReader(nc)
	res, err := http.ReadResponse(br, &http.Request{Method: http.MethodGet})
	if err != nil {
		return nil, fmt.Errorf("read answer to handshake: %w", err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		body := make([]byte, 1024)
		n, _ := res.Body.Read(body)
		return nil, &HandshakeError{res.StatusCode, res.Header, string(body[:n])}
	}
	if sum := sha1.Sum([]byte(nonce + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")); header.Get("Sec-WebSocket-Key") == "" &&
		res.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return nil, errors.New("Sec-WebSocket-Accept is not that of the handshake (RFC 6455, section 4.2.2)")
	}
	_ = nc.SetDeadline(time.Time{}) // what fails is what comes next
	return &Conn{Response: res, nc: nc, br: br}, nil
}

// Write sends frames, all in one go.
func (c *Conn) Write(frames ...Frame) error {
	var b []byte
	for _, f := range frames {
		b = append(b, f.Bytes()...)
	}
	return c.WriteBytes(b)
}

// WriteBytes sends bytes as they are.
func (c *Conn) WriteBytes(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.nc.Write(b)
	return err
}

// Read returns the next frame. It does not answer pings or close frames.
func (c *Conn) Read() (Frame, error) { return ReadFrame(c.br) }

// Close ends the connection without a word.
func (c *Conn) Close() error { return c.nc.Close() }

// Reset ends the connection so that the other side sees a reset.
func (c *Conn) Reset() error {
	if tcp, ok := c.nc.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // it is closed anyway
	}
	return c.nc.Close()
}

// CloseWrite says that nothing more will be sent.
func (c *Conn) CloseWrite() error {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
