package conformance

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// Where the promises are made that keep hostile clients out.
const (
	srcMessage    = "RFC 9112, section 11.2: Request smuggling"
	srcHandshake  = "RFC 6455, section 4.2.1: Reading the client's opening handshake"
	srcLimits     = "RFC 6455, section 10.4: Implementation-specific limits"
	srcOrigin     = "RFC 6455, section 10.2: Origin considerations; Laravel Reverb, allowed_origins"
	srcSignatures = "Pusher docs, Authentication signatures"
	srcNames      = "Pusher docs, Channels: Channel naming conventions"
)

// securityCases are what hostile clients try.
var securityCases = slices.Concat(handshakeSecurity, frameSecurity, messageSecurity, httpSecurity)

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

var frameSecurity = []Case{
	{
		ID: "security.frame.announced", Title: "a length that is announced takes no memory", Level: Must, Source: srcLimits,
		Requirement: "A frame that announces 2^63-1 bytes, or a length with the highest bit set, ends the connection before they come, and the server lives on.",
		Run: func(t *T) {
			other := t.Connect()
			for _, length := range []uint64{1<<63 - 1, 1 << 63, 1<<64 - 1, 1 << 40} {
				for _, opcode := range []byte{client.OpText, client.OpBinary} {
					c := t.Connect()
					c.SendFrames(client.Frame{Fin: true, Opcode: opcode, Masked: true, Length: &length})
					c.ExpectClose(1002, 1003, 1006, 1009)
				}
			}
			other.ExpectNothing("others are served")
		},
	},
	{
		ID: "security.frame.endless", Title: "a message that does not end is cut off", Level: Must, Source: srcLimits,
		Requirement: "Fragments without an end are refused when together they are larger than a message may be, 1 MiB at most.",
		Run: func(t *T) {
			c := t.Connect()
			piece := strings.Repeat("x", 1024)
			c.SendFrames(client.Frame{Opcode: client.OpText, Masked: true, Payload: []byte(piece)})
			for range 1024 {
				_ = c.Raw.Write(client.Frame{Opcode: client.OpContinuation, Masked: true, Payload: []byte(piece)}) // the server may have gone
			}
			c.ExpectClose()
			t.Connect().ExpectNothing("others are served")
		},
	},
	{
		ID: "security.frame.empty-fragments", Title: "a flood of empty fragments holds nobody up", Level: Should, Heavy: true, Source: srcLimits,
		Requirement: "While 50,000 empty fragments come over one connection, others are served.",
		Run: func(t *T) {
			other := t.Connect()
			c := t.Connect()
			frames := make([]client.Frame, 1000)
			for i := range frames {
				frames[i] = client.Frame{Opcode: client.OpContinuation, Masked: true}
			}
			c.SendFrames(client.Frame{Opcode: client.OpText, Masked: true})
			for range 50 {
				_ = c.Raw.Write(frames...) // the server may have gone
				other.ExpectNothing("others are served")
			}
		},
	},
	{
		ID: "security.frame.ping-flood", Title: "a flood of pings holds nobody up", Level: Should, Heavy: true, Source: srcLimits,
		Requirement: "While 20,000 pings come over one connection, others are served; the pings are answered or the connection ends.",
		Run: func(t *T) {
			other := t.Connect()
			c := t.Connect()
			frames := make([]client.Frame, 1000)
			for i := range frames {
				frames[i] = client.Control(client.OpPing, "x")
			}
			for range 20 {
				_ = c.Raw.Write(frames...) // the server may have gone
				other.ExpectNothing("others are served")
			}
			if m := c.Next("a pong, or the end"); m.Opcode != client.OpPong && m.Opcode != client.OpClose {
				t.Mismatch("the answer to pings", "a pong, or the end of the connection", m.String())
			}
		},
	},
	{
		ID: "security.frame.gone", Title: "who is gone leaves nothing behind", Level: Must, Source: "RFC 6455, section 7.1.7: Fail the WebSocket connection",
		Requirement: "A connection that ends with a reset, without a close frame, or half, leaves its channels.",
		Run: func(t *T) {
			for what, leave := range map[string]func(*Conn){
				"a reset": func(c *Conn) { _ = c.Raw.Reset() },
				"an end":  func(c *Conn) { c.Drop() },
				"a half":  func(c *Conn) { _ = c.Raw.CloseWrite() },
			} {
				room := t.Name("room-")
				c := t.Connect()
				c.Subscribe(room)
				leave(c)
				t.Eventually("a channel is empty after "+what, func() bool { return !t.Occupied(t.App(), room) })
			}
		},
	},
}

