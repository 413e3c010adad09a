package conformance

import (
	"encoding/json"
	"fmt"
	"time"
)

// countCases are how many are subscribed.
var countCases = []Case{
	{
		ID: "COUNT-01", Title: "subscribers are told how many they are", Level: Should,
		Source:      docEvents + ", Subscription count events",
		Requirement: "Where an app counts, both subscribers of a channel get subscription_count, with the integer 2 in a string, once the second has subscribed.",
		Needs:       []Capability{CapSubscriptionCount},
		Run: func(t *T) {
			a, b, channel := t.counted("")
			a.expectCount(channel, 1)
			b.SendSubscribe(channel)
			b.Expect("pusher_internal:subscription_succeeded", channel)
			a.expectCount(channel, 2)
			b.expectCount(channel, 2)
		},
	},
	{
		ID: "COUNT-02", Title: "those who stay are told how many are left", Level: Should,
		Source:      docEvents + ", Subscription count events",
		Requirement: "Where an app counts, the subscriber who is left gets subscription_count 1 when another unsubscribes, and again when another closes.",
		Needs:       []Capability{CapSubscriptionCount},
		Run: func(t *T) {
			a, b, channel := t.counted("private-")
			a.expectCount(channel, 1)
			b.SendSubscribe(channel)
			a.expectCount(channel, 2)
			b.Sendf(`{"event":"pusher:unsubscribe","data":{"channel":%s}}`, channel)
			a.expectCount(channel, 1)
			b.SendSubscribe(channel)
			a.expectCount(channel, 2)
			b.Close()
			a.expectCount(channel, 1)
		},
	},
	{
		ID: "COUNT-03", Title: "presence channels have no subscription_count", Level: Should,
		Source:      docEvents + ", Subscription count events: all channels but presence channels",
		Requirement: "Where an app counts, the members of a presence channel get no subscription_count: they know one another.",
		Needs:       []Capability{CapSubscriptionCount, CapPresence},
		Run: func(t *T) {
			d, room := Dialing{App: t.Fixture(Counting)}, t.Name("presence-")
			a, b := t.ConnectTo(d), t.ConnectTo(d)
			a.SubscribePresence(room, "a")
			b.SubscribePresence(room, "b")
			a.ExpectMember("member_added", room, "b")
			b.Unsubscribe(room)
			t.expectRemoved(a, room, "b")
		},
	},
	{
		ID: "COUNT-04", Title: "nobody is counted where it was not asked for", Level: Should,
		Source:      docEvents + ", Subscription count events: they are off by default",
		Requirement: "Subscribers of an app that does not count get no subscription_count when others come and go.",
		Run: func(t *T) {
			a, b, channel := t.Connect(), t.Connect(), t.Name("")
			a.Subscribe(channel)
			b.Subscribe(channel)
			b.Unsubscribe(channel)
			t.ExpectNothingOn(a, channel, "nobody is told how many are subscribed")
		},
	},
	{
		ID: "COUNT-05", Title: "many subscribers are not told of each other one by one", Level: Should, Timing: true, Heavy: true,
		Source:      docEvents + ", Subscription count events: beyond 100 subscribers, every 5 seconds",
		Requirement: "Where an app counts and 150 subscribe at once, those beyond 100 are told of every 5 seconds only; the last count that is told is exact.",
		Needs:       []Capability{CapSubscriptionCount},
		Run: func(t *T) {
			a, _, channel := t.counted("")
			start := time.Now()
			for range 149 {
				t.ConnectTo(Dialing{App: t.Fixture(Counting)}).SendSubscribe(channel)
			}
			t.Pass(6 * time.Second)
			beyond, last := 0, 0
			note := func(m Message) {
				if last = t.countOf(m, channel); last > 100 {
					beyond++
				}
			}
			for last != 150 {
				note(a.NextText("a subscription_count of 150, sooner or later"))
			}
			for _, m := range a.Fence() {
				note(m)
			}
			most := 4 + int(time.Since(start)/(5*time.Second)) // a few on the way, and one every five seconds
			if beyond > most || last != 150 {
				t.Mismatch("subscription_count of a channel with 150 subscribers", fmt.Sprintf("at most %d beyond 100, and 150 in the end", most),
					fmt.Sprintf("%d beyond 100, and %d in the end", beyond, last))
			}
		},
	},
}

// counted are two connections to the app that counts, of which the first is
// subscribed to a channel.
func (t *T) counted(prefix string) (a, b *Conn, channel string) {
	d := Dialing{App: t.Fixture(Counting)}
	a, b, channel = t.ConnectTo(d), t.ConnectTo(d), t.Name(prefix)
	a.Subscribe(channel)
	return a, b, channel
}

func (c *Conn) expectCount(channel string, n int) {
	m := c.Expect("pusher_internal:subscription_count", channel)
	if got := c.t.countOf(m, channel); got != n {
		c.t.Mismatch("subscription_count", fmt.Sprint(n), m.Text)
	}
}

// countOf is what a subscription_count says.
func (t *T) countOf(m Message, channel string) int {
	text, _ := m.DataString()
	var data struct {
		Count *int `json:"subscription_count"`
	}
	err := json.Unmarshal([]byte(text), &data)
	if err != nil || data.Count == nil || m.Event != "pusher_internal:subscription_count" || m.Channel != channel {
		t.Mismatch("what a subscriber is told", `subscription_count, with the string {"subscription_count":n} (Swift and Java read an integer)`, m.String())
	}
	return *data.Count
}
