package conformance

import (
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// frameSecurity are frames that are made to cost more than they are worth.
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