var messageSecurity = []Case{
	{
		ID: "security.json.deep", Title: "deep JSON does no harm", Level: Must, Source: "RFC 8259, section 9: Parsers may limit the depth of nesting",
		Requirement: "A message of thousands of nested arrays or objects is answered with an error at most, and the connection stays open.",
		Run: func(t *T) {
			c := t.Connect()
			for _, text := range []string{
				strings.Repeat("[", 4500) + strings.Repeat("]", 4500), strings.Repeat("[", 9000), strings.Repeat(`{"a":`, 1800),
				`{"event":"pusher:subscribe","data":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + `}`,
			} {
				c.Send(text)
				c.ExpectUntold("deep JSON")
			}
		},
	},
	{
		ID: "security.json.duplicate-keys", Title: "a key that comes twice fools nobody", Level: Must, Source: "RFC 8259, section 4: Names should be unique",
		Requirement: "A subscription whose channel is named twice, once as a private one, gives no access to the private one.",
		Run: func(t *T) {
			c := t.Connect()
			public, private := t.Name("room-"), t.Name("private-")
			for _, text := range []string{
				`{"event":"pusher:subscribe","data":{"channel":%[1]s,"channel":%[2]s}}`,
				`{"event":"pusher:subscribe","data":{"channel":%[2]s,"channel":%[1]s}}`,
				`{"event":"pusher:subscribe","data":{"channel":%[1]s,"Channel":%[2]s}}`,
				`{"event":"pusher:subscribe","data":{"channel":%[1]s},"data":{"channel":%[2]s}}`,
			} {
				c.Send(fmt.Sprintf(text, t.JSON(public), t.JSON(private)))
				c.Fence()
			}
			t.Publish(Publishing{Name: "secret", Channel: private, Data: "{}"})
			for _, m := range c.Fence() {
				if m.Channel == private {
					t.Mismatch("a private channel that was not signed for", "nothing of it", m.String())
				}
			}
			t.Field(t.Get("/channels/"+private), "occupied").is(false)
		},
	},
	{
		ID: "security.json.escapes", Title: "an escaped name is the same name", Level: Must, Source: "RFC 8259, section 8.3: String comparison",
		Requirement: "A private channel whose name is written with escapes is a private channel: it is not given without a signature.",
		Run: func(t *T) {
			c := t.Connect()
			private := t.Name("private-")
			c.Send(`{"event":"pusher:subscribe","data":{"channel":"privat\u0065` + strings.TrimPrefix(private, "private") + `"}}`)
			if c.ExpectUntold("a private channel without a signature") == 0 {
				t.Mismatch("the answer to a private channel without a signature", "pusher:error", "nothing")
			}
			c.ExpectAbsent(private)
		},
	},
	{
		ID: "security.json.numbers", Title: "large numbers are not rounded", Level: Must, Source: "Pusher docs, Presence channels: user_id; RFC 8259, section 6", Needs: []Capability{CapPresence},
		Requirement: "Users with the numbers 9007199254740992 and 9007199254740993 are two users, not one.",
		Run: func(t *T) {
			room := t.Name("presence-")
			t.Connect().SubscribePresenceData(room, `{"user_id":9007199254740992}`)
			t.Connect().SubscribePresenceData(room, `{"user_id":9007199254740993}`)
			v := t.Get("/channels/"+room, param("info", "user_count"))
			t.Field(v, "user_count").is(2)
		},
	},
	{
		ID: "security.channel.names", Title: "names that are none are refused", Level: Must, Reverb: May, Source: srcNames,
		Requirement: "A channel whose name has spaces, line breaks, zero bytes, colons or letters that are not ASCII is refused.",
		Run: func(t *T) {
			c := t.Connect()
			for _, name := range []string{"a b", "a\r\nb", "a\x00b", "a:b", "ä", "a/b", "a\u202eb", "#a", "a'b", `a"b`, "a*"} {
				c.Sendf(`{"event":"pusher:subscribe","data":{"channel":%s}}`, name)
				c.ExpectError("")
			}
			c.ExpectNothing("an error each is all there is to it")
		},
	},
	{
		ID: "security.channel.of-another-user", Title: "the channel of a user is his alone", Level: Must, Source: "Pusher docs, Sending events to authenticated users", Needs: []Capability{CapSignin},
		Requirement: "#server-to-user-… is refused to who is not signed in as that user.",
		Run: func(t *T) {
			c := t.Connect()
			user := "#server-to-user-" + t.Name("u")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":"","channel":%s}}`, user)
			c.ExpectError("")
			t.Publish(Publishing{Name: "secret", Channel: user, Data: "{}"})
			c.ExpectNothing("what is for another user")
		},
	},
	{
		ID: "security.channel.twice", Title: "who subscribes twice counts once", Level: Must, Source: "Pusher docs, WebSocket protocol: Subscription events",
		Requirement: "A connection that subscribes twice is one subscriber, gets each event once, and is gone when it unsubscribes once.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			c.SendSubscribe(room)
			c.Fence()
			t.Field(t.Get("/channels/"+room, param("info", "subscription_count")), "subscription_count").is(1)
			t.Publish(Publishing{Name: "e", Channel: room, Data: "{}"})
			c.Expect("e", room)
			c.expectOnlyFence(room, "an event comes once")
			c.Unsubscribe(room)
			t.Field(t.Get("/channels/"+room), "occupied").is(false)
		},
	},
	{
		ID: "security.event.forged", Title: "clients cannot speak for the server", Level: Must, Source: "Pusher docs, Events: client events begin with client-", Needs: []Capability{CapClientEvents},
		Requirement: "What a client sends as an event of the protocol, or without client-, goes to nobody.",
		Run: func(t *T) {
			room := t.Name("private-")
			a, b := t.Connect(), t.Connect()
			a.Subscribe(room)
			b.Subscribe(room)
			for _, event := range []string{
				"pusher_internal:member_added", "pusher_internal:subscription_succeeded", "pusher:error", "pusher:cache_miss", "pusher:signin_success",
				"Client-e", "client_e", " client-e", "e",
			} {
				a.SendEvent(event, room, `"{}"`)
				a.Fence()
			}
			b.expectOnlyFence(room, "what clients cannot send goes to nobody")
		},
	},
	{
		ID: "security.auth.signatures", Title: "nothing but the right signature will do", Level: Must, Source: srcSignatures,
		Requirement: "A subscription whose signature is cut short, empty, in upper case, of another channel, of another connection or of another secret is refused.",
		Run: func(t *T) {
			app, room := t.App(), t.Name("private-")
			c, other := t.Connect(), t.Connect()
			good := c.Auth(room, "")
			key, signature, _ := strings.Cut(good, ":")
			for _, auth := range []string{
				"", ":", key, key + ":", signature, ":" + signature, key + ":" + signature[:63], key + ":" + signature[:32],
				key + ":" + strings.ToUpper(signature), key + ":" + signature + "0", key + "::" + signature, key + ":" + signature + ":",
				c.Auth(room+"x", ""), other.Auth(room, ""), c.Auth(room, "{}"),
				client.ChannelAuth(app.Key, app.Secret+"x", c.SocketID, room, ""), client.ChannelAuth(app.Key, "", c.SocketID, room, ""),
			} {
				c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, auth, room)
				c.ExpectError("")
			}
			c.ExpectAbsent(room)
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, good, room)
			c.Expect("pusher_internal:subscription_succeeded", room)
		},
	},
	{
		ID: "security.auth.other-app", Title: "the signature of another app will not do", Level: Must, Source: srcSignatures, Needs: []Capability{CapSecondApp},
		Requirement: "A subscription that is signed with key and secret of another app is refused.",
		Run: func(t *T) {
			c, other, room := t.Connect(), t.Fixture(Second), t.Name("private-")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, client.ChannelAuth(other.Key, other.Secret, c.SocketID, room, ""), room)
			c.ExpectError("")
			c.ExpectAbsent(room)
		},
	},
	{
		ID: "security.auth.confusion", Title: "a signature is for one purpose", Level: Must, Source: srcSignatures,
		Requirement: "A signature for a channel with data, or for a sign-in, is not taken as one for a channel whose name looks like the rest of what was signed.",
		Run: func(t *T) {
			c := t.Connect()
			app, presence := t.App(), t.Name("presence-")
			const data = `{"user_id":"u1"}`
			for channel, auth := range map[string]string{
				presence + ":" + data:        c.Auth(presence, data),
				":user::{\"id\":\"u1\"}":     client.UserAuth(app.Key, app.Secret, c.SocketID, `{"id":"u1"}`),
				"private-" + presence + ":x": c.Auth("private-"+presence, "x"),
			} {
				c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, auth, channel)
				c.ExpectError("")
			}
			// The other way round: a malformed socket ID that was signed for.
			auth := client.ChannelAuth(app.Key, app.Secret, c.SocketID+":"+presence, data, "")
			room := t.Name("private-")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, auth, room)
			c.ExpectError("")
			c.ExpectAbsent(room)
		},
	},
	{
		ID: "security.auth.no-member-data", Title: "a presence channel wants to know who comes", Level: Must, Source: "Pusher docs, Presence channels: channel_data", Needs: []Capability{CapPresence},
		Requirement: "A subscription to a presence channel without channel_data, or with other channel_data than was signed, is refused.",
		Run: func(t *T) {
			room := t.Name("presence-")
			c := t.Connect()
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, c.Auth(room, ""), room)
			c.ExpectError("")
			const signed, sent = `{"user_id":"u1"}`, `{"user_id":"admin"}`
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel_data":%s,"channel":%s}}`, c.Auth(room, signed), sent, room)
			c.ExpectError("")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel_data":%s,"channel":%s}}`, c.Auth(room, ""), sent, room)
			c.ExpectError("")
			c.ExpectAbsent(room)
		},
	},
}

