package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// handshakeCases are how a connection becomes a WebSocket.
func handshakeCases() []Case {
	const sampleKey, sampleAccept = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
	var cases []Case
	for _, h := range []struct {
		name, section, title, requirement string
		header                            http.Header
	}{
		{"version-absent", "4.2.1", "a handshake without a version is refused", "A handshake has Sec-WebSocket-Version with the value 13.", http.Header{"Sec-Websocket-Version": nil}},
		{"version-8", "4.2.2", "version 8 is refused", "A version that the server does not speak is answered with an error.", http.Header{"Sec-Websocket-Version": {"8"}}},
		{"version-99", "4.2.2", "version 99 is refused", "A version that the server does not speak is answered with an error.", http.Header{"Sec-Websocket-Version": {"99"}}},
		{"key-absent", "4.2.1", "a handshake without a key is refused", "A handshake has a Sec-WebSocket-Key.", http.Header{"Sec-Websocket-Key": nil}},
		{"key-empty", "4.2.1", "an empty key is refused", "A key is 16 bytes when decoded from base64.", http.Header{"Sec-Websocket-Key": {""}}},
		{"connection-absent", "4.2.1", "a handshake without Connection is no handshake", "A handshake has Connection with the token Upgrade.", http.Header{"Connection": nil}},
		{"connection-other", "4.2.1", "a handshake with another Connection is no handshake", "A handshake has Connection with the token Upgrade.", http.Header{"Connection": {"keep-alive"}}},
		{"upgrade-absent", "4.2.1", "a handshake without Upgrade is no handshake", "A handshake has Upgrade with the value websocket.", http.Header{"Upgrade": nil}},
		{"upgrade-other", "4.2.1", "an upgrade to something else is no handshake", "A handshake has Upgrade with the value websocket.", http.Header{"Upgrade": {"h2c"}}},
	} {
		cases = append(cases, Case{
			ID: "rfc6455.handshake." + h.name, Title: h.title, Level: Must, Source: "RFC 6455, section " + h.section, Requirement: h.requirement,
			Run: func(t *T) { t.expectNoWebSocket(h.header) },
		})
	}
	for _, h := range []struct{ name, title, key string }{
		{"key-short", "a key of 15 bytes is refused", "AAAAAAAAAAAAAAAAAAAA"},
		{"key-garbage", "a key that is no base64 is refused", "!!!!!!!!!!!!!!!!!!!!!!=="},
	} {
		cases = append(cases, Case{
			ID: "rfc6455.handshake." + h.name, Title: h.title, Level: Should, Source: "RFC 6455, section 4.2.1",
			Requirement: "A key is 16 bytes when decoded from base64. (A server need not decode it, and loses nothing then.)",
			Run:         func(t *T) { t.expectNoWebSocket(http.Header{"Sec-Websocket-Key": {h.key}}) },
		})
	}
	for _, h := range []struct {
		name, title string
		header      http.Header
	}{
		{"connection-list", "Connection may list other tokens, as that of Firefox does", http.Header{"Connection": {"keep-alive, Upgrade"}}},
		{"lower-case", "the values of Connection and Upgrade have no case", http.Header{"Connection": {"uPGRADE"}, "Upgrade": {"WebSocket"}}},
		{"origin-null", "a handshake with the Origin null is one", http.Header{"Origin": {"null"}}},
		{"unknown-header", "headers that nobody knows do no harm", http.Header{"X-Unknown": {strings.Repeat("x", 1000)}, "Cookie": {"a=b; c=d"}}},
	} {
		cases = append(cases, Case{
			ID: "rfc6455.handshake." + h.name, Title: h.title, Level: Must, Source: "RFC 6455, section 4.2.1",
			Requirement: "What the client's handshake must have is read as HTTP has it, and the rest of it is optional.",
			Run: func(t *T) {
				c := t.ConnectTo(Dialing{Header: h.header})
				c.Send(pingText)
				c.ExpectPong("a ping after that handshake")
			},
		})
	}
	return append(cases,
		Case{
			ID: "rfc6455.handshake.version-told", Title: "who asks for another version is told which one is spoken", Level: Should, Source: "RFC 6455, section 4.4",
			Requirement: "A server that refuses a version answers 426 with a Sec-WebSocket-Version that it speaks.",
			Run: func(t *T) {
				h := t.expectNoWebSocket(http.Header{"Sec-Websocket-Version": {"8"}})
				if h.Status != http.StatusUpgradeRequired || h.Header.Get("Sec-WebSocket-Version") != "13" {
					t.Mismatch("answer to version 8", "426 with Sec-WebSocket-Version: 13", fmt.Sprintf("%d with Sec-WebSocket-Version: %s", h.Status, h.Header.Get("Sec-WebSocket-Version")))
				}
			},
		},
		Case{
			ID: "rfc6455.handshake.accept", Title: "the answer to the sample handshake is that of the RFC", Level: Must, Source: "RFC 6455, section 1.3",
			Requirement: "The answer is 101 with Upgrade, Connection and the Sec-WebSocket-Accept that belongs to the key.",
			Run: func(t *T) {
				res, _ := t.rawHandshake(t.handshakeText("GET", "HTTP/1.1", sampleKey))
				actual := fmt.Sprintf("%d with Upgrade: %s, Connection: %s, Sec-WebSocket-Accept: %s", res.StatusCode,
					res.Header.Get("Upgrade"), res.Header.Get("Connection"), res.Header.Get("Sec-WebSocket-Accept"))
				if res.StatusCode != 101 || !strings.EqualFold(res.Header.Get("Upgrade"), "websocket") ||
					!strings.EqualFold(res.Header.Get("Connection"), "upgrade") || res.Header.Get("Sec-WebSocket-Accept") != sampleAccept {
					t.Mismatch("answer to the handshake", "101 with Upgrade: websocket, Connection: Upgrade, Sec-WebSocket-Accept: "+sampleAccept, actual)
				}
			},
		},
		Case{
			ID: "rfc6455.handshake.post", Title: "a handshake with POST is none", Level: Must, Source: "RFC 6455, section 4.2.1",
			Requirement: "A handshake is a GET.",
			Run:         func(t *T) { t.expectRefused(t.handshakeText("POST", "HTTP/1.1", sampleKey)) },
		},
		Case{
			ID: "rfc6455.handshake.http-1.0", Title: "a handshake with HTTP/1.0 is none", Level: Must, Source: "RFC 6455, section 4.2.1",
			Requirement: "A handshake is a request of HTTP/1.1 or higher.",
			Run:         func(t *T) { t.expectRefused(t.handshakeText("GET", "HTTP/1.0", sampleKey)) },
		},
		Case{
			ID: "rfc6455.handshake.octets", Title: "a handshake that comes octet by octet is one", Level: Must, Source: "RFC 6455, section 4.2.1",
			Requirement: "A handshake may arrive in any number of pieces.",
			Run: func(t *T) {
				nc := t.dialTCP()
				t.octets([]byte(t.handshakeText("GET", "HTTP/1.1", sampleKey)), func(b []byte) error {
					_, err := nc.Write(b)
					return err
				})
				t.expectGreeted(nc)
			},
		},
		Case{
			ID: "rfc6455.handshake.early-frame", Title: "a frame that comes with the handshake is not lost", Level: Must, Source: "RFC 6455, section 4.1",
			Requirement: "What a client sends in the same segment as its handshake is the first frame. (Clients that wait for the answer do not, proxies that put segments together do.)",
			Run: func(t *T) {
				nc := t.dialTCP()
				_, _ = nc.Write(append([]byte(t.handshakeText("GET", "HTTP/1.1", sampleKey)), client.Control(client.OpPing, "early").Bytes()...))
				br := t.expectGreeted(nc)
				f, err := client.ReadFrame(br)
				if err != nil || f.Opcode != client.OpPong || string(f.Payload) != "early" {
					t.Mismatch("answer to a ping that came with the handshake", `pong "early"`, fmt.Sprintf("%s, %v", describe(f), err))
				}
			},
		}.level(Should),
		Case{
			ID: "rfc6455.handshake.subprotocol", Title: "a subprotocol that the server does not know is not agreed to", Level: Must, Source: "RFC 6455, section 4.2.2",
			Requirement: "The answer names a subprotocol only if the client asked for it and the server speaks it.",
			Run: func(t *T) {
				c := t.ConnectTo(Dialing{Header: http.Header{"Sec-Websocket-Protocol": {"x-no-such-protocol"}}})
				if p := c.Raw.Response.Header.Get("Sec-WebSocket-Protocol"); p != "" {
					t.Mismatch("answer to an unknown subprotocol", "no Sec-WebSocket-Protocol", p)
				}
			},
		},
		Case{
			ID: "rfc6455.handshake.no-subprotocol", Title: "a client that asks for no subprotocol gets none", Level: Must, Source: "RFC 6455, section 4.2.2",
			Requirement: "Browsers fail a connection with a subprotocol that they did not ask for.",
			Run: func(t *T) {
				if p := t.Connect().Raw.Response.Header.Get("Sec-WebSocket-Protocol"); p != "" {
					t.Mismatch("answer to a handshake without a subprotocol", "no Sec-WebSocket-Protocol", p)
				}
			},
		},
	)
}

