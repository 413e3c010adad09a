package conformance

import (
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// garbageCases are messages that no client should send, and what may come of
// them: never the end of anyone else's connection.
var garbageCases = []Case{
	{
		ID: "CON-16", Title: "no connection is closed with a code of 4300 or more", Level: Must,
		Source:      docProtocol + ", Error codes: 4300-4399 are other errors; pusher-js, which never comes back from such a close code",
		Requirement: "What a client does too often, or asks too much of, is told it in pusher:error with a code of 4300 or more; the connection stays open.",
		Needs:       []Capability{CapClientEvents, CapClientEventRate},
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("private-")
			c.Subscribe(channel)
			for range 10 * t.clientEventRate() {
				c.SendEvent("client-e", channel, `{}`)
			}
			if c.ExpectUntold("too many client events") == 0 {
				t.Mismatch("the answer to too many client events", "pusher:error with code 4301", "nothing")
			}
			if t.Target.Has(CapSignin) && t.Target.Has(CapWatchlist) {
				user := t.watcher(t.Name("u-"), t.users(101)...)
				c.SendSignin(c.UserAuth(user), user)
				c.Fence() // which it answers: the connection is open
			}
			c.ExpectNothing("the connection stays open")
		},
	},
	{
		ID: "CON-19", Title: "what is no message hurts nobody", Level: Must,
		Source:      docProtocol + ", Data format: messages are JSON objects with an event",
		Requirement: "A client that sends what is no JSON, no object, or no whole message gets pusher:error or nothing; its connection and those of others go on.",
		Run: func(t *T) {
			c, other, channel := t.Connect(), t.Connect(), t.Name("")
			other.Subscribe(channel)
			for _, text := range []string{
				``, `not json`, `[]`, `1`, `null`, `"text"`, `{`, `{}`, `{"event":5}`, `{"event":null}`, `{"event":["pusher:ping"]}`,
				`{"event":"pusher:subscribe"}`, `{"event":"pusher:subscribe","data":null}`, `{"event":"pusher:subscribe","data":"x"}`,
				`{"event":"pusher:subscribe","data":[]}`, `{"event":"pusher:subscribe","data":{"channel":["a"]}}`,
				`{"event":"pusher:subscribe","data":{"channel":{}}}`, `{"event":"pusher:unsubscribe"}`,
				`{"event":"pusher:unsubscribe","data":{"channel":null}}`, `{"event":"client-x"}`, `{"event":"client-x","channel":5,"data":{}}`,
				`{"event":"pusher:ping"`, strings.Repeat("[", 5000),
			} {
				c.Send(text)
				c.ExpectUntold(text)
			}
			t.ExpectNothingOn(other, channel, "others notice nothing of it")
		},
	},
	{
		ID: "CON-20", Title: "binary messages are refused", Level: Should, Reverb: May,
		Source:      docProtocol + ", Data format: binary messages are not supported; RFC 6455, section 7.4.1, 1003",
		Requirement: "A binary message gets pusher:error, or a close frame with 1003; others notice nothing.",
		Run: func(t *T) {
			c, other := t.Connect(), t.Connect()
			c.SendFrames(client.Control(client.OpBinary, `{"event":"pusher:ping","data":{}}`))
			if m := c.NextText("pusher:error, or a close frame with 1003"); m.Event != "pusher:error" && m.Code != 1003 {
				t.Mismatch("the answer to a binary message", "pusher:error, or a close frame with 1003", m.String())
			}
			other.ExpectNothing("others notice nothing of it")
			t.Connect()
		},
	},
	{
		ID: "CON-21", Title: "a huge message is refused", Level: Must,
		Source:      "RFC 6455, section 7.4.1, 1009; " + docREST + ", which limits the data of an event to 10 kB",
		Requirement: "A message of 1 MiB gets pusher:error, or a close frame with 1009; others notice nothing.",
		Run: func(t *T) {
			c, other := t.Connect(), t.Connect()
			_ = c.Raw.Write(client.Text(`{"event":"pusher:ping","data":"` + strings.Repeat("x", 1<<20) + `"}`)) // it may be cut off
			if m := c.NextText("pusher:error, or a close frame with 1009"); m.Event != "pusher:error" && m.Code != 1009 {
				t.Mismatch("the answer to a message of 1 MiB", "pusher:error, or a close frame with 1009", m.String())
			}
			other.ExpectNothing("others notice nothing of it")
			t.Connect()
		},
	},
	{
		ID: "CON-22", Title: "unknown messages leave the connection open", Level: Should,
		Source:      docProtocol + ", Events: names that begin with pusher: are reserved",
		Requirement: "A message with an event that begins with pusher: and that nobody knows gets pusher:error or nothing, and reaches nobody.",
		Run: func(t *T) {
			c, other, channel := t.Connect(), t.Connect(), t.Name("private-")
			c.Subscribe(channel)
			other.Subscribe(channel)
			for _, event := range []string{"pusher:nope", "pusher_internal:nope", "pusher:"} {
				c.SendEvent(event, channel, `{}`)
				c.ExpectUntold(event)
			}
			t.ExpectNothingOn(other, channel, "others notice nothing of it")
		},
	},
}
