package websocket_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/revurb/revurb/core/protocol"
)

// Opcodes of RFC 6455, section 5.2, with the FIN bit.
const (
	finText   = 0x81
	finBinary = 0x82
	finClose  = 0x88
	finPing   = 0x89
	finPong   = 0x8a
	fin       = 0x80
	text      = 0x01
	more      = 0x00 // a continuation
)

// client is a WebSocket client that can do wrong whatever there is to do wrong.
type client struct {
	net.Conn
	t        testing.TB
	br       *bufio.Reader
	response *http.Response
}

const handshakeKey = "dGhlIHNhbXBsZSBub25jZQ=="

func handshake(path string, headers ...string) string {
	head := "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + handshakeKey + "\r\n"
	for _, h := range headers {
		head += h + "\r\n"
	}
	return head + "\r\n"
}

// dial connects without a word.
func (s *server) dial(t testing.TB) *client {
	t.Helper()
	nc, err := net.Dial(s.addr.Network(), s.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	if s.secure {
		nc = tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
	}
	return &client{Conn: nc, t: t, br: bufio.NewReader(nc)}
}

// upgrade connects and upgrades. What is in early goes out with the handshake.
func (s *server) upgrade(t testing.TB, path string, early []byte, headers ...string) *client {
	t.Helper()
	c := s.dial(t)
	c.raw(append([]byte(handshake(path, headers...)), early...))
	var err error
	c.response, err = http.ReadResponse(c.br, nil)
	if err != nil {
		t.Fatalf("read answer to handshake: %v", err)
	}
	if c.response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got status %d, want 101", c.response.StatusCode)
	}
	if got, want := c.response.Header.Get("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		t.Fatalf("got Sec-WebSocket-Accept %q, want %q", got, want)
	}
	return c
}

// connect returns a client that is connected to the app, and its socket ID.
func (s *server) connect(t testing.TB) (c *client, socketID string) {
	t.Helper()
	c = s.upgrade(t, "/app/"+testKey+"?protocol=7&client=js", nil)
	return c, c.established()
}

func (c *client) established() (socketID string) {
	c.t.Helper()
	var data struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal([]byte(c.event(protocol.EventConnectionEstablished)), &data); err != nil || data.SocketID == "" {
		c.t.Fatalf("got no socket ID: %v", err)
	}
	return data.SocketID
}

func (c *client) subscribe(channel string) {
	c.t.Helper()
	c.text(fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q}}`, channel))
	c.event(protocol.EventSubscriptionSucceeded)
}

func (c *client) join(socketID, channel, user string) {
	c.t.Helper()
	token, data := presenceAuth(socketID, channel, user)
	c.text(fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":%q,"auth":%q,"channel_data":%q}}`, channel, token, data))
	c.event(protocol.EventSubscriptionSucceeded)
}

func (c *client) raw(p []byte) {
	c.t.Helper()
	if _, err := c.Write(p); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// masked is a frame as clients send it.
func masked(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

func frames(all ...[]byte) []byte { return bytes.Join(all, nil) }

func closing(code int, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

func (c *client) frame(first byte, payload string) { c.t.Helper(); c.raw(masked(first, payload)) }

func (c *client) text(payload string) { c.t.Helper(); c.frame(finText, payload) }

// read returns the next frame, of whatever kind.
func (c *client) read() (first byte, payload string, err error) {
	var head [2]byte
	if _, err := io.ReadFull(c.br, head[:]); err != nil {
		return 0, "", err
	}
	n := uint64(head[1])
	switch n {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(c.br, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(c.br, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return 0, "", err
	}
	if n > 64<<20 {
		return 0, "", fmt.Errorf("a frame of %d bytes: the stream is broken", n)
	}
	p := make([]byte, n)
	_, err = io.ReadFull(c.br, p)
	return head[0], string(p), err
}

// next returns the payload of the next frame, which must be of the given kind.
func (c *client) next(want byte) string {
	c.t.Helper()
	first, payload, err := c.read()
	if err != nil {
		c.t.Fatalf("read frame: %v", err)
	}
	if first != want {
		c.t.Fatalf("got frame %#x %q, want %#x", first, payload, want)
	}
	return payload
}

// event returns the data of the next message, which must be of the given event.
// Data that is a string is unpacked.
func (c *client) event(want string) string {
	c.t.Helper()
	payload := c.next(finText)
	var m struct {
		Event string          `json:"event"`
		Data  json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal([]byte(payload), &m); err != nil {
		c.t.Fatalf("read message %q: %v", payload, err)
	}
	if m.Event != want {
		c.t.Fatalf("got %s, want event %s", payload, want)
	}
	var unpacked string
	if json.Unmarshal(m.Data, &unpacked) == nil {
		return unpacked
	}
	return string(m.Data)
}

// pings asks for a sign of life at the level of messages.
func (c *client) pings() {
	c.t.Helper()
	c.text(`{"event":"pusher:ping"}`)
	c.event(protocol.EventPong)
}

// told reads a pusher:error with the given code, 0 for null.
func (c *client) told(code int) {
	c.t.Helper()
	var e struct{ Code int }
	data := c.event(protocol.EventError)
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		c.t.Fatal(err)
	}
	if e.Code != code {
		c.t.Errorf("got pusher:error %s, want code %d", data, code)
	}
}

// closed reads the close frame, answers it, and reads the end of the connection:
// there is exactly one close frame, and nothing after it. A code of 0 is none.
func (c *client) closed(code int) (reason string) {
	c.t.Helper()
	reason = c.closing(code)
	_, _ = c.Write(masked(finClose, closing(code, "")[:min(code, 2)])) // if it still listens
	c.ended()
	return reason
}

// closing reads the close frame.
func (c *client) closing(code int) (reason string) {
	c.t.Helper()
	payload := c.next(finClose)
	got := 0
	if len(payload) >= 2 {
		got, reason = int(binary.BigEndian.Uint16([]byte(payload))), payload[2:]
	}
	if got != code {
		c.t.Fatalf("got close code %d %q, want %d", got, reason, code)
	}
	return reason
}

// ended reads the end of the connection.
func (c *client) ended() {
	c.t.Helper()
	first, payload, err := c.read()
	if !errors.Is(err, io.EOF) {
		c.t.Fatalf("got frame %#x %q, %v; want the end of the connection", first, payload, err)
	}
}

// tcp is the connection beneath TLS, if there is any.
func (c *client) tcp() *net.TCPConn {
	nc := c.Conn
	if over, ok := nc.(*tls.Conn); ok {
		nc = over.NetConn()
	}
	return nc.(*net.TCPConn)
}
