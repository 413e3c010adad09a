package conformance

import (
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// chopPause is between two pieces of a frame. Nothing depends on it but that
// they arrive apart, most of the time.
const chopPause = 2 * time.Millisecond

// chopCases are the ways in which TCP may cut what is sent.
func chopCases() []Case {
	const requirement = "Frames and TCP segments have nothing to do with each other."
	return []Case{
		frameCase("chop.octets", "5", "a message that comes octet by octet is understood", requirement,
			func(_ *T, c *Conn) {
				c.sendOctets(client.Text(pingOf(200)).Bytes())
				c.ExpectPong("a ping that comes octet by octet")
			}),
		frameCase("chop.two-messages", "5", "two messages that come at once are both understood", requirement,
			func(_ *T, c *Conn) {
				c.SendFrames(client.Text(pingText), client.Text(pingText))
				c.ExpectPong("the first ping")
				c.ExpectPong("the second ping")
			}),
		frameCase("chop.hundred-messages", "5", "a hundred messages that come at once are all understood", requirement,
			func(_ *T, c *Conn) {
				frames := slices.Repeat([]client.Frame{client.Text(pingText)}, 100)
				c.SendFrames(frames...)
				for range frames {
					c.ExpectPong("each of a hundred pings")
				}
				c.ExpectNothing("a hundred pings have a hundred answers")
			}),
		frameCase("chop.997", "5", "a message that comes in odd pieces is understood, or refused as too big", requirement,
			func(_ *T, c *Conn) {
				b := client.Text(pingOf(65_536)).Bytes()
				for piece := range slices.Chunk(b, 997) {
					_ = c.Raw.WriteBytes(piece) // who reads finds out
				}
				c.expectTakenOrTooBig()
			}).alias("1.1.8"),
		frameCase("chop.header", "5.2", "a header may be cut anywhere", requirement,
			func(_ *T, c *Conn) {
				b := client.Text(pingOf(300)).Bytes() // with a header of eight bytes
				for at := range 9 {
					_ = c.Raw.WriteBytes(b[:at]) // who reads finds out
					c.t.pause(chopPause)         // or TCP would put the pieces together
					_ = c.Raw.WriteBytes(b[at:])
					c.ExpectPong("a ping with a header that is cut")
				}
			}),
	}
}

// oversizeCases are messages that no server needs to take.
func oversizeCases() []Case {
	const requirement = "A message that is too big to process is refused, with 1009 (section 7.4.1) or pusher:error, and nobody else notices."
	const size = 1 << 20
	return []Case{
		frameCase("oversize.single", "7.4.1", "a frame of 1 MiB is refused", requirement,
			func(t *T, c *Conn) {
				c.expectTooBig(client.Text(pingOf(size)))
			}).heavy(),
		frameCase("oversize.fragments", "7.4.1", "a message of 1 MiB in fragments is refused", requirement,
			func(t *T, c *Conn) {
				text := pingOf(size)
				var at []int
				for i := 4096; i < len(text); i += 4096 {
					at = append(at, i)
				}
				c.expectTooBig(fragments(text, at...)...)
			}).heavy(),
		frameCase("oversize.endless", "5.4", "fragments without end are refused", "A server has to stop collecting fragments at some point: nothing limits their number.",
			func(t *T, c *Conn) {
				frames := []client.Frame{fragment(client.OpText, "x", false)}
				more := fragment(client.OpContinuation, strings.Repeat("x", 1024), false)
				c.expectTooBig(append(frames, slices.Repeat([]client.Frame{more}, 2048)...)...)
			}).heavy(),
	}
}

// expectTooBig sends frames that must not be taken.
func (c *Conn) expectTooBig(frames ...client.Frame) {
	const want = "a close frame with 1009, the end of the connection, or a pusher:error"
	go c.SendFrames(frames...) // a server that has heard enough need not read the rest
	if m := c.NextText(want); !c.tooBig(m) {
		c.t.Mismatch("a message of 1 MiB or more", want, m.String())
	}
	c.t.alive("after a message that is too big, another client is served")
}
