package conformance

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// handshakeSecurity are what is tried before there is a connection.
var handshakeSecurity = []Case{
	{
		ID: "security.handshake.slow-headers", Title: "who drips headers is cut off", Level: Should, Timing: true,
		Source:      "RFC 9110, section 15.5.9: 408 Request Timeout; the Slowloris attack",
		Requirement: "A connection whose headers come byte by byte is ended within 30 seconds, and others are served meanwhile.",
		Run: func(t *T) {
			w := t.OpenWire()
			stop := make(chan struct{})
			t.Defer(func() { close(stop) })
			go func() {
				for _, b := range []byte(t.head("GET", "/app/x") + "X: " + strings.Repeat("x", 1000)) {
					select {
					case <-stop:
						return
					case <-time.After(100 * time.Millisecond):
					}
					if _, err := w.nc.Write([]byte{b}); err != nil {
						return
					}
				}
			}()
			t.Connect().ExpectNothing("others are served")
			w.ExpectEnd("a connection whose headers come byte by byte", 30*time.Second)
		},
	},
	{
		ID: "security.handshake.silent", Title: "who says nothing is cut off", Level: Should, Timing: true, Source: "RFC 9110, section 15.5.9: 408 Request Timeout",
		Requirement: "A TCP connection over which nothing comes is ended within 30 seconds.",
		Run: func(t *T) {
			w := t.OpenWire()
			w.ExpectEnd("a connection that says nothing", 30*time.Second)
		},
	},
	{
		ID: "security.handshake.huge-header", Title: "huge headers are refused", Level: Must, Source: "RFC 6585, section 5: 431 Request Header Fields Too Large",
		Requirement: "A handshake with a header of 1 MiB, or with 10,000 headers, is answered with 4xx or not at all, and the server lives on.",
		Run: func(t *T) {
			for what, headers := range map[string]string{
				"a header of 1 MiB": "X: " + strings.Repeat("x", 1<<20) + "\r\n",
				"10,000 headers":    strings.Repeat("A: b\r\n", 10_000),
			} {
				w := t.OpenWire()
				w.Send(t.handshakeHead("GET", "HTTP/1.1") + headers + upgradeHeaders + webSocketVersion + webSocketKey + "\r\n")
				w.ExpectRefused(what)
			}
			t.Connect()
		},
	},
	{
		ID: "security.handshake.malformed", Title: "malformed requests are refused", Level: Must, Source: "RFC 9112, sections 2.2, 3.2 and 5.1",
		Requirement: "A request with a zero byte in a header, without a host, with a space before a colon, or of another protocol is answered with 4xx or not at all.",
		Run: func(t *T) {
			line, _, _ := strings.Cut(t.head("GET", "/up"), "\n")
			for what, text := range map[string]string{
				"a zero byte in a header":  t.head("GET", "/up") + "X: a\x00b\r\n\r\n",
				"a request without a host": line + "\n\r\n",
				"a space before the colon": t.head("GET", "/up") + "X : a\r\n\r\n",
				"two hosts":                t.head("GET", "/up") + "Host: evil.example\r\n\r\n",
				"another protocol":         "EHLO x\r\n\r\n",
				"HTTP/2 without TLS":       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
			} {
				w := t.OpenWire()
				w.Send(text)
				w.ExpectRefused(what)
			}
		},
	},
	{
		ID: "security.handshake.incomplete", Title: "a handshake that is none opens nothing", Level: Must, Source: srcHandshake,
		Requirement: "Without a version, key or upgrade as RFC 6455 has them, or with another method than GET, a handshake is answered with 4xx and the connection is no WebSocket.",
		Run: func(t *T) {
			get := t.handshakeHead("GET", "HTTP/1.1")
			for what, text := range map[string]string{
				"a handshake without a key":        get + upgradeHeaders + webSocketVersion,
				"a handshake with a short key":     get + upgradeHeaders + webSocketVersion + "Sec-WebSocket-Key: AAAA\r\n",
				"a handshake without a version":    get + upgradeHeaders + webSocketKey,
				"a handshake of version 8":         get + upgradeHeaders + webSocketKey + "Sec-WebSocket-Version: 8\r\n",
				"an upgrade to something else":     get + "Connection: Upgrade\r\nUpgrade: h2c\r\n" + webSocketKey + webSocketVersion,
				"an upgrade that is no connection": get + "Upgrade: websocket\r\n" + webSocketKey + webSocketVersion,
				"a POST":                           t.handshakeHead("POST", "HTTP/1.1") + upgradeHeaders + webSocketKey + webSocketVersion + "Content-Length: 0\r\n",
				"HTTP/1.0":                         t.handshakeHead("GET", "HTTP/1.0") + upgradeHeaders + webSocketKey + webSocketVersion,
				"a plain GET":                      get,
			} {
				w := t.OpenWire()
				w.Send(text + "\r\n")
				if status := w.ExpectRefused(what); status == 0 {
					t.Mismatch("the answer to "+what, "a status of 4xx or 5xx", "the connection ends without one")
				}
			}
		},
	},
	{
		ID: "security.handshake.version", Title: "the version of WebSockets is negotiated", Level: Should, Source: "RFC 6455, section 4.4",
		Requirement: "A handshake of another version than 13 is answered with 426 and the header Sec-WebSocket-Version: 13.",
		Run: func(t *T) {
			w := t.OpenWire()
			w.Send(t.handshakeHead("GET", "HTTP/1.1") + upgradeHeaders + webSocketKey + "Sec-WebSocket-Version: 8\r\n\r\n")
			status, header := w.Answer()
			if status != http.StatusUpgradeRequired || !strings.Contains(header.Get("Sec-WebSocket-Version"), "13") {
				t.Mismatch("the answer to a handshake of version 8", "426 with Sec-WebSocket-Version: 13", fmt.Sprintf("%d with %q", status, header.Get("Sec-WebSocket-Version")))
			}
		},
	},
	{
		ID: "security.handshake.refused", Title: "who is refused is not served", Level: Must, Source: "Pusher docs, WebSocket protocol: Connection closure",
		Requirement: "A client that is refused with an unknown key gets pusher:error, and then the end of the connection: what it sends is not served.",
		Run: func(t *T) {
			room := t.Name("room-")
			stranger := t.App()
			stranger.Key = t.Name("nobody-")
			c := t.Dial(Dialing{App: stranger})
			c.SendSubscribe(room)
			told := 0
			for m := c.NextText("pusher:error"); m.Opcode != client.OpClose; m = c.NextText("the end") {
				if told++; m.Event != "pusher:error" {
					t.Mismatch("a client that was refused", "pusher:error, and the end of the connection", m.String())
				}
			}
			if told == 0 {
				t.Mismatch("a client that was refused", "pusher:error before the end of the connection", "the end alone")
			}
			c.ExpectEnd()
			t.Field(t.Get("/channels/"+room), "occupied").is(false)
		},
	},
	{
		ID: "security.origin.allowed", Title: "origins are compared as hosts", Level: Must, Source: srcOrigin, Needs: []Capability{CapOriginCheck},
		Requirement: "A page of an allowed host connects, whatever its scheme, port and case are.",
		Run: func(t *T) {
			app := t.Fixture(Origins)
			for _, origin := range []string{"https://allowed.example", "http://allowed.example:8443", "https://ALLOWED.example", "https://a.b.allowed.example"} {
				t.ConnectTo(Dialing{App: app, Header: http.Header{"Origin": {origin}}})
			}
		},
	},
	{
		ID: "security.origin.refused", Title: "other origins are refused", Level: Must, Source: srcOrigin, Needs: []Capability{CapOriginCheck},
		Requirement: "A page of a host that is not allowed, however much it looks like one that is, is refused before it can subscribe.",
		Run: func(t *T) {
			app := t.Fixture(Origins)
			for _, origin := range []string{
				"https://evil.example", "null", "", "https://allowed.example.evil.example", "https://evilallowed.example",
				"https://evil.example/allowed.example", "https://allowed.example@evil.example", "https://evil.example#allowed.example",
				"https://evil.example?x.allowed.example", "allowed.example.", "*", "https://allowed-example",
			} {
				c, err := t.TryDial(Dialing{App: app, Header: http.Header{"Origin": {origin}}})
				if err != nil && handshakeStatus(err) == 0 {
					t.Fatalf("open a WebSocket: %v", err)
				}
				if err != nil { // 403 says it as well
					continue
				}
				m := c.NextText("pusher:error, or the end")
				if m.Event != "pusher:error" && m.Opcode != client.OpClose {
					t.Mismatch("the origin "+origin, "pusher:error and the end of the connection", m.String())
				}
				c.ExpectEnd()
			}
		},
	},
}
