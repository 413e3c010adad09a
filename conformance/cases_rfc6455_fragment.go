package conformance

import (
	"fmt"

	"github.com/revurb/revurb/conformance/client"
)

// fragmentCases are messages in parts.
func fragmentCases() []Case {
	const (
		control  = "Control frames must not be fragmented."
		whole    = "A fragmented message is one with the payload of all its fragments."
		noStart  = "A continuation frame without a message to continue is an error."
		inject   = "Control frames may be injected in the middle of a fragmented message, and are answered there and then."
		noNested = "The fragments of one message must not be interleaved with those of another."
	)
	return []Case{
		frameCase("fragment.ping", "5.5", "a fragmented ping fails the connection", control,
			refuses("a ping without FIN", protocolError, fragment(client.OpPing, "frag", false), fragment(client.OpContinuation, "ment", true))).alias("5.1"),
		frameCase("fragment.pong", "5.5", "a fragmented pong fails the connection", control,
			refuses("a pong without FIN", protocolError, fragment(client.OpPong, "frag", false), fragment(client.OpContinuation, "ment", true))).alias("5.2"),
		frameCase("fragment.close", "5.5", "a fragmented close frame fails the connection", control,
			refuses("a close frame without FIN", protocolError, fragment(client.OpClose, "\x03\xe8", false))),
		frameCase("fragment.two", "5.4", "a message in two fragments is understood", whole,
			taken(fragments(pingText, 12)...)).alias("5.3"),
		frameCase("fragment.every-place", "5.4", "a message in two fragments is understood wherever it is cut", whole,
			func(_ *T, c *Conn) {
				for at := range len(pingText) + 1 {
					c.SendFrames(fragments(pingText, at)...)
					c.ExpectPong(fmt.Sprintf("a ping that is cut after %d bytes", at))
				}
			}),
		frameCase("fragment.octets", "5.4", "a message in two fragments that come octet by octet is understood", whole,
			func(_ *T, c *Conn) {
				for _, f := range fragments(pingText, 12) {
					c.sendOctets(f.Bytes())
				}
				c.ExpectPong("a ping in two fragments")
			}).alias("5.5"),
		frameCase("fragment.single-bytes", "5.4", "a message with a fragment for each byte is understood", whole,
			func(_ *T, c *Conn) {
				var at []int
				for i := 1; i < len(pingText); i++ {
					at = append(at, i)
				}
				c.SendFrames(fragments(pingText, at...)...)
				c.ExpectPong("a ping with a fragment for each byte")
			}),
		frameCase("fragment.empty-parts", "5.4", "fragments may be empty", whole,
			taken(fragments(pingText, 0, 12, 12, 20, len(pingText))...)).alias("6.1.3"),
		frameCase("fragment.ping-between", "5.4", "a ping between fragments is answered before the message is complete", inject,
			func(_ *T, c *Conn) {
				frames := fragments(pingText, 12)
				c.SendFrames(frames[0], client.Control(client.OpPing, "between"))
				c.expectControlPong("between") // it cannot wait for what has not been sent
				c.SendFrames(frames[1])
				c.ExpectPong("a ping in two fragments")
			}).alias("5.6"),
		frameCase("fragment.pings-between", "5.4", "pings between several fragments are answered in order", inject,
			func(_ *T, c *Conn) {
				for i, f := range fragments(pingText, 5, 10, 15, 20) {
					if i > 0 {
						body := fmt.Sprint("between-", i)
						c.SendFrames(client.Control(client.OpPing, body))
						c.expectControlPong(body)
					}
					c.SendFrames(f)
				}
				c.ExpectPong("a ping in five fragments")
			}).alias("5.19"),
		frameCase("fragment.pong-between", "5.4", "a pong between fragments is passed over", inject,
			func(_ *T, c *Conn) {
				frames := fragments(pingText, 12)
				c.SendFrames(frames[0], client.Control(client.OpPong, "between"), frames[1])
				c.ExpectPong("a ping in two fragments")
			}),
		frameCase("fragment.no-start", "5.4", "a continuation without a start fails the connection", noStart,
			refuses("a continuation without a start", protocolError, fragment(client.OpContinuation, pingText, true))).alias("5.10"),
		frameCase("fragment.no-start-open", "5.4", "a continuation without a start and without FIN fails the connection", noStart,
			func(_ *T, c *Conn) {
				c.SendFrames(fragment(client.OpContinuation, pingText[:12], false), fragment(client.OpContinuation, pingText[12:], true))
				c.ExpectFailed("a continuation without a start", protocolError...)
			}).alias("5.12"),
		frameCase("fragment.after-end", "5.4", "a continuation after the end of a message fails the connection", noStart,
			func(_ *T, c *Conn) {
				frames := fragments(pingText, 12)
				c.SendFrames(frames[0], frames[1], fragment(client.OpContinuation, pingText, true))
				c.ExpectPong("the message before the frame that breaks the rules")
				c.ExpectFailed("a continuation after the end", protocolError...)
			}).alias("5.15"),
		frameCase("fragment.text-inside", "5.4", "a text frame inside a fragmented message fails the connection", noNested,
			func(_ *T, c *Conn) {
				frames := fragments(pingText, 12)
				c.SendFrames(frames[0], client.Text(pingText), frames[1])
				c.ExpectFailed("a message inside another", protocolError...)
			}).alias("5.18"),
		frameCase("fragment.start-inside", "5.4", "a second start inside a fragmented message fails the connection", noNested,
			func(_ *T, c *Conn) {
				frames := fragments(pingText, 12)
				c.SendFrames(frames[0], frames[0], frames[1])
				c.ExpectFailed("a second first fragment", protocolError...)
			}),
		frameCase("fragment.binary-inside", "5.4", "a binary frame inside a fragmented text fails the connection", noNested,
			func(_ *T, c *Conn) {
				frames := fragments(pingText, 12)
				c.SendFrames(frames[0], client.Control(client.OpBinary, "x"), frames[1])
				c.ExpectFailed("a message inside another", protocolError...)
			}),
		frameCase("fragment.close-between", "5.4", "a close frame between fragments is answered", inject,
			func(_ *T, c *Conn) {
				c.SendFrames(fragments(pingText, 12)[0], client.CloseWith(1000, ""))
				c.ExpectClose(1000, 1005)
			}).alias("7.1.5"),
	}
}

// taken is the Run of a case in which frames make up a ping.
func taken(frames ...client.Frame) func(*T, *Conn) {
	return func(_ *T, c *Conn) {
		c.SendFrames(frames...)
		c.ExpectPong("a ping in fragments")
	}
}
