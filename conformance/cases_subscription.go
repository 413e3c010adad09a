package conformance

import (
	"fmt"
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// subscriptionCases are public, private and encrypted channels.
var subscriptionCases = append(append([]Case{
	{
		ID: "SUB-01", Title: "a public channel takes auth that is empty", Level: Must,
		Source:      docProtocol + ", pusher:subscribe; pusher-js, which sends it so",
		Requirement: `A subscription to a public channel with "auth":"" is answered with subscription_succeeded, with the channel and with data that is exactly the string "{}".`,
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":"","channel":%s}}`, channel)
			c.ExpectData("pusher_internal:subscription_succeeded", channel, "{}")
		},
	},
	{
		ID: "SUB-02", Title: "a public channel takes no auth at all", Level: Must,
		Source:      docProtocol + ", pusher:subscribe; Java, Swift and .NET clients, which send it so",
		Requirement: `A subscription to a public channel without auth is answered with subscription_succeeded and the string "{}".`,
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("")
			c.Sendf(`{"event":"pusher:subscribe","data":{"channel":%s}}`, channel)
			c.ExpectData("pusher_internal:subscription_succeeded", channel, "{}")
		},
	},
	{
		ID: "SUB-03", Title: "a subscriber gets what is published", Level: Must,
		Source:      docProtocol + ", Channel events",
		Requirement: "What is published over the HTTP API arrives with its event, its channel and its data, a string that is what was published; there is no user_id.",
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("")
			c.Subscribe(channel)
			t.Publish(Publishing{Name: "my-event", Channel: channel, Data: `{"a": 1}`})
			t.ExpectKeys(c.ExpectData("my-event", channel, `{"a": 1}`), "channel", "data", "event")
		},
	},
	{
		ID: "SUB-04", Title: "a second subscription to the same channel changes nothing", Level: Should,
		Source:      "pusher-js issue 45, where the hosted service says so",
		Requirement: "Who subscribes again is told that there is a subscription, in the dialect of Reverb maybe that it has succeeded; the next event arrives once.",
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("")
			c.Subscribe(channel)
			c.SendSubscribe(channel)
			if t.Target.Dialect == Reverb {
				c.reSubscribed(channel)
			} else {
				c.ExpectError("Existing subscription to channel")
			}
			t.Publish(Publishing{Name: "once", Channel: channel, Data: "x"})
			c.ExpectData("once", channel, "x")
			t.ExpectNothingOn(c, channel, "an event arrives once")
		},
	},
	{
		ID: "SUB-05", Title: "unsubscribing has no answer, and ends the events", Level: Must,
		Source:      docProtocol + ", pusher:unsubscribe; pusher-js integration tests",
		Requirement: "A pusher:unsubscribe has no answer; what is published after it does not arrive.",
		Run: func(t *T) {
			c, other, channel := t.Connect(), t.Connect(), t.Name("")
			c.Subscribe(channel)
			other.Subscribe(channel)
			c.Unsubscribe(channel)
			t.Publish(Publishing{Name: "late", Channel: channel, Data: "x"})
			other.ExpectData("late", channel, "x")
			c.ExpectNothing("nothing arrives from a channel that was left")
			c.Subscribe(channel) // and what was missed does not come now
			t.ExpectNothingOn(c, channel, "nothing arrives of what was published before")
		},
	},
	{
		ID: "SUB-06", Title: "unsubscribing from where one is not does no harm", Level: May,
		Source:      docProtocol + ", pusher:unsubscribe; libPusher issue 254",
		Requirement: "A pusher:unsubscribe without a subscription gets pusher:error or nothing, and the connection stays open.",
		Run: func(t *T) {
			c := t.Connect()
			c.Sendf(`{"event":"pusher:unsubscribe","data":{"channel":%s}}`, t.Name(""))
			c.ExpectUntold("unsubscribing from a channel that one is not in")
		},
	},
	{
		ID: "SUB-07", Title: "leaving and coming back in one go", Level: Must,
		Source:      "pusher-js issue 714",
		Requirement: "Where pusher:unsubscribe and pusher:subscribe arrive together, they are done in this order: the client is subscribed then, and hears once of it.",
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("")
			c.Subscribe(channel)
			name := t.JSON(channel)
			c.SendFrames(
				client.Text(`{"event":"pusher:unsubscribe","data":{"channel":`+name+`}}`),
				client.Text(`{"event":"pusher:subscribe","data":{"auth":"","channel":`+name+`}}`),
			)
			c.ExpectData("pusher_internal:subscription_succeeded", channel, "{}")
			t.ExpectNothingOn(c, channel, "there is one answer, and a subscription")
		},
	},
	{
		ID: "SUB-20", Title: "an encrypted channel is subscribed as a private one", Level: Must,
		Source:      docEncrypted + "; Java client, which decrypts any other data and fails",
		Requirement: `A signed subscription to a private-encrypted- channel succeeds with data that is exactly the string "{}"; one without auth is rejected.`,
		Needs:       []Capability{CapEncrypted},
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("private-encrypted-")
			c.Sendf(`{"event":"pusher:subscribe","data":{"channel":%s}}`, channel)
			c.ExpectRejected(channel, "Auth info required")
			c.Subscribe(channel)
		},
	},
	{
		ID: "SUB-21", Title: "what is encrypted arrives as it was sent", Level: Must,
		Source:      docEncrypted + ", which the server cannot read",
		Requirement: "The nonce and the ciphertext that are published to a private-encrypted- channel arrive byte for byte.",
		Needs:       []Capability{CapEncrypted},
		Run: func(t *T) {
			const data = `{"nonce":"4sVYwy4j/8dCcjyxtPCWyk19GaaViaW9","ciphertext":"/GMESnFGlbNn01BuBjp31XYa3i9vZsGKR8fgR9EDhXKx3lzGiUD501A=="}`
			c, channel := t.Connect(), t.Name("private-encrypted-")
			c.Subscribe(channel)
			t.Publish(Publishing{Name: "secret", Channel: channel, Data: data})
			c.ExpectData("secret", channel, data)
		},
	},
	{
		ID: "SUB-23", Title: "a connection may be in 200 channels", Level: Must,
		Source:      docChannels + ", which name no limit",
		Requirement: "200 subscriptions of one connection succeed, and events of all 200 channels arrive.",
		Run: func(t *T) {
			c := t.Connect()
			missing := map[string]bool{}
			for range 200 {
				channel := t.Name("")
				c.Subscribe(channel)
				missing[channel] = true
			}
			for channel := range missing {
				t.Publish(Publishing{Name: "e", Channel: channel, Data: "x"})
			}
			for len(missing) > 0 {
				m := c.Expect("e", "")
				if !missing[m.Channel] {
					t.Mismatch("channel of an event", "one of those that were not heard of yet", m.Text)
				}
				delete(missing, m.Channel)
			}
		},
	},
	{
		ID: "SUB-24", Title: "a connection that breaks leaves its channels", Level: Must,
		Source:      docREST + ", GET /channels/{name}: occupied",
		Requirement: "A channel whose only subscriber has lost its TCP connection, without a close frame, is soon not occupied.",
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("")
			c.Subscribe(channel)
			if !t.Occupied(t.App(), channel) {
				t.Mismatch("GET /channels/"+channel, "occupied is true: there is a subscriber", "occupied is false")
			}
			c.Drop()
			t.Eventually("the channel of a connection that broke is not occupied", func() bool { return !t.Occupied(t.App(), channel) })
		},
	},
	{
		ID: "SUB-25", Title: "apps do not hear of one another", Level: Must,
		Source:      docREST + ": an event is published to the channels of one app",
		Requirement: "What is published to a channel of one app does not reach the channel of the same name in another app.",
		Needs:       []Capability{CapSecondApp},
		Run: func(t *T) {
			second, channel := t.Fixture(Second), t.Name("")
			a, b := t.Connect(), t.ConnectTo(Dialing{App: second})
			a.Subscribe(channel)
			b.Subscribe(channel)
			t.Publish(Publishing{Name: "first", Channel: channel, Data: "x"})
			t.PublishAs(second, Publishing{Name: "second", Channel: channel, Data: "x"})
			a.ExpectData("first", channel, "x")
			b.ExpectData("second", channel, "x")
			t.ExpectNothingOn(a, channel, "what another app publishes does not arrive")
			t.ExpectNothingOn(b, channel, "what another app publishes does not arrive")
		},
	},
	{
		ID: "SUB-27", Title: "events arrive in order", Level: Should, Heavy: true,
		Source:      docREST + ": a request is answered when its event was taken",
		Requirement: "1000 events that are published one after the other to a channel all arrive, in this order.",
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("")
			c.Subscribe(channel)
			for i := range 1000 {
				t.Publish(Publishing{Name: "n", Channel: channel, Data: fmt.Sprint(i)})
			}
			for i := range 1000 {
				c.ExpectData("n", channel, fmt.Sprint(i))
			}
			t.ExpectNothingOn(c, channel, "each event arrives once")
		},
	},
}, nameCases...), privateCases...)

// reSubscribed expects the answer of Reverb to a second subscription: that it
// has succeeded, or an error.
func (c *Conn) reSubscribed(channel string) {
	before := c.Fence()
	if len(before) == 0 {
		c.t.Mismatch("the answer to a second subscription", "subscription_succeeded, or pusher:error", "nothing")
	}
	for _, m := range before {
		if !strings.HasSuffix(m.Event, ":subscription_succeeded") && !strings.HasSuffix(m.Event, "error") {
			c.t.Mismatch("the answer to a second subscription to "+channel, "subscription_succeeded, or pusher:error", m.String())
		}
	}
}
