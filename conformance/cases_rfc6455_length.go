package conformance

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// lengthCases are messages of the lengths at which their encoding changes, and
// lengths that lie.
func lengthCases() []Case {
	cases := []Case{
		frameCase("length.empty", "5.2", "an empty text message does no harm",
			"A payload may have no bytes at all: the message is no JSON, and the connection goes on.",
			func(t *T, c *Conn) {
				c.Send("")
				for range 2 { // its pusher:error, if there is one
					if c.Send(pingText); c.NextText("pusher:error or pusher:pong").Event == "pusher:pong" {
						return
					}
				}
				t.Mismatch("an empty message", "at most one pusher:error", "more")
			}).alias("1.1.1"),
	}
	for _, l := range []struct {
		n      int
		number string
	}{{125, "1.1.2"}, {126, "1.1.3"}, {127, "1.1.4"}, {128, "1.1.5"}, {4096, ""}, {9999, ""}} {
		c := frameCase(fmt.Sprintf("length.%d", l.n), "5.2", fmt.Sprintf("a message of %d bytes is understood", l.n),
			"The length of a payload is in 7 bits up to 125, in 16 bits up to 65,535, and in 64 bits beyond.",
			func(_ *T, c *Conn) {
				c.Send(pingOf(l.n))
				c.ExpectPong("a ping of that length")
			})
		if l.number != "" {
			c = c.alias(l.number)
		}
		cases = append(cases, c)
	}
	for i, n := range []int{65_535, 65_536} {
		cases = append(cases, frameCase(fmt.Sprintf("length.%d", n), "5.2", fmt.Sprintf("a message of %d bytes is understood, or refused as too big", n),
			"A server that takes no messages of this size says so with 1009 (section 7.4.1) or with pusher:error.",
			func(_ *T, c *Conn) { c.expectTakenOrTooBig(client.Text(pingOf(n))) }).alias(fmt.Sprint("1.1.", 6+i)))
	}
	return append(cases, lyingLengthCases()...)
}

// expectTakenOrTooBig sends frames with a ping in them that may be beyond what
// the server takes.
func (c *Conn) expectTakenOrTooBig(frames ...client.Frame) {
	const want = "pusher:pong, a pusher:error, or a close frame with 1009"
	c.SendFrames(frames...)
	switch m := c.NextText(want); {
	case m.Event == "pusher:pong":
	case !c.tooBig(m):
		c.t.Mismatch("a large message", want, m.String())
	}
}

// tooBig reports whether m says that a message is too big. After a pusher:error
// the connection may go on or end, and then with 1009.
func (c *Conn) tooBig(m Message) bool {
	if m.Event == "pusher:error" {
		c.Send(pingText)
		if m = c.NextText("pusher:pong, or a close frame with 1009"); m.Event == "pusher:pong" {
			return true
		}
	}
	return m.Opcode == client.OpClose && (m.Code == 1009 || m.Code == 1006)
}

