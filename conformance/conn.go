package conformance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// Conn is a connection of a case. What the server sends waits in an inbox until
// the case asks for it; pings are answered, and what comes is checked against
// the rules that hold for every message.
type Conn struct {
	Label    string // in the trace
	SocketID string // once it is established
	Timeout  int    // the activity timeout that it was told, in seconds
	Raw      *client.Conn

	t     *T
	app   Credentials
	fence string // the event that FenceChannel waits for
	inbox *inbox
	mute  atomic.Bool   // pings are not answered
	done  chan struct{} // closed when nothing more is read
}

// Message is something that came from the server.
type Message struct {
	Text    string // a text message, as it came
	Event   string
	Channel string
	Data    json.RawMessage // as it came
	UserID  json.RawMessage
	Keys    map[string]json.RawMessage

	// Opcode is that of the frame: OpText, or one of the control frames.
	Opcode byte
	Code   int    // of a close frame; 1006 if the connection ended without one
	Reason string // of a close frame, or the error that ended the connection
	Body   []byte // of a ping or pong
}

func (m Message) String() string {
	switch m.Opcode {
	case client.OpClose:
		return fmt.Sprintf("close %d %s", m.Code, m.Reason)
	case client.OpPing:
		return fmt.Sprintf("ping %q", m.Body)
	case client.OpPong:
		return fmt.Sprintf("pong %q", m.Body)
	case client.OpBinary:
		return fmt.Sprintf("a binary message of %d bytes", len(m.Body))
	}
	return m.Text
}

// DataString is the data as a string, or ok is false if it is something else.
func (m Message) DataString() (s string, ok bool) {
	return s, json.Unmarshal(m.Data, &s) == nil && len(m.Data) > 0 && m.Data[0] == '"'
}

func newConn(t *T, ws *client.Conn) *Conn {
	c := &Conn{Raw: ws, t: t, app: t.Target.App, inbox: newInbox(), done: make(chan struct{})}
	t.mu.Lock()
	t.conns = append(t.conns, c)
	c.Label = string(rune('a' + (len(t.conns)-1)%26))
	if n := (len(t.conns) - 1) / 26; n > 0 {
		c.Label += fmt.Sprint(n)
	}
	t.mu.Unlock()
	go c.read()
	return c
}

// rsv1 marks a compressed message (RFC 7692, section 6).
const rsv1 = 4

func (c *Conn) read() {
	defer close(c.done)
	defer c.inbox.end()
	var text []byte
	var compressed bool // text is
	inflater := client.NewInflater(c.Raw.Response.Header)
	for {
		f, err := c.Raw.Read()
		if err != nil {
			c.t.record("closed", c.Label, "without a close frame: "+err.Error())
			c.inbox.put(Message{Opcode: client.OpClose, Code: 1006, Reason: err.Error()})
			return
		}
		if f.RSV != 0 && (f.RSV != rsv1 || inflater == nil || f.Opcode != client.OpText && f.Opcode != client.OpBinary) {
			c.t.fault("reserved bits are 0 unless an extension uses them (RFC 6455, section 5.2); %s got %03b in a frame with opcode %x", c.Label, f.RSV, f.Opcode)
		}
		switch f.Opcode {
		case client.OpClose:
			c.t.record("closed", c.Label, fmt.Sprintf("%d %s", f.Code(), f.Reason()))
			c.inbox.put(Message{Opcode: client.OpClose, Code: f.Code(), Reason: f.Reason()})
			_ = c.Raw.Write(client.CloseWith(f.Code(), "")) // the server may have gone
			return
		case client.OpPing:
			c.pong(f.Payload)
			c.inbox.put(Message{Opcode: client.OpPing, Body: f.Payload})
		case client.OpPong:
			c.inbox.put(Message{Opcode: client.OpPong, Body: f.Payload})
		case client.OpBinary:
			c.inbox.put(Message{Opcode: client.OpBinary, Body: f.Payload})
		default:
			if f.Opcode == client.OpText {
				compressed = f.RSV == rsv1
			}
			if text = append(text, f.Payload...); !f.Fin {
				continue
			}
			if compressed && inflater != nil {
				if text, err = inflater.Inflate(text); err != nil {
					c.t.fault("compressed messages can be decompressed (RFC 7692, section 7.2.2); %s could not: %v", c.Label, err)
				}
			}
			c.inbox.put(c.parse(string(text)))
			text = nil
		}
	}
}

func (c *Conn) pong(payload []byte) {
	if !c.mute.Load() {
		_ = c.Raw.Write(client.Control(client.OpPong, string(payload))) // the next read finds out
	}
}

