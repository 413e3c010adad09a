package server_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/config"
)

// impatient is a server that waits for 300 ms for headers, and for the next
// request; for nothing else does it cut anyone off while a test waits.
func impatient(c *config.Config) {
	c.Server.HandshakeTimeout = 300 * time.Millisecond
	c.Server.IdleTimeout = 300 * time.Millisecond
	c.Server.RequestTimeout = time.Hour
}

// hasty is a server that waits for 500 ms for a whole request.
func hasty(c *config.Config) { c.Server.RequestTimeout = 500 * time.Millisecond }

// ended waits until the server ends the connection, and returns what it said.
func ended(t *testing.T, c net.Conn) (said string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(c)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatal("the server does not end the connection")
	}
	return string(b)
}

// drip sends a byte of text every 10 ms, until it or the test is over.
func drip(t *testing.T, c net.Conn, text string) {
	ctx := t.Context()
	go func() {
		for i := range len(text) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
			if _, err := io.WriteString(c, text[i:i+1]); err != nil {
				return
			}
		}
	}()
}

func TestWhoIsSlowIsCutOff(t *testing.T) {
	const least = 300 * time.Millisecond // that a client may take
	for _, test := range []struct {
		name  string
		first string // what it sends at once
		drip  string // what it sends of, a byte every 10 ms
	}{
		{"says nothing", "", ""},
		{"sends its headers byte by byte", "", "GET /app/x HTTP/1.1\r\nX: " + strings.Repeat("x", 100_000)},
		{"stops in its headers", "GET /app/x HTTP/1.1\r\nHost: x\r\n", ""},
		{"says nothing more after a request", "GET /up HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, impatient)
			start := time.Now()
			c := s.tcp()
			_, err := io.WriteString(c, test.first)
			must(t, err)
			drip(t, c, test.drip)
			ended(t, c)
			if after := time.Since(start); after < least {
				t.Errorf("got cut off after %v, want %v or more", after, least)
			}
			s.connectSoon() // and everyone else is served
		})
	}
}

func TestASignedBodyThatDripsIsCutOff(t *testing.T) {
	s := serve(t, hasty)
	r, err := publish(s.server.URL(), `{"name":"a","channel":"b","data":"`+strings.Repeat("x", 1000)+`"}`)
	must(t, err)
	var wire strings.Builder
	must(t, r.Write(&wire))
	start := time.Now()
	c := s.tcp()
	_, err = io.WriteString(c, wire.String()[:wire.Len()-500])
	must(t, err)
	drip(t, c, wire.String()[wire.Len()-500:]) // if nobody ends it, it is over after 5 s
	said := ended(t, c)
	if after := time.Since(start); strings.HasPrefix(said, "HTTP/1.1 200") || after < 500*time.Millisecond {
		t.Errorf("got %q after %v, want an error after 500ms", said, after)
	}
}

// Deadlines are for requests: who has a WebSocket may be silent for longer.
func TestWebSocketsOutliveTheDeadlines(t *testing.T) {
	s := serve(t, impatient, hasty)
	c := s.connectSoon()
	silent := time.NewTimer(1200 * time.Millisecond) // beyond all of them, twice that of hasty for writing included
	<-silent.C
	must(t, c.subscribe("news", nil))
}

func TestHeadersThatAreNone(t *testing.T) {
	s := serve(t)
	for _, test := range []struct {
		name, text, status string
	}{
		{"a megabyte of one header", "GET /app/x HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", "431"},
		{"ten thousand headers", "GET /app/x HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 10_000) + "\r\n", "431"},
		{"bare line feeds", "GET /up HTTP/1.1\nHost: x\n\n", "400"},
		{"a zero byte", "GET /up HTTP/1.1\r\nHost: x\x00\r\n\r\n", "400"},
		{"no host", "GET /up HTTP/1.1\r\n\r\n", "400"},
		{"another protocol", "EHLO x\r\n\r\n", "400"},
		{"HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
		{"a length and chunks", "POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /up HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
		{"HTTP/1.0", "GET /app/" + appKey + " HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", "505"},
		{"a version that there is not", "GET /app/" + appKey + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", "426"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := s.tcp()
			go func() { _, _ = io.WriteString(c, test.text) }() // the server need not read it all
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil {
				t.Fatalf("got no answer: %v", err)
			}
			if !strings.HasPrefix(line, "HTTP/1.1 "+test.status) && !strings.HasPrefix(line, "HTTP/1.0 "+test.status) {
				t.Errorf("got %q, want %s", line, test.status)
			}
			_ = c.Close()
		})
	}
	s.connect()
}

// What stands behind a request that was to become something else is nobody's.
func TestNothingIsServedBehindAnUpgrade(t *testing.T) {
	s := serve(t)
	for name, text := range map[string]string{
		"an upgrade to something else": "GET /up HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		"an upgrade that is refused":   "GET /app/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"chunks":                       "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		c := s.tcp()
		_, err := io.WriteString(c, text+"GET /up HTTP/1.1\r\nHost: x\r\n\r\n")
		must(t, err)
		said := ended(t, c)
		if n := strings.Count(said, "HTTP/1.1 "); n != 1 {
			t.Errorf("%s: got %d answers, want one and the end:\n%s", name, n, said)
		}
	}
}

// A frame may come in the same packet as the handshake, before it is answered.
func TestAFrameBehindTheHandshakeIsRead(t *testing.T) {
	s := serve(t)
	nc := s.tcp()
	_ = nc.SetDeadline(time.Now().Add(patience))
	const ping = `{"event":"pusher:ping"}`
	_, err := io.WriteString(nc, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"+
		"\x81\x97\x00\x00\x00\x00"+ping) // 23 bytes, and a mask of zeros
	must(t, err)
	c := &client{Conn: nc, r: bufio.NewReader(nc)}
	res, err := http.ReadResponse(c.r, nil)
	must(t, err)
	_ = res.Body.Close()
	must(t, c.greet())
	m, err := c.read()
	must(t, err)
	if m.Event != "pusher:pong" {
		t.Errorf("got %+v, want pusher:pong", m)
	}
}
