package conformance

import (
	"fmt"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// heartbeatCases are how both sides know that the other lives.
var heartbeatCases = []Case{
	{
		ID: "HB-01", Title: "pusher:ping is answered", Level: Must,
		Source:      docProtocol + ", Ping and pong messages; pusher-js, which reconnects without an answer",
		Requirement: "A pusher:ping is answered with a pusher:pong that has data.",
		Run: func(t *T) {
			c := t.Connect()
			c.Send(`{"event":"pusher:ping","data":{}}`)
			c.Expect("pusher:pong", "")
		},
	},
	{
		ID: "HB-02", Title: "pusher:ping may have any data, or none", Level: Must,
		Source:      "Java client, which sends no data; " + docProtocol + ", Ping and pong messages",
		Requirement: "A pusher:ping is answered whether it has no data, or an empty string, or a string that holds an object, or null.",
		Run: func(t *T) {
			c := t.Connect()
			for _, text := range []string{
				`{"event": "pusher:ping"}`, `{"event":"pusher:ping","data":""}`,
				`{"event":"pusher:ping","data":"{}"}`, `{"event":"pusher:ping","data":null}`,
			} {
				c.Send(text)
				if m := c.NextText("pusher:pong, the answer to " + text); m.Event != "pusher:pong" {
					t.Mismatch("the answer to "+text, "pusher:pong", m.String())
				}
			}
			c.ExpectNothing("each ping has one answer")
		},
	},
	{
		ID: "HB-03", Title: "a control ping is answered", Level: Must,
		Source:      "RFC 6455, section 5.5.3; Swift client, which pings with nothing else",
		Requirement: "A ping frame is answered with a pong frame that has the same payload, of 0 to 125 bytes.",
		Run: func(t *T) {
			c := t.Connect()
			for _, payload := range []string{"", "hello", "\x00\xff\xfe", strings.Repeat("p", 125)} {
				c.SendFrames(client.Control(client.OpPing, payload))
				c.expectPong(payload)
			}
		},
	},
	{
		ID: "HB-04", Title: "a dead client is found, and is no member any more", Level: Should, Timing: true,
		Source:      docProtocol + ", Ping and pong messages, and Error codes, 4201",
		Requirement: "A client that answers no ping is told 4201 and closed with it, within the activity timeout and the time for the pong; the others in a presence channel are told that it has left.",
		Needs:       []Capability{CapShortLiveness, CapPresence},
		Run: func(t *T) {
			app, room := t.Fixture(ShortLived), t.Name("presence-")
			watcher, dead := t.ConnectTo(Dialing{App: app}), t.ConnectTo(Dialing{App: app})
			watcher.SubscribePresence(room, "watcher")
			dead.SubscribePresence(room, "dead")
			watcher.ExpectMember("member_added", room, "dead")
			dead.Mute()
			dead.ExpectClose(4201)
			watcher.ExpectMember("member_removed", room, "dead")
		},
	},
	{
		ID: "HB-05", Title: "a client that knows only control pings stays", Level: Must, Timing: true,
		Source:      "Java, Swift and .NET clients, none of which answers a pusher:ping of the server",
		Requirement: "A client that answers ping frames and no pusher:ping messages is not taken for dead.",
		Needs:       []Capability{CapShortLiveness},
		Run: func(t *T) {
			c := t.ConnectTo(Dialing{App: t.Fixture(ShortLived)})
			t.Pass(5 * time.Second)
			for _, m := range c.Fence() {
				if m.Event != "pusher:ping" {
					t.Mismatch("what a quiet client is sent", "pings at most", m.String())
				}
			}
		},
	},
	{
		ID: "HB-06", Title: "pusher:pong is taken without an answer", Level: Must,
		Source:      docProtocol + ", Ping and pong messages",
		Requirement: "A pusher:pong of the client, asked for or not, has no answer.",
		Run: func(t *T) {
			c := t.Connect()
			c.Send(`{"event":"pusher:pong","data":{}}`)
			c.Send(`{"event":"pusher:pong"}`)
			c.ExpectNothing("a pong has no answer")
		},
	},
	{
		ID: "HB-07", Title: "pings are not limited", Level: Must,
		Source:      ".NET client, which pings every second; " + docEvents + ", where the rate limit is one of client events",
		Requirement: "100 ping frames and 50 pusher:ping messages at once are answered, and the client is told nothing of a rate limit.",
		Run: func(t *T) {
			c := t.Connect()
			for i := range 100 {
				c.SendFrames(client.Control(client.OpPing, fmt.Sprint(i)))
			}
			c.expectPong("99") // the last one: those before it need no answer of their own (RFC 6455, section 5.5.3)
			for range 50 {
				c.Send(`{"event":"pusher:ping","data":{}}`)
			}
			for range 50 {
				c.Expect("pusher:pong", "")
			}
			c.ExpectNothing("pings are not limited")
		},
	},
	{
		ID: "HB-08", Title: "whatever a client sends shows that it lives", Level: Should, Timing: true,
		Source:      docProtocol + ", Ping and pong messages: the server pings when there was no activity",
		Requirement: "A client that keeps sending client events, and answers no ping, is not taken for dead.",
		Needs:       []Capability{CapShortLiveness, CapClientEvents},
		Run: func(t *T) {
			c, channel := t.ConnectTo(Dialing{App: t.Fixture(ShortLived)}), t.Name("private-")
			c.Subscribe(channel)
			c.Mute()
			for range 12 {
				t.Pass(400 * time.Millisecond)
				c.SendEvent("client-alive", channel, `{}`)
			}
			c.ExpectNothing("a client that sends is not closed")
		},
	},
}

// expectPong waits for a pong frame with a payload. Pongs before it are passed
// over, but nothing else is.
func (c *Conn) expectPong(payload string) {
	want := fmt.Sprintf("a pong frame with %q", payload)
	for {
		m := c.Next(want)
		switch {
		case m.Opcode == client.OpPong && string(m.Body) == payload:
			return
		case m.Opcode != client.OpPong && m.Opcode != client.OpPing:
			c.t.Mismatch("connection "+c.Label, want, m.String())
		}
	}
}
