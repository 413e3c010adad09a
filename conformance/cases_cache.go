package conformance

import (
	"fmt"

	"github.com/revurb/revurb/conformance/client"
)

// cacheCases are what a channel replays.
var cacheCases = []Case{
	{
		ID: "CACHE-01", Title: "an empty cache channel says so", Level: Should,
		Source:      docCache + ", pusher:cache_miss; Java client, which throws without data",
		Requirement: `Who subscribes to a cache channel without a last event gets subscription_succeeded, and then pusher:cache_miss with the channel and with data.`,
		Needs:       []Capability{CapCache},
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("cache-")
			c.Subscribe(channel)
			c.ExpectMiss(channel)
			t.ExpectNothingOn(c, channel, "a cache miss is all that is said")
		},
	},
	{
		ID: "CACHE-02", Title: "a cache channel replays the last event", Level: Should,
		Source:      docCache,
		Requirement: "Who subscribes to a cache channel after an event gets subscription_succeeded, and then the event, as those got it who were there.",
		Needs:       []Capability{CapCache},
		Run: func(t *T) {
			early, late, channel := t.Connect(), t.Connect(), t.Name("cache-")
			early.Subscribe(channel)
			early.ExpectMiss(channel)
			t.Publish(Publishing{Name: "rate", Channel: channel, Data: `{"eur": "1,00 €"}`})
			first := early.ExpectData("rate", channel, `{"eur": "1,00 €"}`)
			late.Subscribe(channel)
			t.ExpectSameJSON("the event that is replayed", first.Text, late.Expect("rate", channel).Text)
			late.ExpectNothing("an event is replayed once")
		},
	},
	{
		ID: "CACHE-03", Title: "only the last event is replayed", Level: Should,
		Source:      docCache + ": the last event is kept",
		Requirement: "Of two events that were published to a cache channel, who subscribes then gets the second.",
		Needs:       []Capability{CapCache},
		Run: func(t *T) {
			c, channel := t.Connect(), t.Name("cache-")
			t.Publish(Publishing{Name: "first", Channel: channel, Data: "1"})
			t.Publish(Publishing{Name: "second", Channel: channel, Data: "2"})
			c.Subscribe(channel)
			c.ExpectData("second", channel, "2")
			c.ExpectNothing("only the last event is replayed")
		},
	},
	{
		ID: "CACHE-04", Title: "client events are not replayed", Level: Should,
		Source:      docCache + ", FAQ: client events are not cached",
		Requirement: "A client event on a cache channel reaches those who are there, and nobody later.",
		Needs:       []Capability{CapCache, CapClientEvents},
		Run: func(t *T) {
			a, b, late, channel := t.Connect(), t.Connect(), t.Connect(), t.Name("private-cache-")
			for _, c := range []*Conn{a, b} {
				c.Subscribe(channel)
				c.ExpectMiss(channel)
			}
			a.SendEvent("client-e", channel, `{}`)
			b.Expect("client-e", channel)
			late.Subscribe(channel)
			late.ExpectMiss(channel)
		},
	},
	{
		ID: "CACHE-05", Title: "the last event is forgotten after a while", Level: Should, Timing: true,
		Source:      docCache + ", FAQ: an event is kept for up to 30 minutes",
		Requirement: "An event is replayed until its time is over, and a cache miss is said then.",
		Needs:       []Capability{CapCache, CapShortCache},
		Run: func(t *T) {
			app, channel := t.Fixture(ShortLived), t.Name("cache-")
			c := t.ConnectTo(Dialing{App: app})
			t.PublishAs(app, Publishing{Name: "e", Channel: channel, Data: "x"})
			c.Subscribe(channel)
			c.ExpectData("e", channel, "x")
			t.Eventually("an event that is old is not replayed", func() bool {
				c.Unsubscribe(channel)
				c.Subscribe(channel)
				return c.NextText("the event, or pusher:cache_miss").Event == "pusher:cache_miss"
			})
		},
	},
	{
		ID: "CACHE-06", Title: "only some prefixes make a cache channel", Level: Should,
		Source:      docCache + ", Cache channel types; pusher-js core/channels/channels.ts",
		Requirement: "Channels that begin with cache-, private-cache-, private-encrypted-cache- or presence-cache- replay the last event; others with cache- in their names do not.",
		Needs:       []Capability{CapCache},
		Run: func(t *T) {
			c := t.Connect()
			cached := []string{"cache-", "private-cache-"}
			if t.Target.Has(CapEncrypted) {
				cached = append(cached, "private-encrypted-cache-")
			}
			for _, prefix := range cached {
				channel := t.publishedTo(prefix)
				c.Subscribe(channel)
				c.ExpectData("e", channel, "x")
			}
			if t.Target.Has(CapPresence) {
				channel := t.publishedTo("presence-cache-")
				c.SubscribePresence(channel, "a")
				c.ExpectData("e", channel, "x")
			}
			for _, prefix := range []string{"my-cache-", "private-my-cache-", "cache", "Cache-", "private-encrypted-my-cache-"} {
				channel := t.publishedTo(prefix)
				c.Subscribe(channel)
				c.ExpectNothing("a channel called " + prefix + "… replays nothing")
			}
		},
	},
	{
		ID: "CACHE-07", Title: "nobody hears what is cached who may not", Level: Must,
		Source:      docCache + ": a private cache channel is a private channel",
		Requirement: "A subscription to a private cache channel without auth, or with a wrong one, is rejected, and what is cached does not arrive.",
		Needs:       []Capability{CapCache},
		Run: func(t *T) {
			c, channel := t.Connect(), t.publishedTo("private-cache-")
			for _, auth := range []string{"", t.App().Key + ":00"} {
				c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, auth, channel)
				if c.ExpectUntold("a subscription to a private cache channel that is not signed") == 0 {
					t.Mismatch("the answer to a subscription that is not signed", "pusher:error", "nothing")
				}
			}
			c.ExpectAbsent(channel)
		},
	},
	{
		ID: "CACHE-08", Title: "the HTTP API tells what is cached", Level: Should,
		Source:      docREST + ", GET /channels/{name}: info=cache",
		Requirement: `info=cache is {"data":…,"ttl":seconds} for a cache channel with an event, null for one without; for other channels it is an error, or in the dialect of Reverb left out.`,
		Needs:       []Capability{CapCache},
		Run: func(t *T) {
			info := client.Param{Name: "info", Value: "cache"}
			full, empty, plain := t.publishedTo("cache-"), t.Name("cache-"), t.Name("")
			hit, _ := t.Get("/channels/"+full, info)["cache"].(map[string]any)
			ttl, ok := hit["ttl"].(float64)
			if !ok || hit["data"] != "x" || ttl < 1 || ttl != float64(int(ttl)) {
				t.Mismatch("cache of a channel with an event", `{"data":"x","ttl":n}, n in whole seconds`, t.JSON(hit))
			}
			if v, ok := t.Get("/channels/"+empty, info)["cache"]; !ok || v != nil {
				t.Mismatch("cache of a channel without an event", "null", t.JSON(v))
			}
			res := t.Do(Request{Path: "/channels/" + plain, Query: []client.Param{info}})
			if res.Status == 400 {
				return
			}
			_, told := t.Object(t.OK(res))["cache"]
			if told || t.Target.Dialect != Reverb {
				t.Mismatch("info=cache of a channel that is no cache channel", "400", fmt.Sprint(res.Status, " ", res.Body))
			}
		},
	},
	{
		ID: "CACHE-09", Title: "an event is kept though nobody hears it", Level: Should,
		Source:      docCache,
		Requirement: "An event that is published to a cache channel without subscribers is replayed to who subscribes then, and again after the channel was empty.",
		Needs:       []Capability{CapCache},
		Run: func(t *T) {
			channel := t.publishedTo("cache-")
			for range 2 {
				c := t.Connect()
				c.Subscribe(channel)
				c.ExpectData("e", channel, "x")
				c.Close()
				t.Eventually("the channel is empty", func() bool { return !t.Occupied(t.App(), channel) })
			}
		},
	},
}

// ExpectMiss waits for the news that a cache channel has nothing to replay.
func (c *Conn) ExpectMiss(channel string) { c.Expect("pusher:cache_miss", channel) }

// publishedTo is a channel to which the event e was published, with the data x.
func (t *T) publishedTo(prefix string) string {
	channel := t.Name(prefix)
	t.Publish(Publishing{Name: "e", Channel: channel, Data: "x"})
	return channel
}
