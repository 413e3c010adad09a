package conformance

import (
	"fmt"
	"strings"
)

// nameCases are what channels may be called, and what their names promise.
var nameCases = []Case{
	{
		ID: "SUB-08", Title: "channels cannot have any name", Level: Must, Reverb: Should,
		Source:      docChannels + ", Channel naming conventions; the same pattern is in all HTTP libraries",
		Requirement: "A subscription is rejected whose channel has a name that is empty, too long, or has characters other than letters, digits and _-=@,.; and there is no such channel then.",
		Run: func(t *T) {
			limit := t.Target.Limits.ChannelName
			if limit == 0 {
				limit = PusherLimits.ChannelName
			}
			c, name := t.Connect(), t.Name("")
			illegal := []string{"", "#" + name, strings.Repeat("x", limit+1-len(name)) + name}
			for _, bad := range []string{" ", "#", "ä", "/", ":", "!", "\n", "\x00", "\u202e", "'", `"`, `\`, "*", "<", "\U0001f600"} {
				illegal = append(illegal, name+bad+"b")
			}
			for _, channel := range illegal {
				c.Sendf(`{"event":"pusher:subscribe","data":{"auth":"","channel":%s}}`, channel)
				if c.ExpectUntold(fmt.Sprintf("a subscription to %q", channel)) == 0 {
					t.Mismatch(fmt.Sprintf("the answer to a subscription to %q", channel), "pusher:error", "nothing")
				}
			}
			channels, ok := t.Get("/channels")["channels"].(map[string]any)
			if !ok {
				t.Mismatch("GET /channels", "an object channels", "something else")
			}
			for _, channel := range illegal {
				if _, ok := channels[channel]; ok {
					t.Mismatch("GET /channels", "no channel that was rejected", fmt.Sprintf("%q", channel))
				}
			}
		},
	},
	{
		ID: "SUB-09", Title: "channels may have every name that is allowed", Level: Must,
		Source:      docChannels + ", Channel naming conventions: letters, digits and _-=@,.; and 164 characters",
		Requirement: "A channel with all the punctuation that is allowed, and one with 164 characters, can be subscribed, published to and asked for.",
		Run: func(t *T) {
			name := t.Name("")
			for _, channel := range []string{"foo-bar_1234@=,.;" + name, strings.Repeat("x", 164-len(name)) + name} {
				c := t.Connect()
				c.Subscribe(channel)
				t.Publish(Publishing{Name: "e", Channel: channel, Data: "x"})
				c.ExpectData("e", channel, "x")
				if !t.Occupied(t.App(), channel) {
					t.Mismatch("GET /channels/"+channel, "occupied is true: there is a subscriber", "occupied is false")
				}
			}
		},
	},
	{
		ID: "SUB-22", Title: "only a prefix with its dash makes a channel private", Level: Must, Reverb: Should,
		Source:      docChannels + ", Channel types; pusher-js core/channels/channels.ts",
		Requirement: "Channels whose names begin with private or presence, but not with the dash that follows, are public: they need no auth, and have no members. private- alone needs auth.",
		Run: func(t *T) {
			c := t.Connect()
			for _, channel := range []string{
				"private", "presence", t.Name("private"), t.Name("presence"), t.Name("Private-"), t.Name("PRESENCE-"), t.Name("x-private-"),
			} {
				c.Sendf(`{"event":"pusher:subscribe","data":{"channel":%s}}`, channel)
				c.ExpectData("pusher_internal:subscription_succeeded", channel, "{}")
			}
			c.Send(`{"event":"pusher:subscribe","data":{"channel":"private-"}}`)
			c.ExpectError("")
			c.Send(`{"event":"pusher:subscribe","data":{"channel":"presence-"}}`)
			c.ExpectError("")
		},
	},
	{
		ID: "SUB-26", Title: "the channel of a user is for nobody else", Level: Must,
		Source:      "pusher-js, core/user.ts: it subscribes to #server-to-user-{id} once it has signed in",
		Requirement: "Who has not signed in cannot subscribe to #server-to-user-{id}, signed or not.",
		Run: func(t *T) {
			c := t.Connect()
			channel := "#server-to-user-" + t.Name("")
			for _, auth := range []string{"", c.Auth(channel, "")} {
				c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, auth, channel)
				c.ExpectError("")
			}
			t.Publish(Publishing{Name: "secret", Channel: channel, Data: "x"})
			c.ExpectNothing("nothing arrives that was sent to a user")
		},
	},
}
