package server_test

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/revurb/revurb/core/auth"
)

// client is a WebSocket client that hides nothing.
type client struct {
	net.Conn
	r        *bufio.Reader
	socketID string
}

// message is what a client reads: a message, or a close frame.
type message struct {
	Event   string
	Channel string
	Data    json.RawMessage
	close   int // its code; 0 is none
}

// text is data that is a string, or what there is of it.
func (m message) text() string {
	var s string
	if json.Unmarshal(m.Data, &s) == nil {
		return s
	}
	return string(m.Data)
}

// upgrade asks for a WebSocket over c, and returns the answer if it is no 101.
func upgrade(c net.Conn, path string, header http.Header) (*client, *http.Response, error) {
	_ = c.SetDeadline(time.Now().Add(2 * patience)) // of all that the test does with it
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	r, err := http.NewRequest(http.MethodGet, "http://server.test"+path, nil)
	if err != nil {
		return nil, nil, err
	}
	if header != nil {
		r.Header = header.Clone()
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", base64.StdEncoding.EncodeToString(key))
	if err := r.Write(c); err != nil {
		return nil, nil, err
	}
	cl := &client{Conn: c, r: bufio.NewReader(c)}
	res, err := http.ReadResponse(cl.r, r)
	if err != nil {
		return nil, nil, err
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return nil, res, nil
	}
	return cl, nil, nil
}

// greet reads the greeting.
func (c *client) greet() error {
	m, err := c.read()
	if err != nil {
		return err
	}
	var greeting struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal([]byte(m.text()), &greeting); err != nil || greeting.SocketID == "" {
		return fmt.Errorf("got %+v, want to be greeted", m)
	}
	c.socketID = greeting.SocketID
	return nil
}

// read returns the next message. It answers pings.
func (c *client) read() (m message, err error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(c.r, head[:]); err != nil {
			return m, err
		}
		n := uint64(head[1])
		switch n {
		case 126:
			var size [2]byte
			_, err = io.ReadFull(c.r, size[:])
			n = uint64(binary.BigEndian.Uint16(size[:]))
		case 127:
			var size [8]byte
			_, err = io.ReadFull(c.r, size[:])
			n = binary.BigEndian.Uint64(size[:])
		}
		if err != nil {
			return m, err
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(c.r, payload); err != nil {
			return m, err
		}
		switch head[0] & 0xf {
		case 1:
			return m, json.Unmarshal(payload, &m)
		case 8:
			if len(payload) < 2 {
				return m, errors.New("a close frame without a code")
			}
			m.close = int(binary.BigEndian.Uint16(payload))
			return m, nil
		case 9:
			err = c.write(0x8a, payload)
		default:
			err = fmt.Errorf("a frame that begins with %x", head)
		}
		if err != nil {
			return m, err
		}
	}
}

func (c *client) write(first byte, payload []byte) error {
	b := []byte{first, 0x80 | 126, byte(len(payload) >> 8), byte(len(payload)), 0, 0, 0, 0} // the mask is zero
	if len(payload) < 126 {
		b = []byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}
	}
	_, err := c.Write(append(b, payload...))
	return err
}

func (c *client) send(event string, data any) error {
	b, err := json.Marshal(map[string]any{"event": event, "data": data})
	if err != nil {
		return err
	}
	return c.write(0x81, b)
}

// subscribe subscribes to a public channel, or with what a presence channel
// needs, and waits until it has.
func (c *client) subscribe(channel string, extra map[string]string) error {
	data := map[string]string{"channel": channel}
	for k, v := range extra {
		data[k] = v
	}
	if err := c.send("pusher:subscribe", data); err != nil {
		return err
	}
	m, err := c.read()
	if err == nil && m.Event != "pusher_internal:subscription_succeeded" {
		err = fmt.Errorf("got %s %s, want to be subscribed", m.Event, m.Data)
	}
	return err
}

// credentials are what a presence channel needs of c.
func (c *client) credentials(channel, channelData string) map[string]string {
	return map[string]string{
		"channel_data": channelData,
		"auth":         appKey + ":" + auth.Sign(appSecret, auth.ChannelText(c.socketID, channel, channelData)),
	}
}

// answerClose answers a close frame and waits for the end of the connection.
func (c *client) answerClose(code int) error {
	if err := c.write(0x88, []byte{byte(code >> 8), byte(code)}); err != nil {
		return err
	}
	if _, err := c.r.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("after the close frame: got %v, want the end", err)
	}
	return c.Close()
}

// must fails the test if there is an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// reset ends the connection without saying so.
func reset(c *client) {
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}
