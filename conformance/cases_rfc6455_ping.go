package conformance

import (
	"fmt"
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// pingCases are the control frames that show who lives.
func pingCases() []Case {
	cases := []Case{}
	for _, p := range []struct{ name, number, what, payload string }{
		{"empty", "2.1", "an empty payload", ""},
		{"text", "2.2", "text", "Hello, world!"},
		{"binary", "2.3", "bytes that are no text", "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"},
		{"125", "2.4", "125 bytes, the most there may be", strings.Repeat("\xfe", 125)},
	} {
		cases = append(cases, frameCase("ping."+p.name, "5.5.2", "a ping with "+p.what+" is answered with the same",
			"The answer to a ping is a pong with the application data of the ping.",
			func(_ *T, c *Conn) {
				c.SendFrames(client.Control(client.OpPing, p.payload))
				c.expectControlPong(p.payload)
			}).alias(p.number))
	}
	return append(cases,
		frameCase("ping.126", "5.5", "a ping of 126 bytes fails the connection",
			"All control frames must have a payload of 125 bytes or less.",
			refuses("a ping of 126 bytes", protocolError, client.Control(client.OpPing, strings.Repeat("x", 126)))).alias("2.5"),
		frameCase("ping.125-octets", "5.5.2", "a ping that comes octet by octet is answered",
			"A frame may arrive in any number of pieces.",
			func(_ *T, c *Conn) {
				payload := strings.Repeat("\xfe", 125)
				c.sendOctets(client.Control(client.OpPing, payload).Bytes())
				c.expectControlPong(payload)
			}).alias("2.6"),
		frameCase("pong.unsolicited-empty", "5.5.3", "an empty pong that nobody asked for has no answer",
			"A response to an unsolicited pong is not expected.", ignoredPong("")).alias("2.7"),
		frameCase("pong.unsolicited", "5.5.3", "a pong that nobody asked for has no answer",
			"A response to an unsolicited pong is not expected.", ignoredPong("unsolicited")).alias("2.8"),
		frameCase("pong.then-ping", "5.5.3", "a ping after a pong that nobody asked for is answered",
			"An unsolicited pong is a heartbeat in one direction, and leaves what comes after it alone.",
			func(_ *T, c *Conn) {
				c.SendFrames(client.Control(client.OpPong, "unsolicited"), client.Control(client.OpPing, "after"))
				c.expectControlPong("after")
			}).alias("2.9"),
		frameCase("pong.126", "5.5", "a pong of 126 bytes fails the connection",
			"All control frames must have a payload of 125 bytes or less.",
			refuses("a pong of 126 bytes", protocolError, client.Control(client.OpPong, strings.Repeat("x", 126)))),
		frameCase("ping.burst", "5.5.2", "of ten pings the last one is answered, and those before in order",
			"An endpoint may answer only the most recent of several pings.",
			func(_ *T, c *Conn) {
				c.SendFrames(tenPings()...)
				c.expectTenPongs()
			}).alias("2.10"),
		frameCase("ping.burst-octets", "5.5.2", "ten pings that come octet by octet are answered in order",
			"A frame may arrive in any number of pieces.",
			func(_ *T, c *Conn) {
				var b []byte
				for _, f := range tenPings() {
					b = append(b, f.Bytes()...)
				}
				c.sendOctets(b)
				c.expectTenPongs()
			}).alias("2.11"),
	)
}

func tenPings() (frames []client.Frame) {
	for i := range 10 {
		frames = append(frames, client.Control(client.OpPing, fmt.Sprint("ping-", i)))
	}
	return frames
}

func (c *Conn) expectTenPongs() {
	for last := -1; last < 9; {
		m := c.Next("a pong for ping-9, or one before it")
		n := -1
		if _, err := fmt.Sscanf(string(m.Body), "ping-%d", &n); m.Opcode != client.OpPong || err != nil || n <= last {
			c.t.Mismatch("the answers to ten pings", fmt.Sprintf("a pong for a ping after ping-%d", last), m.String())
		}
		last = n
	}
}

// expectControlPong expects the next frame to be a pong with the given payload.
func (c *Conn) expectControlPong(payload string) {
	want := fmt.Sprintf("pong %q", payload)
	if m := c.Next(want); m.Opcode != client.OpPong || string(m.Body) != payload {
		c.t.Mismatch("the answer to a ping", want, m.String())
	}
}

func ignoredPong(payload string) func(*T, *Conn) {
	return func(t *T, c *Conn) {
		c.SendFrames(client.Control(client.OpPong, payload), client.Text(pingText))
		if m := c.Next("pusher:pong, the answer to a pusher:ping"); m.Event != "pusher:pong" {
			t.Mismatch("after a pong that nobody asked for", "no answer to it, and pusher:pong for the pusher:ping", m.String())
		}
	}
}

// sendOctets sends bytes one by one.
func (c *Conn) sendOctets(b []byte) {
	c.t.record("sent", c.Label, fmt.Sprintf("%d bytes, one by one", len(b)))
	c.t.octets(b, c.Raw.WriteBytes)
}

// octets writes bytes one by one. TCP may put some of them together, but not
// all.
func (t *T) octets(b []byte, write func([]byte) error) {
	for i := range b {
		_ = write(b[i : i+1]) // who reads finds out
		if i == 0 || i == len(b)/2 {
			t.pause(chopPause)
		}
	}
}