// expectNoWebSocket expects that a handshake with header is answered with an
// error, and returns the answer.
func (t *T) expectNoWebSocket(header http.Header) *client.HandshakeError {
	c, err := t.TryDial(Dialing{Header: header})
	var h *client.HandshakeError
	switch {
	case err == nil:
		t.Mismatch("answer to the handshake", "a status that is an error", fmt.Sprintf("101: connection %s is open", c.Label))
	case !errors.As(err, &h):
		t.Mismatch("answer to the handshake", "a status that is an error", err.Error())
	case h.Status < 400 || h.Status > 499:
		t.Mismatch("answer to the handshake", "a status from 400 to 499", fmt.Sprintf("%d %s", h.Status, h.Body))
	}
	return h
}

func (t *T) handshakeText(method, version, key string) string {
	u := t.URL(Dialing{})
	return method + " " + u.RequestURI() + " " + version + "\r\nHost: " + u.Host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n\r\n"
}

// dialTCP opens a connection that ends with the case, or when nothing has come
// for too long.
func (t *T) dialTCP() net.Conn {
	nc, err := t.Target.dial(t.ctx, t.URL(Dialing{}))
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Defer(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(t.Target.Timeout)) // what fails is what comes next
	return nc
}

func (t *T) rawHandshake(text string) (*http.Response, *bufio.Reader) {
	nc := t.dialTCP()
	t.record("sent", "", text)
	_, _ = io.WriteString(nc, text) // who reads finds out
	return t.readAnswer(nc)
}

func (t *T) readAnswer(nc net.Conn) (*http.Response, *bufio.Reader) {
	br := bufio.NewReader(nc)
	res, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Mismatch("answer to the handshake", "an HTTP response", err.Error())
	}
	return res, br
}

// expectRefused expects that a handshake is answered with an error.
func (t *T) expectRefused(text string) {
	if res, _ := t.rawHandshake(text); res.StatusCode < 400 || res.StatusCode > 599 {
		t.Mismatch("answer to the handshake", "a status that is an error", res.Status)
	}
}

// expectGreeted reads the answer to a handshake and the first message.
func (t *T) expectGreeted(nc net.Conn) *bufio.Reader {
	res, br := t.readAnswer(nc)
	if res.StatusCode != http.StatusSwitchingProtocols {
		t.Mismatch("answer to the handshake", "101", res.Status)
	}
	f, err := client.ReadFrame(br)
	if err != nil || !strings.Contains(string(f.Payload), "pusher:connection_established") {
		t.Mismatch("the first frame", "pusher:connection_established", fmt.Sprintf("%s, %v", describe(f), err))
	}
	return br
}