var httpSecurity = []Case{
	{
		ID: "security.http.signatures", Title: "nothing but the right signature publishes", Level: Must, Source: srcHTTPAuth,
		Requirement: "An event whose signature is empty, cut short, in upper case or of another secret is answered with 401 and published to nobody.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			for _, change := range []func(string) string{
				func(string) string { return "" },
				func(s string) string { return s[:63] },
				func(s string) string { return s + "0" },
				strings.ToUpper,
				func(s string) string { return strings.Repeat("0", len(s)) },
				func(s string) string { return s + "\x00" },
			} {
				t.ExpectStatus(Request{Path: "/events", Body: t.event(room), Sign: func(s Signing) string {
					q := s.Signed(time.Now())
					q[len(q)-1].Value = change(q[len(q)-1].Value)
					return Encode(q)
				}}, http.StatusUnauthorized)
			}
			for _, secret := range []string{"", t.App().Secret + "x", t.App().Key} {
				app := t.App()
				app.Secret = secret
				t.ExpectStatus(Request{App: app, Path: "/events", Body: t.event(room)}, http.StatusUnauthorized)
			}
			c.expectOnlyFence(room, "an event that was refused is published to nobody")
		},
	},
	{
		ID: "security.http.pollution", Title: "no parameter can be added to a signed request", Level: Must, Source: srcHTTPAuth,
		Requirement: "A request to which a parameter was added after it was signed, even one that it has already, is answered with 400 or 401.",
		Run: func(t *T) {
			app := t.App()
			for _, added := range []string{
				"filter_by_prefix=presence-", "info=subscription_count", "auth_key=" + app.Key, "AUTH_KEY=" + app.Key, "auth_key=x", "auth_key[]=" + app.Key,
				"auth_timestamp=1", "auth_version=1.0", "auth_signature=x", "body_md5=x", "info[]=subscription_count", "Filter_By_Prefix=x", "x",
			} {
				for _, front := range []bool{true, false} {
					t.ExpectStatus(Request{Path: "/channels", Query: []client.Param{param("filter_by_prefix", "none-")}, Sign: func(s Signing) string {
						q := Encode(s.Signed(time.Now()))
						if front {
							return added + "&" + q
						}
						return q + "&" + added
					}}, http.StatusBadRequest, http.StatusUnauthorized)
				}
			}
		},
	},
	{
		ID: "security.http.replay", Title: "a request that comes again", Level: May, Source: "The hosted service publishes again within 600 seconds: retries are legal",
		Requirement: "The same signed request, sent ten times, is answered with 200 each time, or with 401 after the first; each 200 publishes once.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			body := t.event(room)
			query := ""
			accepted := 0
			for i := range 10 {
				res := t.ExpectStatus(Request{Path: "/events", Body: body, Sign: func(s Signing) string {
					if query == "" {
						query = Encode(s.Signed(time.Now()))
					}
					return query
				}}, http.StatusOK, http.StatusUnauthorized)
				switch {
				case res.Status == http.StatusOK:
					accepted++
				case i == 0:
					t.Mismatch("status of the first", "200", fmt.Sprint(res.Status))
				}
			}
			for range accepted {
				c.Expect("e", room)
			}
			c.expectOnlyFence(room, "no more than was answered with 200")
			t.Note("%d of 10 were accepted", accepted)
		},
	},
	{
		ID: "security.http.smuggling", Title: "no request hides behind another", Level: Must, Source: srcMessage,
		Requirement: "A request with both a Content-Length and a Transfer-Encoding, or with two lengths, is refused, and what stands behind it is not run.",
		Run: func(t *T) {
			hidden := t.head("GET", "/up") + "\r\n"
			for what, text := range map[string]string{
				"a length and chunks":   t.head("POST", "/nothing") + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
				"chunks and a length":   t.head("POST", "/nothing") + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
				"two lengths":           t.head("POST", "/nothing") + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
				"a length that is none": t.head("POST", "/nothing") + "Content-Length: +0\r\n\r\n",
				"an unknown coding":     t.head("POST", "/nothing") + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
				"a coding with a space": t.head("POST", "/nothing") + "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
				"a header that goes on": t.head("POST", "/nothing") + "Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
				"an upgrade and a body": t.head("POST", "/nothing") + "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			} {
				w := t.OpenWire()
				w.Send(text + hidden)
				w.ExpectRefused(what)
				if status, _ := w.Answer(); status != 0 {
					t.Mismatch("what stands behind "+what, "it is not run: the connection ends", fmt.Sprintf("an answer of %d", status))
				}
			}
		},
	},
	{
		ID: "security.http.announced", Title: "a body that is too large is not read", Level: Must, Source: "RFC 9110, section 15.5.14: 413 Content Too Large",
		Requirement: "A request that announces a body of 1 GiB is answered with 4xx, before the body comes.",
		Run: func(t *T) {
			w := t.OpenWire()
			w.Send(t.signedHead("/events", "x") + "Content-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n")
			if status := w.ExpectRefused("a body of 1 GiB"); status == 0 {
				t.Mismatch("the answer to a body of 1 GiB", "413", "the end of the connection")
			}
		},
	},
	{
		ID: "security.http.compressed", Title: "a compressed body does no harm", Level: Should, Source: "RFC 9110, section 15.5.16: 415 Unsupported Media Type",
		Requirement: "A body that is compressed, and would be 64 MiB, is answered with 4xx.",
		Run: func(t *T) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			zeros := make([]byte, 1<<20)
			for range 64 {
				_, _ = z.Write(zeros) // a bytes.Buffer does not fail
			}
			_ = z.Close()
			res := t.Do(Request{Path: "/events", Body: b.String(), Header: http.Header{"Content-Encoding": {"gzip"}}})
			if res.Status < 400 || res.Status >= 500 {
				t.Mismatch("status", "4xx", fmt.Sprintf("%d %s", res.Status, res.Body))
			}
			t.Get("/channels")
		},
	},
	{
		ID: "security.http.slow-body", Title: "who drips a body is cut off", Level: Should, Timing: true, Source: "RFC 9110, section 15.5.9: 408 Request Timeout",
		Requirement: "A request whose body does not come is ended within 30 seconds.",
		Run: func(t *T) {
			body := t.event(t.Name("room-"))
			w := t.OpenWire()
			w.Send(t.signedHead("/events", body) + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body[:len(body)-1])
			w.ExpectEnd("a request whose body does not come", 30*time.Second)
		},
	},
	{
		ID: "security.http.huge-query", Title: "a huge query is refused", Level: Must, Source: "RFC 9110, section 15.5.15: 414 URI Too Long",
		Requirement: "A request with a query of 1 MiB is answered with 4xx or not at all.",
		Run: func(t *T) {
			w := t.OpenWire()
			w.Send(t.head("GET", "/apps/"+t.App().ID+"/channels?x="+strings.Repeat("x", 1<<20)) + "\r\n")
			w.ExpectRefused("a query of 1 MiB")
			t.Get("/channels")
		},
	},
	{
		ID: "security.http.operators", Title: "what is for operators is not public", Level: Must, Source: "CWE-200: Exposure of sensitive information",
		Requirement: "Metrics, profiles and configuration are not served where clients connect, without credentials.",
		Run: func(t *T) {
			for _, path := range []string{
				"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/vars", "/config", "/admin", "/apps", "/.env", "/usage",
			} {
				t.ExpectStatus(Request{Path: path, Root: true, Sign: func(Signing) string { return "" }},
					http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed)
			}
		},
	},
	{
		ID: "security.http.secrets", Title: "no error tells a secret", Level: Must, Source: "CWE-209: Error message containing sensitive information",
		Requirement: "No answer to a wrong request has the secret of the app in it, or the signature that would have been right.",
		Run: func(t *T) {
			right := ""
			for _, change := range []func([]client.Param) []client.Param{
				func(q []client.Param) []client.Param { return set(q, "auth_signature", "wrong") },
				func(q []client.Param) []client.Param { return without(q, "auth_signature") },
				func(q []client.Param) []client.Param { return set(q, "auth_key", "wrong") },
				func(q []client.Param) []client.Param { return set(q, "auth_timestamp", "1") },
			} {
				res := t.Do(Request{Path: "/channels", Sign: func(s Signing) string {
					q := change(s.Signed(time.Now()))
					signed := resignAs(s, q) // which is not what is sent: an answer may quote that
					right = signed[len(signed)-1].Value
					return Encode(q)
				}})
				if res.Status < 400 {
					t.Mismatch("status", "4xx", fmt.Sprint(res.Status))
				}
				for _, secret := range []string{t.App().Secret, right} {
					if strings.Contains(res.Body, secret) {
						t.Fatalf("the answer %d to a wrong request has the secret, or the right signature, in it", res.Status)
					}
				}
			}
			c := t.Connect()
			room := t.Name("private-")
			_, signature, _ := strings.Cut(c.Auth(room, ""), ":")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":"x:y","channel":%s}}`, room)
			for _, m := range c.Fence() {
				if strings.Contains(m.Text, t.App().Secret) || strings.Contains(m.Text, signature) {
					t.Fatalf("a pusher:error has the secret, or the right signature, in it")
				}
			}
		},
	},
	{
		ID: "security.http.cors", Title: "the API is not for browsers", Level: Should, Source: "Fetch standard: CORS protocol and credentials",
		Requirement: "The HTTP API does not allow other origins to send credentials.",
		Run: func(t *T) {
			for _, method := range []string{http.MethodOptions, http.MethodGet} {
				res := t.Do(Request{Method: method, Path: "/channels", Header: http.Header{
					"Origin": {"https://evil.example"}, "Access-Control-Request-Method": {"POST"},
				}})
				allowed := res.Header.Get("Access-Control-Allow-Origin")
				if (allowed == "*" || allowed == "https://evil.example") && res.Header.Get("Access-Control-Allow-Credentials") == "true" {
					t.Mismatch("CORS headers", "no other origin may send credentials", "Access-Control-Allow-Origin: "+allowed+" with credentials")
				}
			}
		},
	},
	{
		ID: "security.http.injection", Title: "no header can be put into an answer", Level: Must, Source: "CWE-113: HTTP response splitting",
		Requirement: "A line break in a path or a parameter does not come back as a header.",
		Run: func(t *T) {
			for _, r := range []Request{
				{Path: "/channels/a%0d%0aX-Injected:%20yes"},
				{Path: "/channels", Query: []client.Param{param("info", "a\r\nX-Injected: yes")}},
				{Root: true, Path: "/apps/a%0d%0aX-Injected:%20yes/channels"},
			} {
				res := t.Do(r)
				if res.Header.Get("X-Injected") != "" || res.Status >= 500 {
					t.Mismatch("the answer to a line break", "a status of 4xx, and no header of the request", fmt.Sprintf("%d with X-Injected: %q", res.Status, res.Header.Get("X-Injected")))
				}
			}
		},
	},
	{
		ID: "security.apps.isolated", Title: "apps hear nothing of one another", Level: Must, Source: "Pusher docs, Channels apps: keys and secrets are of one app", Needs: []Capability{CapSecondApp},
		Requirement: "A channel of one app and the channel of the same name of another have nothing in common: neither events nor subscribers.",
		Run: func(t *T) {
			room, other := t.Name("private-"), t.Fixture(Second)
			a := t.Connect()
			b := t.ConnectTo(Dialing{App: other})
			a.Subscribe(room)
			t.Field(t.Object(t.OK(t.Do(Request{App: other, Path: "/channels/" + room}))), "occupied").is(false)
			b.Subscribe(room)
			t.Publish(Publishing{Name: "for-a", Channel: room, Data: "{}", SocketID: b.SocketID})
			t.PublishAs(other, Publishing{Name: "for-b", Channel: room, Data: "{}"})
			a.Expect("for-a", room)
			b.Expect("for-b", room)
			a.expectOnlyFence(room, "what is of another app")
			b.expectOnlyFence(room, "what is of another app")
			t.Field(t.Get("/channels/"+room, param("info", "subscription_count")), "subscription_count").is(1)
		},
	},
}
