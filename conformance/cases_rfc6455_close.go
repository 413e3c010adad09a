package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// closeCases are how a connection ends.
func closeCases() []Case {
	const answer = "An endpoint that receives a close frame must send one in response, if it has not sent one before."
	cases := []Case{
		frameCase("close.empty", "5.5.1", "a close frame without a code is answered", answer,
			func(_ *T, c *Conn) { c.expectCloseAnswered("", 1005, 1000) }).alias("7.3.1"),
		frameCase("close.1-byte", "5.5.1", "a close frame of one byte fails the connection",
			"If there is a body, its first two bytes must be a code.",
			refuses("a close frame of one byte", []int{1002, 1007}, client.Control(client.OpClose, "\x03"))).alias("7.3.2"),
		frameCase("close.code", "5.5.1", "a close frame with a code is answered", answer,
			func(_ *T, c *Conn) { c.expectCloseAnswered("\x03\xe8", 1000, 1005) }).alias("7.3.3"),
		frameCase("close.echo", "5.5.1", "the answer to a close frame has its code",
			"When sending a close frame in response, the endpoint typically echos the code that it received.",
			func(_ *T, c *Conn) {
				c.SendFrames(client.CloseWith(4123, ""))
				c.ExpectClose(4123)
			}).level(Should),
		frameCase("close.reason", "5.5.1", "a close frame with a reason is answered", answer,
			func(_ *T, c *Conn) { c.expectCloseAnswered("\x03\xe8Good-bye", 1000, 1005) }).alias("7.3.4"),
		frameCase("close.125", "5.5", "a close frame of 125 bytes is answered",
			"A control frame may have a payload of up to 125 bytes: a reason may be 123 bytes long.",
			func(_ *T, c *Conn) { c.expectCloseAnswered("\x03\xe8"+strings.Repeat("x", 123), 1000, 1005) }).alias("7.3.5"),
		frameCase("close.126", "5.5", "a close frame of 126 bytes fails the connection",
			"All control frames must have a payload of 125 bytes or less.",
			refuses("a close frame of 126 bytes", protocolError, client.CloseWith(1000, strings.Repeat("x", 124)))).alias("7.3.6"),
		frameCase("close.bad-reason", "5.5.1", "a reason that is not UTF-8 fails the connection",
			"The body of a close frame after its code is UTF-8; with section 8.1, anything else fails the connection.",
			refuses("a reason that is not UTF-8", []int{1007, 1002}, client.CloseWith(1000, "\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80"))).alias("7.5.1"),
		frameCase("close.ends-tcp", "7.1.1", "after the close frames the server ends the TCP connection",
			"The server must close the TCP connection first, so that it holds the TIME_WAIT state and not the client.",
			func(t *T, _ *Conn) { t.openWire().expectLast(client.CloseWith(1000, "")) }),
		frameCase("close.nothing-after", "5.5.1", "after its close frame the server sends nothing",
			"The application must not send any more data frames after sending a close frame, and what is received after one is discarded.",
			func(t *T, _ *Conn) {
				t.openWire().expectLast(client.CloseWith(1000, ""), client.Text(pingText), client.Control(client.OpPing, "late"))
			}).alias("7.1.4"),
		frameCase("close.twice", "5.5.1", "two close frames are answered with one",
			"An endpoint that has sent a close frame must not send another.",
			func(t *T, _ *Conn) { t.openWire().expectLast(client.CloseWith(1000, ""), client.CloseWith(1001, "")) }).alias("7.1.2"),
		frameCase("close.after-message", "5.5.1", "a message before a close frame is answered", answer,
			func(_ *T, c *Conn) {
				c.SendFrames(client.Text(pingText), client.CloseWith(1000, ""))
				c.ExpectPong("the message before the close frame")
				c.ExpectClose(1000, 1005)
			}).alias("7.1.1"),
		frameCase("close.without", "7.1.7", "a client that ends the connection without a close frame is let go",
			"The connection may end without a close frame, and the server ends its side, too.",
			func(t *T, c *Conn) {
				_ = c.Raw.CloseWrite()
				c.ExpectEnd()
				t.alive("after a client that was cut off, another is served")
			}),
		frameCase("close.tells-why", "7.1.7", "a client that breaks the rules is told 1002 in a close frame",
			"An endpoint that fails the connection should send a close frame with an appropriate code.",
			func(_ *T, c *Conn) {
				c.SendFrames(client.Control(3, ""))
				c.ExpectClose(1002)
			}).level(Should),
		frameCase("close.tells-why-text", "7.1.7", "a client that sends bad text is told 1007 in a close frame",
			"An endpoint that fails the connection should send a close frame with an appropriate code.",
			func(_ *T, c *Conn) {
				c.SendFrames(client.Text("\xff"))
				c.ExpectClose(1007)
			}).level(Should),
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, frameCase(fmt.Sprintf("close.valid-%d", code), "7.4", fmt.Sprintf("code %d is a code", code),
			"The codes of section 7.4.1 that may be sent, and all from 3000 to 4999, end the connection in the regular way.",
			func(_ *T, c *Conn) {
				c.expectCloseAnswered(string([]byte{byte(code >> 8), byte(code)}), code, 1000, 1005)
			}).
			alias(fmt.Sprintf("7.7.%d", i+1)))
	}
	for _, bad := range []struct {
		code   int
		number string
		level  Level
	}{
		{0, "7.9.1", Should},
		{999, "7.9.2", Should},
		{1004, "7.9.3", Should},
		{1005, "7.9.4", Must},
		{1006, "7.9.5", Must},
		{1015, "", Must},
		{1016, "7.9.6", Should},
		{1100, "7.9.7", Should},
		{2000, "7.9.8", Should},
		{2999, "7.9.9", Should},
		{5000, "7.13.1", Should},
		{65535, "7.13.2", Should},
	} {
		c := frameCase(fmt.Sprintf("close.invalid-%d", bad.code), "7.4", fmt.Sprintf("code %d fails the connection", bad.code),
			"Codes that are reserved, or that must not be set in a close frame, are an error.",
			refuses(fmt.Sprintf("a close frame with %d", bad.code), protocolError, client.CloseWith(bad.code, ""))).level(bad.level)
		if bad.number != "" {
			c = c.alias(bad.number)
		}
		cases = append(cases, c)
	}
	return cases
}

// expectCloseAnswered sends a close frame and expects one with one of codes,
// the next that comes.
func (c *Conn) expectCloseAnswered(payload string, codes ...int) {
	c.SendFrames(client.Control(client.OpClose, payload))
	want := fmt.Sprintf("a close frame with one of %v", codes)
	if m := c.Next(want); m.Opcode != client.OpClose || !slices.Contains(codes, m.Code) {
		c.t.Mismatch("the answer to a close frame", want, m.String())
	}
}

// expectLast sends frames, the first of which is a close frame, and expects one
// close frame and then the end.
func (w wire) expectLast(frames ...client.Frame) {
	_ = w.Write(frames...) // who reads finds out
	f, ok := w.next()
	if !ok || f.Opcode != client.OpClose {
		w.t.Mismatch("the answer to a close frame", "a close frame", describe(f))
	}
	if f, ok := w.next(); ok {
		w.t.Mismatch("after the close frame of the server", "the end of the connection", describe(f))
	}
}