// parse reads a text message, and finds fault with what no client could read.
func (c *Conn) parse(text string) Message {
	c.t.record("received", c.Label, text)
	m := Message{Opcode: client.OpText, Text: text}
	if err := json.Unmarshal([]byte(text), &m.Keys); err != nil {
		c.t.fault("every message is a JSON object; %s got %s", c.Label, text)
		return m
	}
	if json.Unmarshal(m.Keys["event"], &m.Event) != nil {
		c.t.fault("every message has an event that is a string (rule 1: pusher-js throws without it); %s got %s", c.Label, text)
	}
	if ch, ok := m.Keys["channel"]; ok && json.Unmarshal(ch, &m.Channel) != nil {
		c.t.fault("a channel is a string; %s got %s", c.Label, text)
	}
	m.Data, m.UserID = m.Keys["data"], m.Keys["user_id"]
	c.checkData(m)
	return m
}

// checkData holds the data of a message to the type that native clients read.
func (c *Conn) checkData(m Message) {
	switch {
	case m.Data == nil:
		c.t.fault("every message has data (rule 1: the Java client throws without it); %s got %s", c.Label, m.Text)
	case m.Event == "pusher:error":
		c.checkError(m)
	case m.Event == "pusher:pong", m.Event == "pusher:ping", m.Event == "pusher:subscription_error":
	case m.Data[0] != '"':
		c.t.fault("data is a JSON string in everything but pusher:error (rule 2: Swift reads nothing else); %s got %s", c.Label, m.Text)
	}
	if m.UserID != nil && m.UserID[0] != '"' {
		c.t.fault("user_id is a string (rule 14); %s got %s", c.Label, m.Text)
	}
}

func (c *Conn) checkError(m Message) {
	var data struct {
		Code    *int
		Message *string
	}
	if json.Unmarshal(m.Data, &data) != nil || m.Data[0] != '{' || data.Message == nil {
		c.t.fault("the data of pusher:error is an object with a code that is an integer or null, and a message (rule 2); %s got %s", c.Label, m.Text)
	}
}

// Next returns the next message, whatever it is.
func (c *Conn) Next(waitingFor string) Message {
	m, problem := c.inbox.next(c.t.ctx, c.t.Target.Timeout)
	if problem != "" {
		c.t.Mismatch("connection "+c.Label, waitingFor, problem)
	}
	return m
}

// NextText is Next for text messages: control frames are passed over, and so
// are the fences of other connections in the same channel.
func (c *Conn) NextText(waitingFor string) Message {
	for {
		m := c.Next(waitingFor)
		foreign := strings.HasPrefix(m.Event, c.t.namePrefix("fence-")) && m.Event != c.fence
		if m.Opcode != client.OpPing && m.Opcode != client.OpPong && !foreign {
			return m
		}
	}
}

// Expect returns the next message, which must have the given event and, unless
// it is "", the given channel.
func (c *Conn) Expect(event, channel string) Message {
	want := "event " + event
	if channel != "" {
		want += " on " + channel
	}
	m := c.NextText(want)
	if m.Event != event || channel != "" && m.Channel != channel {
		c.t.Mismatch("connection "+c.Label, want, m.String())
	}
	return m
}

// ExpectData is Expect, with data that is the given string.
func (c *Conn) ExpectData(event, channel, data string) Message {
	m := c.Expect(event, channel)
	if s, ok := m.DataString(); !ok || s != data {
		c.t.Mismatch(fmt.Sprintf("data of %s", event), fmt.Sprintf("the string %q", data), string(m.Data))
	}
	return m
}

// Error is what a pusher:error says.
type Error struct {
	Code    *int // nil is null
	Message string
}

// ExpectError returns the next message, which must be a pusher:error with one
// of codes, if any are given; 0 stands for null. The message must contain text
// in the dialect of Pusher, whose words are documented.
func (c *Conn) ExpectError(text string, codes ...int) Error {
	want := "pusher:error"
	if len(codes) > 0 {
		want += fmt.Sprintf(" with a code of %v", codes)
	}
	if text != "" {
		want += fmt.Sprintf(" with a message that contains %q", text)
	}
	m := c.NextText(want)
	if m.Event != "pusher:error" {
		c.t.Mismatch("connection "+c.Label, want, m.String())
	}
	e := c.error(m)
	if c.t.Target.Dialect == Pusher && !strings.Contains(strings.ToLower(e.Message), strings.ToLower(text)) {
		c.t.Mismatch("message of pusher:error", text, m.Text)
	}
	if len(codes) > 0 && !hasCode(e, codes) {
		c.t.Mismatch("code of pusher:error", fmt.Sprint(codes), m.Text)
	}
	c.PassSubscriptionError()
	return e
}

// error is what m, a pusher:error, says.
func (c *Conn) error(m Message) (e Error) {
	if err := json.Unmarshal(m.Data, &e); err != nil {
		c.t.Mismatch("data of pusher:error", "an object with code and message", m.Text)
	}
	return e
}