func lyingLengthCases() []Case {
	huge := func(length uint64) client.Frame {
		return client.Frame{Fin: true, Opcode: client.OpText, Masked: true, Length: &length, Payload: []byte(pingText)}
	}
	return []Case{
		frameCase("length.top-bit", "5.2", "a length with its top bit set fails the connection",
			"The most significant bit of a length of 64 bits must be 0. A server that takes it for a negative number may crash.",
			func(t *T, c *Conn) {
				c.SendFrames(huge(1<<63 | 5))
				c.ExpectFailed("a frame that declares 2^63+5 bytes", 1002, 1009)
				t.alive("after such a frame, another client is served")
			}),
		frameCase("length.all-bits", "5.2", "a length of 2^64-1 fails the connection",
			"The most significant bit of a length of 64 bits must be 0. Header and length must not add up to less than they are.",
			func(t *T, c *Conn) {
				c.SendFrames(huge(1<<64 - 1))
				c.ExpectFailed("a frame that declares 2^64-1 bytes", 1002, 1009)
				t.alive("after such a frame, another client is served")
			}),
		frameCase("length.max", "5.2", "a length of 2^63-1 harms nobody",
			"A server must not make room for what a frame only declares: it refuses it, or waits, and serves others.",
			func(t *T, c *Conn) {
				c.SendFrames(huge(1<<63 - 1))
				t.alive("beside such a frame, another client is served")
				c.ExpectFailed("a frame that declares 2^63-1 bytes", 1002, 1009)
			}),
		frameCase("length.16-bit-for-short", "5.2", "a length that is not encoded minimally harms nobody",
			"The minimal number of bytes must be used to encode a length: the frame is understood or refused, and no byte of it is taken for another frame.",
			func(t *T, c *Conn) { c.expectPongOrRefusal(nonMinimal(2)) }).level(Should),
		frameCase("length.64-bit-for-short", "5.2", "a length of 64 bits for a short message harms nobody",
			"The minimal number of bytes must be used to encode a length: the frame is understood or refused, and no byte of it is taken for another frame.",
			func(t *T, c *Conn) { c.expectPongOrRefusal(nonMinimal(8)) }).level(Should),
		frameCase("length.cut-off", "7.1.7", "a client that goes in the middle of a frame leaves nothing behind",
			"A connection may end anywhere, also between a header and its payload.",
			func(t *T, c *Conn) {
				b := client.Text(pingText).Bytes()
				_ = c.Raw.WriteBytes(b[:len(b)/2]) // who reads finds out
				_ = c.Raw.CloseWrite()
				c.ExpectEnd()
				t.alive("after half a frame, another client is served")
			}),
		frameCase("length.binary-empty", "5.6", "an empty binary message harms nobody",
			"Binary messages mean nothing in the protocol: they are refused with 1003 or pusher:error, or passed over.",
			func(t *T, c *Conn) { c.expectBinaryRefused(client.Control(client.OpBinary, "")) }).alias("1.2.1").level(Should),
		frameCase("length.binary-text", "5.6", "a binary message is not taken for a text message",
			"Binary messages mean nothing in the protocol: they are refused with 1003 or pusher:error, or passed over.",
			func(t *T, c *Conn) { c.expectBinaryRefused(client.Control(client.OpBinary, pingText)) }).level(Should),
	}
}

// nonMinimal is a ping with a length in size bytes, of which fewer would do.
func nonMinimal(size int) []byte {
	text := pingText + strings.Repeat(" ", 4)
	b := []byte{0x81, 0x80 | map[int]byte{2: 126, 8: 127}[size]}
	length := binary.BigEndian.AppendUint64(nil, uint64(len(text)))
	b = append(b, length[8-size:]...)
	return append(append(b, 0, 0, 0, 0), text...) // a mask of zeros leaves it as it is
}

func (c *Conn) expectPongOrRefusal(wire []byte) {
	_ = c.Raw.WriteBytes(wire) // who reads finds out
	m := c.NextText("pusher:pong, or a close frame with 1002")
	if m.Event != "pusher:pong" && m.Code != 1002 && m.Code != 1006 {
		c.t.Mismatch("a length that is not minimal", "pusher:pong, or a close frame with 1002", m.String())
	}
	if m.Event == "pusher:pong" {
		c.ExpectNothing("one ping has one answer")
	}
	c.t.alive("after such a frame, another client is served")
}

func (c *Conn) expectBinaryRefused(f client.Frame) {
	const want = "1003, a pusher:error, or nothing"
	c.SendFrames(f, client.Control(client.OpPing, "fence"))
	for {
		switch m := c.Next(want); {
		case m.Opcode == client.OpClose && (m.Code == 1003 || m.Code == 1006):
			c.t.alive("after a binary message, another client is served")
			return
		case m.Opcode == client.OpPong:
			return
		case m.Event != "pusher:error":
			c.t.Mismatch("a binary message", want, m.String())
		}
	}
}
