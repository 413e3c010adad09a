package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// rfc6455Cases are the frames beneath the protocol.
//
// No server of the protocol echoes what it is sent, so a pusher:ping stands for
// the message of a case, with keys beside it that nobody knows and that make it
// as long or as odd as the case wants, and pusher:pong for its echo.
func rfc6455Cases() []Case {
	return slices.Concat(
		handshakeCases(), lengthCases(), pingCases(), reservedCases(), opcodeCases(), fragmentCases(),
		utf8Cases(), closeCases(), maskingCases(), chopCases(), oversizeCases(), deflateOfferCases(), deflateStreamCases(),
	)
}

// pingText is the shortest message that has an answer.
const pingText = `{"event":"pusher:ping","data":{}}`

// pingWith is a ping with pad in the value of a key that means nothing.
func pingWith(pad string) string { return `{"event":"pusher:ping","data":{},"pad":"` + pad + `"}` }

// pingOf is a ping of n bytes.
func pingOf(n int) string { return pingWith(strings.Repeat("x", n-len(pingWith("")))) }

// frameCase is a case about frames: it starts from a connection that is
// established.
func frameCase(id, section, title, requirement string, run func(t *T, c *Conn)) Case {
	return Case{
		ID: "rfc6455." + id, Title: title, Level: Must, Source: "RFC 6455, section " + section, Requirement: requirement,
		Run: func(t *T) { run(t, t.Connect()) },
	}
}

func (c Case) alias(number string) Case { c.Alias = "ab:" + number; return c }
func (c Case) level(l Level) Case       { c.Level = l; return c }
func (c Case) heavy() Case              { c.Heavy = true; return c }

// ExpectPong expects the answer to a pusher:ping, and nothing before it.
func (c *Conn) ExpectPong(why string) {
	if m := c.NextText(why + ": pusher:pong"); m.Event != "pusher:pong" {
		c.t.Mismatch(why, "pusher:pong", m.String())
	}
}

// ExpectFailed expects that the server fails the connection, as RFC 6455,
// section 7.1.7 calls it: it should send a close frame, then with one of codes,
// and may do without.
func (c *Conn) ExpectFailed(why string, codes ...int) {
	want := fmt.Sprintf("the connection fails: a close frame with one of %v, or its end without one", codes)
	for {
		m := c.Next(want)
		switch {
		case m.Opcode == client.OpClose && m.Code != 1006 && !slices.Contains(codes, m.Code),
			m.Opcode == client.OpText && m.Event != "pusher:error":
			c.t.Mismatch(why, want, m.String())
		case m.Opcode == client.OpClose:
			return
		}
	}
}

// refuses is the Run of a case in which frames must not be taken. A ping after
// them shows at once if they are.
func refuses(why string, codes []int, frames ...client.Frame) func(*T, *Conn) {
	return func(_ *T, c *Conn) {
		c.SendFrames(append(slices.Clone(frames), client.Text(pingText))...)
		c.ExpectFailed(why, codes...)
	}
}

// protocolError is the code for frames that break the rules, badData that for
// what is in them (RFC 6455, section 7.4.1).
var (
	protocolError = []int{1002}
	badData       = []int{1007}
)

// fragment is a part of a message.
func fragment(opcode byte, payload string, last bool) client.Frame {
	f := client.Control(opcode, payload)
	f.Fin = last
	return f
}

// fragments cuts a text message at the given offsets.
func fragments(text string, at ...int) (frames []client.Frame) {
	opcode, from := byte(client.OpText), 0
	for _, to := range append(at, len(text)) {
		frames = append(frames, fragment(opcode, text[from:to], to == len(text) && len(frames) == len(at)))
		opcode, from = client.OpContinuation, to
	}
	return frames
}

// alive expects that the server still serves others.
func (t *T) alive(why string) {
	c := t.Connect()
	c.Send(pingText)
	c.ExpectPong(why)
}

// wire is a connection of which a case reads every frame itself.
type wire struct {
	*client.Conn
	t *T
}

// openWire opens a connection and reads its first message.
func (t *T) openWire() wire {
	c, err := t.open(t.ctx, t.URL(Dialing{}), nil)
	if err != nil {
		t.Fatalf("open a WebSocket: %v", err)
	}
	t.Defer(func() { _ = c.Close() })
	w := wire{c, t}
	if f, ok := w.next(); !ok || f.Opcode != client.OpText {
		t.Mismatch("the first frame", "pusher:connection_established", describe(f))
	}
	return w
}

// next returns the next frame, or not ok if there is none because the server
// has closed the connection. It is the end of the case if it has not.
func (w wire) next() (f client.Frame, ok bool) {
	timer := time.AfterFunc(w.t.Target.Timeout, func() { _ = w.Close() })
	f, err := w.Read()
	if !timer.Stop() && err != nil {
		w.t.Mismatch("the connection", "a frame, or its end", "nothing came in "+w.t.Target.Timeout.String())
	}
	if err == nil {
		w.t.record("received", "", describe(f))
	}
	return f, err == nil
}

func describe(f client.Frame) string {
	if f.Opcode == client.OpClose {
		return fmt.Sprintf("close %d %s", f.Code(), f.Reason())
	}
	return fmt.Sprintf("frame with FIN %v, RSV %03b, opcode %x and %d bytes: %.80q", f.Fin, f.RSV, f.Opcode, len(f.Payload), f.Payload)
}
