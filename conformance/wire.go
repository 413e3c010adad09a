package conformance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Wire is a TCP connection over which a case sends what no HTTP client would.
type Wire struct {
	t  *T
	nc net.Conn
	br *bufio.Reader
}

// OpenWire connects to the HTTP API, and says nothing yet.
func (t *T) OpenWire() *Wire {
	ctx, cancel := context.WithTimeout(t.ctx, t.Target.Timeout)
	defer cancel()
	nc, err := t.Target.dial(ctx, t.Target.HTTP)
	if err != nil {
		t.Fatalf("open a TCP connection: %v", err)
	}
	t.Defer(func() { _ = nc.Close() })
	return &Wire{t, nc, bufio.NewReader(nc)}
}

// Send sends text while the case goes on: a server need not read all of it.
func (w *Wire) Send(text string) {
	w.t.record("sent", "tcp", abridged(text))
	go func() { _, _ = io.WriteString(w.nc, text) }() // who reads finds out
}

// Answer is the status of the next answer, or 0 if the connection ends without
// one. Its body has been read.
func (w *Wire) Answer() (status int, header http.Header) {
	_ = w.nc.SetReadDeadline(time.Now().Add(w.t.Target.Timeout)) // what fails is what comes next
	res, err := http.ReadResponse(w.br, nil)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		w.t.Mismatch("a TCP connection", "an answer, or its end", "neither in "+w.t.Target.Timeout.String())
	}
	if err != nil {
		w.t.record("closed", "tcp", err.Error())
		return 0, nil
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // what fails is what comes next
	}
	w.t.record("received", "tcp", res.Status)
	return res.StatusCode, res.Header
}

// ExpectRefused expects that what was sent is answered with a status of 400 or
// more, or that the connection ends. It returns the status, or 0.
func (w *Wire) ExpectRefused(what string) int {
	status, _ := w.Answer()
	if status != 0 && (status < 400 || status >= 600) || status == http.StatusInternalServerError {
		w.t.Mismatch("the answer to "+what, "a status of 4xx or 5xx but not 500, or the end of the connection", fmt.Sprint(status))
	}
	return status
}

// ExpectEnd expects that the connection ends within limit, whatever is answered
// before.
func (w *Wire) ExpectEnd(what string, limit time.Duration) {
	_ = w.nc.SetReadDeadline(time.Now().Add(limit)) // what fails is what comes next
	_, err := io.Copy(io.Discard, w.br)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		w.t.Mismatch(what, "the connection ends within "+limit.String(), "it stays open")
	}
}

// head is the beginning of a request: its line and its host.
func (t *T) head(method, path string) string {
	u := t.Target.HTTP
	return fmt.Sprintf("%s %s%s HTTP/1.1\r\nHost: %s\r\n", method, strings.TrimSuffix(u.Path, "/"), path, u.Host)
}

// handshakeHead is the beginning of a handshake without its own headers.
func (t *T) handshakeHead(method, version string) string {
	u := t.URL(Dialing{})
	return fmt.Sprintf("%s %s %s\r\nHost: %s\r\n", method, u.RequestURI(), version, u.Host)
}

const (
	upgradeHeaders   = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	webSocketVersion = "Sec-WebSocket-Version: 13\r\n"
	webSocketKey     = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)

// signedHead is the beginning of a signed request with a body.
func (t *T) signedHead(path, body string) string {
	s := Signing{App: t.App(), Method: http.MethodPost, Path: "/apps/" + t.App().ID + path, Body: []byte(body)}
	return t.head(s.Method, (&url.URL{Path: s.Path, RawQuery: Encode(s.Signed(time.Now()))}).RequestURI())
}

// abridged is text as a trace has room for.
func abridged(text string) string {
	const most = 2048
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", text[:most], len(text))
}
