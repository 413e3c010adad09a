package conformance

import (
	"fmt"

	"github.com/revurb/revurb/conformance/client"
)

// reservedCases are bits that mean nothing.
func reservedCases() (cases []Case) {
	const requirement = "RSV1, RSV2 and RSV3 must be 0 unless an extension is negotiated that defines them; if not, the receiver fails the connection."
	reserved := func(name string, rsv byte, frames ...client.Frame) Case {
		frames[0].RSV = rsv
		return frameCase("rsv."+name, "5.2", fmt.Sprintf("reserved bits %03b in a %s frame fail the connection", rsv, kindOf(frames[0])), requirement,
			refuses(fmt.Sprintf("reserved bits %03b", rsv), protocolError, frames...))
	}
	numbers := map[byte]string{1: "3.1", 2: "3.2", 3: "3.3", 4: "3.4"}
	for rsv := byte(1); rsv < 8; rsv++ {
		c := reserved(fmt.Sprintf("text-%03b", rsv), rsv, client.Text(pingText))
		if n := numbers[rsv]; n != "" {
			c = c.alias(n)
		}
		cases = append(cases, c)
	}
	return append(cases,
		reserved("binary", 5, client.Control(client.OpBinary, pingText)).alias("3.5"),
		reserved("ping", 6, client.Control(client.OpPing, "ping")).alias("3.6"),
		reserved("close", 7, client.CloseWith(1000, "")).alias("3.7"),
		reserved("pong", 2, client.Control(client.OpPong, "pong")),
		frameCase("rsv.continuation", "5.2", "a reserved bit in a later fragment fails the connection", requirement,
			func(_ *T, c *Conn) {
				frames := fragments(pingText, 10)
				frames[1].RSV = 1
				c.SendFrames(frames...)
				c.ExpectFailed("RSV3 in a continuation", protocolError...)
			}),
		frameCase("rsv.after-message", "5.2", "a message before a frame with reserved bits is answered", requirement,
			func(_ *T, c *Conn) {
				bad := client.Text(pingText)
				bad.RSV = 2
				c.SendFrames(client.Text(pingText), bad, client.Text(pingText))
				c.ExpectPong("the message before the frame that breaks the rules")
				c.ExpectFailed("RSV2", protocolError...)
			}),
	)
}

func kindOf(f client.Frame) string {
	return map[byte]string{
		client.OpContinuation: "continuation", client.OpText: "text", client.OpBinary: "binary",
		client.OpClose: "close", client.OpPing: "ping", client.OpPong: "pong",
	}[f.Opcode]
}

// opcodeCases are opcodes that mean nothing.
func opcodeCases() (cases []Case) {
	for i, opcode := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		cases = append(cases, frameCase(fmt.Sprintf("opcode.%d", opcode), "5.2", fmt.Sprintf("opcode %#x fails the connection", opcode),
			"If an unknown opcode is received, the receiving endpoint must fail the connection.",
			refuses("an opcode that is reserved", protocolError, client.Control(opcode, "payload"))).
			alias(fmt.Sprintf("4.%d.%d", 1+i/5, 1+i%5)))
	}
	return append(cases,
		frameCase("opcode.after-message", "5.2", "a message before a reserved opcode is answered",
			"If an unknown opcode is received, the receiving endpoint must fail the connection: what came before it counts.",
			func(_ *T, c *Conn) {
				c.SendFrames(client.Text(pingText), client.Control(3, ""), client.Text(pingText))
				c.ExpectPong("the message before the frame that breaks the rules")
				c.ExpectFailed("an opcode that is reserved", protocolError...)
			}),
		frameCase("opcode.in-fragments", "5.2", "a reserved opcode between fragments fails the connection",
			"If an unknown opcode is received, the receiving endpoint must fail the connection.",
			func(_ *T, c *Conn) {
				frames := fragments(pingText, 10)
				c.SendFrames(frames[0], client.Control(11, ""), frames[1])
				c.ExpectFailed("an opcode that is reserved", protocolError...)
			}),
	)
}

// maskingCases are the masks that only clients have.
func maskingCases() (cases []Case) {
	unmasked := func(name string, f client.Frame) Case {
		f.Masked = false
		return frameCase("mask.none-"+name, "5.1", "an unmasked "+kindOf(f)+" frame fails the connection",
			"The server must close the connection upon receiving a frame that is not masked.",
			refuses("an unmasked frame", protocolError, f))
	}
	return []Case{
		unmasked("text", client.Text(pingText)),
		unmasked("ping", client.Control(client.OpPing, "ping")),
		unmasked("pong", client.Control(client.OpPong, "pong")),
		unmasked("close", client.CloseWith(1000, "")),
		frameCase("mask.none-continuation", "5.1", "an unmasked continuation fails the connection",
			"The server must close the connection upon receiving a frame that is not masked.",
			func(_ *T, c *Conn) {
				frames := fragments(pingText, 10)
				frames[1].Masked = false
				c.SendFrames(frames...)
				c.ExpectFailed("an unmasked frame", protocolError...)
			}),
		frameCase("mask.zero", "5.3", "a mask of zeros is a mask",
			"The masking key is a value of 32 bits that the client chooses, and any value will do.",
			func(_ *T, c *Conn) {
				text := pingOf(100)
				_ = c.Raw.WriteBytes(append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)) // who reads finds out
				c.ExpectPong("a frame with a mask of zeros")
			}),
		frameCase("mask.server", "5.1", "frames of the server are not masked, and have no reserved bits",
			"A server must not mask any frames that it sends to the client.",
			func(t *T, _ *Conn) {
				w := t.openWire()
				_ = w.Write(client.Text(pingText), client.Control(client.OpPing, "ping"), client.CloseWith(1000, ""))
				for kinds := 0; ; kinds++ {
					f, ok := w.next()
					if !ok {
						t.Mismatch("frames of the server", "a text frame, a pong and a close frame, none of them masked", fmt.Sprintf("the end after %d frames", kinds))
					}
					if f.Masked || f.RSV != 0 {
						t.Mismatch("a frame of the server", "no mask, and no reserved bits", describe(f))
					}
					if f.Opcode == client.OpClose {
						return
					}
				}
			}),
	}
}
