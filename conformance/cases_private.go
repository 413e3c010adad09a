package conformance

import (
	"encoding/json"

	"github.com/revurb/revurb/conformance/client"
)

// privateCases are who may subscribe to a private channel, and what the others
// are told.
var privateCases = []Case{
	{
		ID: "SUB-10", Title: "a private channel takes the signature of the backend", Level: Must,
		Source:      docAuth + ", Generating the authentication string",
		Requirement: `A subscription to a private channel with key:signature is answered with subscription_succeeded and the string "{}".`,
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("private-")
			c.Subscribe(channel)
			t.Publish(Publishing{Name: "e", Channel: channel, Data: "x"})
			c.ExpectData("e", channel, "x")
		},
	},
	{
		ID: "SUB-11", Title: "a private channel needs auth", Level: Must,
		Source:      docAuth + "; pusher-js issue 478 for the words",
		Requirement: "A subscription to a private channel whose auth is missing, null or empty is rejected, and the connection stays open.",
		Run: func(t *T) {
			c := t.Connect()
			for _, auth := range []string{``, `"auth":null,`, `"auth":"",`} {
				channel := t.Name("private-")
				c.Sendf(`{"event":"pusher:subscribe","data":{`+auth+`"channel":%s}}`, channel)
				c.ExpectRejected(channel, "Auth info required")
			}
		},
	},
	{
		ID: "SUB-12", Title: "auth is a key and a signature", Level: Must,
		Source:      docAuth + "; Pysher issue 22 for the words",
		Requirement: "A subscription whose auth has no colon is rejected.",
		Run: func(t *T) {
			c := t.Connect()
			for _, auth := range []string{"abc", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"} {
				c.signed(t.Name("private-"), auth, "should be of format 'key:signature'")
			}
		},
	},
	{
		ID: "SUB-13", Title: "the key is that of the app", Level: Must,
		Source:      docAuth + "; Java client, PusherEventTest for the words",
		Requirement: "A subscription whose auth has the right signature and the key of another app, or of none, is rejected.",
		Run: func(t *T) {
			c := t.Connect()
			keys := []string{"x" + t.App().Key, ""}
			if second, ok := t.Target.Apps[Second]; ok {
				keys = append(keys, second.Key)
			}
			for _, key := range keys {
				channel := t.Name("private-")
				text := "Invalid key in subscription auth data"
				if key == "" { // which may as well be no format at all
					text = ""
				}
				c.signed(channel, client.ChannelAuth(key, t.App().Secret, c.SocketID, channel, ""), text)
			}
		},
	},
	{
		ID: "SUB-14", Title: "a wrong signature is rejected", Level: Must,
		Source:      docAuth + "; pusher-websocket-java issue 205 for the words",
		Requirement: "A subscription with a signature of another secret, or with half of one, is rejected, and told what should have been signed.",
		Run: func(t *T) {
			c := t.Connect()
			wrong := func(channel string) []string {
				right := c.Auth(channel, "")
				return []string{
					client.ChannelAuth(t.App().Key, t.App().Secret+"x", c.SocketID, channel, ""),
					client.ChannelAuth(t.App().Key, "", c.SocketID, channel, ""),
					right[:len(right)-1], right + "0", t.App().Key + ":",
				}
			}
			for i := range wrong("") {
				channel := t.Name("private-")
				text := "Invalid signature: Expected HMAC SHA256 hex digest of " + c.SocketID + ":" + channel
				if i == 4 { // an empty signature may as well be no format at all
					text = ""
				}
				c.signed(channel, wrong(channel)[i], text)
			}
		},
	},
	{
		ID: "SUB-15", Title: "a signature is for one socket and one channel", Level: Must,
		Source:      docAuth + ": what is signed is socket_id:channel_name",
		Requirement: "A signature that was made for another connection, or for another channel, is rejected.",
		Run: func(t *T) {
			c, other := t.Connect(), t.Connect()
			channel := t.Name("private-")
			c.signed(channel, other.Auth(channel, ""), "Invalid signature")
			c.signed(channel, c.Auth(t.Name("private-"), ""), "Invalid signature")
		},
	},
	{
		ID: "SUB-16", Title: "channel_data is signed on private channels, too", Level: Must,
		Source:      "pusher-js core/channels/channel.ts and Java client 2.0.1, which pass channel_data on",
		Requirement: "A subscription to a private channel with channel_data succeeds if that was signed, and is rejected if it was not.",
		Run: func(t *T) {
			const data = `{"user_id":"1"}`
			c, channel := t.Connect(), t.Name("private-")
			send := func(auth string) {
				c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel_data":%s,"channel":%s}}`, auth, data, channel)
			}
			send(c.Auth(channel, ""))
			c.ExpectRejected(channel, "Invalid signature")
			send(c.Auth(channel, data))
			c.ExpectData("pusher_internal:subscription_succeeded", channel, "{}")
		},
	},
	{
		ID: "SUB-17", Title: "channel_data that is null is none", Level: Must,
		Source:      docAuth + "; clients that write what their auth endpoint did not return as null",
		Requirement: `A subscription to a private channel with "channel_data":null succeeds with a signature of the socket and the channel alone.`,
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("private-")
			c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel_data":null,"channel":%s}}`, c.Auth(channel, ""), channel)
			c.ExpectData("pusher_internal:subscription_succeeded", channel, "{}")
		},
	},
	{
		ID: "SUB-18", Title: "the error of a subscription can be read by every client", Level: Must,
		Source:      docProtocol + ", pusher:error; Java, Swift and .NET clients",
		Requirement: "The data of the pusher:error of a rejected subscription is an object with a code that is an integer or null, and with a message that is a string; the connection can subscribe after it.",
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("private-")
			for _, auth := range []string{"", "abc", "x:y", t.App().Key + ":00"} {
				c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, auth, channel)
				if e := c.ExpectError(""); e.Message == "" {
					t.Mismatch("message of pusher:error", "words that say what is wrong", "nothing")
				}
			}
			c.Subscribe(channel)
			t.ExpectNothingOn(c, channel, "the connection is subscribed, once")
		},
	},
	{
		ID: "SUB-19", Title: "a channel learns that its subscription was rejected", Level: May,
		Source:      "soketi; Laravel Echo, Channel.error(), and pusher-js, which hand it to the channel",
		Requirement: "A rejected subscription has, besides its pusher:error, a pusher:subscription_error with its channel and with an object of type, error and status.",
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("private-")
			c.Sendf(`{"event":"pusher:subscribe","data":{"channel":%s}}`, channel)
			for _, m := range c.Fence() {
				if m.Event == "pusher:subscription_error" {
					checkSubscriptionError(t, m, channel)
					return
				}
			}
			t.Mismatch("the answer to a subscription that is rejected", "pusher:subscription_error on "+channel, "none")
		},
	},
}

// signed subscribes with auth, and expects to be rejected with text.
func (c *Conn) signed(channel, auth, text string) {
	c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, auth, channel)
	c.ExpectRejected(channel, text)
}

func checkSubscriptionError(t *T, m Message, channel string) {
	var data struct {
		Type   string
		Error  string
		Status int
	}
	err := json.Unmarshal(m.Data, &data)
	if err != nil || m.Channel != channel || data.Type != "AuthError" || data.Error == "" || data.Status != 401 {
		t.Mismatch("pusher:subscription_error", `the channel, and {"type":"AuthError","error":…,"status":401}`, m.Text)
	}
}
