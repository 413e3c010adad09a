package conformance

import (
	"fmt"
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// messageSecurity are messages, and what they are signed with, that pretend to be others.
var messageSecurity = []Case{
	{
		ID: "security.json.deep", Title: "deep JSON does no harm", Level: Must, Source: "RFC 8259, section 9: Parsers may limit the depth of nesting",
		Requirement: "A message of thousands of nested arrays or objects is answered with an error at most, and the connection stays open.",
		Run: func(t *T) {
			c := t.Connect()
			for _, text := range []string{
				strings.Repeat("[", 4500) + strings.Repeat("]", 4500), strings.Repeat("[", 9000), strings.Repeat(`{"a":`, 1800),
				`{"event":"pusher:subscribe","data":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + `}`,
			} {
				c.Send(text)
				c.ExpectUntold("deep JSON")
			}
		},
	},
	{
		ID: "security.json.duplicate-keys", Title: "a key that comes twice fools nobody", Level: Must, Source: "RFC 8259, section 4: Names should be unique",
		Requirement: "A subscription whose channel is named twice, once as a private one, gives no access to the private one.",
		Run: func(t *T) {
			c := t.Connect()
			public, private := t.Name("room-"), t.Name("private-")
			for _, text := range []string{
				`{"event":"pusher:subscribe","data":{"channel":%[1]s,"channel":%[2]s}}`,
				`{"event":"pusher:subscribe","data":{"channel":%[2]s,"channel":%[1]s}}`,
				`{"event":"pusher:subscribe","data":{"channel":%[1]s,"Channel":%[2]s}}`,
				`{"event":"pusher:subscribe","data":{"channel":%[1]s},"data":{"channel":%[2]s}}`,
			} {
				c.Send(fmt.Sprintf(text, t.JSON(public), t.JSON(private)))
				c.Fence()
			}
			t.Publish(Publishing{Name: "secret", Channel: private, Data: "{}"})
			for _, m := range c.Fence() {
				if m.Channel == private {
					t.Mismatch("a private channel that was not signed for", "nothing of it", m.String())
				}
			}
			t.Field(t.Get("/channels/"+private), "occupied").is(false)
		},
	},
	{
		ID: "security.json.escapes", Title: "an escaped name is the same name", Level: Must, Source: "RFC 8259, section 8.3: String comparison",
		Requirement: "A private channel whose name is written with escapes is a private channel: it is not given without a signature.",
		Run: func(t *T) {
			c := t.Connect()
			private := t.Name("private-")
			c.Send(`{"event":"pusher:subscribe","data":{"channel":"privat\u0065` + strings.TrimPrefix(private, "private") + `"}}`)
			if c.ExpectUntold("a private channel without a signature") == 0 {
				t.Mismatch("the answer to a private channel without a signature", "pusher:error", "nothing")
			}
			c.ExpectAbsent(private)
		},
	},
	{
		ID: "security.json.numbers", Title: "large numbers are not rounded", Level: Must, Source: "Pusher docs, Presence channels: user_id; RFC 8259, section 6", Needs: []Capability{CapPresence},
		Requirement: "Users with the numbers 9007199254740992 and 9007199254740993 are two users, not one.",
		Run: func(t *T) {
			room := t.Name("presence-")
			t.Connect().SubscribePresenceData(room, `{"user_id":9007199254740992}`)
			t.Connect().SubscribePresenceData(room, `{"user_id":9007199254740993}`)
			v := t.Get("/channels/"+room, param("info", "user_count"))
			t.Field(v, "user_count").is(2)
		},
	},
	{
		ID: "security.channel.names", Title: "names that are none are refused", Level: Must, Reverb: May, Source: srcNames,
		Requirement: "A channel whose name has spaces, line breaks, zero bytes, colons or letters that are not ASCII is refused.",
		Run: func(t *T) {
			c := t.Connect()
			for _, name := range []string{"a b", "a\r\nb", "a\x00b", "a:b", "ä", "a/b", "a\u202eb", "#a", "a'b", `a"b`, "a*"} {
				c.Sendf(`{"event":"pusher:subscribe","data":{"channel":%s}}`, name)
				c.ExpectError("")
			}
			c.ExpectNothing("an error each is all there is to it")
		},
	},
	{
		ID: "security.channel.of-another-user", Title: "the channel of a user is his alone", Level: Must, Source: "Pusher docs, Sending events to authenticated users", Needs: []Capability{CapSignin},
		Requirement: "#server-to-user-… is refused to who is not signed in as that user.",
		Run: func(t *T) {
			c := t.Connect()
			user := "#server-to-user-" + t.Name("u")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":"","channel":%s}}`, user)
			c.ExpectError("")
			t.Publish(Publishing{Name: "secret", Channel: user, Data: "{}"})
			c.ExpectNothing("what is for another user")
		},
	},
	{
		ID: "security.channel.twice", Title: "who subscribes twice counts once", Level: Must, Source: "Pusher docs, WebSocket protocol: Subscription events",
		Requirement: "A connection that subscribes twice is one subscriber, gets each event once, and is gone when it unsubscribes once.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			c.SendSubscribe(room)
			c.Fence()
			t.Field(t.Get("/channels/"+room, param("info", "subscription_count")), "subscription_count").is(1)
			t.Publish(Publishing{Name: "e", Channel: room, Data: "{}"})
			c.Expect("e", room)
			c.expectOnlyFence(room, "an event comes once")
			c.Unsubscribe(room)
			t.Field(t.Get("/channels/"+room), "occupied").is(false)
		},
	},
	{
		ID: "security.event.forged", Title: "clients cannot speak for the server", Level: Must, Source: "Pusher docs, Events: client events begin with client-", Needs: []Capability{CapClientEvents},
		Requirement: "What a client sends as an event of the protocol, or without client-, goes to nobody.",
		Run: func(t *T) {
			room := t.Name("private-")
			a, b := t.Connect(), t.Connect()
			a.Subscribe(room)
			b.Subscribe(room)
			for _, event := range []string{
				"pusher_internal:member_added", "pusher_internal:subscription_succeeded", "pusher:error", "pusher:cache_miss", "pusher:signin_success",
				"Client-e", "client_e", " client-e", "e",
			} {
				a.SendEvent(event, room, `"{}"`)
				a.Fence()
			}
			b.expectOnlyFence(room, "what clients cannot send goes to nobody")
		},
	},
	{
		ID: "security.auth.signatures", Title: "nothing but the right signature will do", Level: Must, Source: srcSignatures,
		Requirement: "A subscription whose signature is cut short, empty, in upper case, of another channel, of another connection or of another secret is refused.",
		Run: func(t *T) {
			app, room := t.App(), t.Name("private-")
			c, other := t.Connect(), t.Connect()
			good := c.Auth(room, "")
			key, signature, _ := strings.Cut(good, ":")
			for _, auth := range []string{
				"", ":", key, key + ":", signature, ":" + signature, key + ":" + signature[:63], key + ":" + signature[:32],
				key + ":" + strings.ToUpper(signature), key + ":" + signature + "0", key + "::" + signature, key + ":" + signature + ":",
				c.Auth(room+"x", ""), other.Auth(room, ""), c.Auth(room, "{}"),
				client.ChannelAuth(app.Key, app.Secret+"x", c.SocketID, room, ""), client.ChannelAuth(app.Key, "", c.SocketID, room, ""),
			} {
				c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, auth, room)
				c.ExpectError("")
			}
			c.ExpectAbsent(room)
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, good, room)
			c.Expect("pusher_internal:subscription_succeeded", room)
		},
	},
	{
		ID: "security.auth.other-app", Title: "the signature of another app will not do", Level: Must, Source: srcSignatures, Needs: []Capability{CapSecondApp},
		Requirement: "A subscription that is signed with key and secret of another app is refused.",
		Run: func(t *T) {
			c, other, room := t.Connect(), t.Fixture(Second), t.Name("private-")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, client.ChannelAuth(other.Key, other.Secret, c.SocketID, room, ""), room)
			c.ExpectError("")
			c.ExpectAbsent(room)
		},
	},
	{
		ID: "security.auth.confusion", Title: "a signature is for one purpose", Level: Must, Source: srcSignatures,
		Requirement: "A signature for a channel with data, or for a sign-in, is not taken as one for a channel whose name looks like the rest of what was signed.",
		Run: func(t *T) {
			c := t.Connect()
			app, presence := t.App(), t.Name("presence-")
			const data = `{"user_id":"u1"}`
			for channel, auth := range map[string]string{
				presence + ":" + data:        c.Auth(presence, data),
				":user::{\"id\":\"u1\"}":     client.UserAuth(app.Key, app.Secret, c.SocketID, `{"id":"u1"}`),
				"private-" + presence + ":x": c.Auth("private-"+presence, "x"),
			} {
				c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, auth, channel)
				c.ExpectError("")
			}
			// The other way round: a malformed socket ID that was signed for.
			auth := client.ChannelAuth(app.Key, app.Secret, c.SocketID+":"+presence, data, "")
			room := t.Name("private-")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, auth, room)
			c.ExpectError("")
			c.ExpectAbsent(room)
		},
	},
	{
		ID: "security.auth.no-member-data", Title: "a presence channel wants to know who comes", Level: Must, Source: "Pusher docs, Presence channels: channel_data", Needs: []Capability{CapPresence},
		Requirement: "A subscription to a presence channel without channel_data, or with other channel_data than was signed, is refused.",
		Run: func(t *T) {
			room := t.Name("presence-")
			c := t.Connect()
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, c.Auth(room, ""), room)
			c.ExpectError("")
			const signed, sent = `{"user_id":"u1"}`, `{"user_id":"admin"}`
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel_data":%s,"channel":%s}}`, c.Auth(room, signed), sent, room)
			c.ExpectError("")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel_data":%s,"channel":%s}}`, c.Auth(room, ""), sent, room)
			c.ExpectError("")
			c.ExpectAbsent(room)
		},
	},
}
