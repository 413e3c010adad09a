package conformance

import (
	"fmt"
	"slices"

	"github.com/revurb/revurb/conformance/client"
)

// in returns the codes of a pusher:error that apps of Laravel Reverb match on;
// in the dialect of Pusher there are none, since the hosted service says null
// and others give numbers of their own.
func (t *T) in(reverb ...int) []int {
	if t.Target.Dialect == Reverb {
		return reverb
	}
	return nil
}

// ExpectRefusal expects that a connection that was just opened is told a code
// in a pusher:error, and then closed with the same one.
func (c *Conn) ExpectRefusal(code int) {
	want := fmt.Sprintf("pusher:error with code %d, before the close frame (rule 7: Java shows no error otherwise)", code)
	m := c.NextText(want)
	var e Error
	if m.Event == "pusher:error" {
		e = c.error(m)
	}
	if !hasCode(e, []int{code}) {
		c.t.Mismatch("connection "+c.Label, want, m.String())
	}
	c.ExpectClose(code)
}

// ExpectRejected expects a pusher:error that says text as the answer to a
// subscription, and that nobody is in the channel then.
func (c *Conn) ExpectRejected(channel, text string) {
	c.ExpectError(text, c.t.in(4009)...)
	c.ExpectAbsent(channel)
}

// ExpectAbsent expects that nobody is in a channel, and that c hears nothing
// of what is published there.
func (c *Conn) ExpectAbsent(channel string) {
	c.t.PublishAs(c.app, Publishing{Name: "secret", Channel: channel, Data: "{}"})
	c.ExpectNothing("a connection whose subscription was rejected hears nothing of " + channel)
	if c.t.Occupied(c.app, channel) {
		c.t.Mismatch("GET /channels/"+channel, "occupied is false: the subscription was rejected", "occupied is true")
	}
}

// Occupied asks the HTTP API whether anyone is in a channel.
func (t *T) Occupied(app Credentials, channel string) bool {
	v := t.Object(t.OK(t.Do(Request{App: app, Path: "/channels/" + channel})))
	occupied, ok := v["occupied"].(bool)
	if !ok {
		t.Mismatch("GET /channels/"+channel, "occupied, which is true or false", fmt.Sprint(v))
	}
	return occupied
}

// ExpectUntold expects that what c has sent is answered with errors at most,
// and that the connection stays open. It returns how many errors there were.
func (c *Conn) ExpectUntold(what string) (errors int) {
	for _, m := range c.Fence() {
		switch m.Event {
		case "pusher:error":
			errors++
		case "pusher:subscription_error":
		default:
			c.t.Mismatch("the answer to "+what, "pusher:error, or nothing", m.String())
		}
	}
	return errors
}

// Close closes the connection as a client does that leaves.
func (c *Conn) Close() {
	c.SendFrames(client.CloseWith(1000, ""))
	c.ExpectClose()
}

// keys are those of a message, sorted.
func (m Message) keys() []string {
	var all []string
	for k := range m.Keys {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// ExpectKeys ends the case if the keys of m are others than want, which are
// sorted.
func (t *T) ExpectKeys(m Message, want ...string) {
	if !slices.Equal(m.keys(), want) {
		t.Mismatch("keys of "+m.Event, fmt.Sprint(want), m.Text)
	}
}