func hasCode(e Error, codes []int) bool {
	for _, code := range codes {
		if e.Code == nil && code == 0 || e.Code != nil && *e.Code == code {
			return true
		}
	}
	return false
}

// PassSubscriptionError takes a pusher:subscription_error from the inbox, if
// one is there before the answer to a ping. It is an extension that goes with
// the pusher:error of a subscription.
func (c *Conn) PassSubscriptionError() {
	before := c.Fence()
	for i, m := range before {
		if m.Event == "pusher:subscription_error" {
			before = append(before[:i:i], before[i+1:]...)
			break
		}
	}
	c.inbox.unread(before)
}

// Fence sends a pusher:ping and returns what comes before its answer. What is
// sent over one connection is answered in order, so whatever the server had to
// say to what was sent before is among it.
func (c *Conn) Fence() (before []Message) {
	c.Send(`{"event":"pusher:ping","data":{}}`)
	for {
		m := c.NextText("pusher:pong, the answer to a ping")
		if m.Event == "pusher:pong" {
			return before
		}
		if m.Opcode == client.OpClose {
			c.t.Mismatch("connection "+c.Label, "an open connection that answers pusher:ping", m.String())
		}
		before = append(before, m)
	}
}

// ExpectNothing fences, and expects nothing before it.
func (c *Conn) ExpectNothing(why string) {
	if before := c.Fence(); len(before) > 0 {
		c.t.Mismatch(why, "nothing", before[0].String())
	}
}

// ExpectClose returns the close frame that ends the connection; what comes
// before is passed over. Its code must be one of codes, if any are given; 1006
// is the end without a close frame.
func (c *Conn) ExpectClose(codes ...int) Message {
	want := fmt.Sprintf("a close frame %v", codes)
	for {
		m := c.Next(want)
		if m.Opcode != client.OpClose {
			continue
		}
		if len(codes) > 0 && !slices.Contains(codes, m.Code) {
			c.t.Mismatch("close code", fmt.Sprint(codes), m.String())
		}
		return m
	}
}

// ExpectEnd waits until the server has closed the connection beneath.
func (c *Conn) ExpectEnd() {
	select {
	case <-c.done:
	case <-time.After(c.t.Target.Timeout):
		c.t.Mismatch("connection "+c.Label, "its end", "it stays open")
	}
}

// Establish waits for pusher:connection_established, the first message.
func (c *Conn) Establish() Message {
	m := c.Expect("pusher:connection_established", "")
	var data struct {
		SocketID        string  `json:"socket_id"`
		ActivityTimeout float64 `json:"activity_timeout"`
	}
	text, _ := m.DataString()
	if err := json.Unmarshal([]byte(text), &data); err != nil {
		c.t.Mismatch("data of connection_established", "a string that holds an object with socket_id and activity_timeout", m.Text)
	}
	if !socketID.MatchString(data.SocketID) {
		c.t.Mismatch("socket_id (rule 5: all HTTP libraries reject others)", `two numbers and a dot`, data.SocketID)
	}
	if data.ActivityTimeout < 1 || data.ActivityTimeout != float64(int(data.ActivityTimeout)) {
		c.t.Mismatch("activity_timeout (rule 4: pusher-js hangs without it)", "whole seconds, at least 1", m.Text)
	}
	c.SocketID, c.Timeout = data.SocketID, int(data.ActivityTimeout)
	return m
}

var socketID = regexp.MustCompile(`^\d+\.\d+$`)

// Send sends a text message.
func (c *Conn) Send(text string) { c.SendFrames(client.Text(text)) }

// Sendf is Send of a format, in which values are written as JSON.
func (c *Conn) Sendf(format string, values ...any) {
	quoted := make([]any, len(values))
	for i, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			c.t.Errorf("encode %v: %v", v, err)
		}
		quoted[i] = string(b)
	}
	c.Send(fmt.Sprintf(format, quoted...))
}

// SendFrames sends frames in one go. That the connection has ended is for who
// reads to find out.
func (c *Conn) SendFrames(frames ...client.Frame) {
	for _, f := range frames {
		if f.Opcode == client.OpText {
			c.t.record("sent", c.Label, string(f.Payload))
		} else {
			c.t.record("sent", c.Label, fmt.Sprintf("a frame with opcode %x and %d bytes", f.Opcode, len(f.Payload)))
		}
	}
	_ = c.Raw.Write(frames...)
}

// Mute has pings go without an answer from now on.
func (c *Conn) Mute() { c.mute.Store(true) }

// Drop ends the connection without a word.
func (c *Conn) Drop() { _ = c.Raw.Close() }
