package conformance

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// clientEventCases are what clients send one another.
var clientEventCases = append([]Case{
	{
		ID: "CEV-01", Title: "a client event reaches the others", Level: Must,
		Source:      docEvents + ", Triggering client events; " + docProtocol + ", Client-originated events",
		Requirement: "A client event on a private channel reaches the other subscribers, with its event, its channel and its data, a string; its sender gets nothing.",
		Needs:       []Capability{CapClientEvents},
		Run: func(t *T) {
			a, b, channel := t.pair("private-")
			a.SendEvent("client-e", channel, `{"x":1}`)
			m := b.Expect("client-e", channel)
			text, _ := m.DataString()
			t.ExpectSameJSON("data of a client event", `{"x":1}`, text)
			a.ExpectNothing("who sends a client event does not get it")
			t.ExpectNothingOn(a, channel, "who sends a client event does not get it")
			t.ExpectNothingOn(b, channel, "a client event arrives once")
		},
	},
	{
		ID: "CEV-02", Title: "a client event on a presence channel says who sent it", Level: Must,
		Source:      docProtocol + ", Channel events: user_id; Swift and .NET clients, which read a string",
		Requirement: "A client event on a presence channel has the user_id of its sender; one on a private channel has none.",
		Needs:       []Capability{CapClientEvents, CapPresence},
		Run: func(t *T) {
			a, b, channel := t.pair("private-")
			a.SendEvent("client-e", channel, `{}`)
			t.ExpectKeys(b.Expect("client-e", channel), "channel", "data", "event")
			room := t.Name("presence-")
			a.SubscribePresence(room, "amy")
			b.SubscribePresence(room, "bob")
			a.ExpectMember("member_added", room, "bob")
			a.SendEvent("client-e", room, `{}`)
			b.expectSender(room, "amy")
			b.SendEvent("client-e", room, `{}`)
			a.expectSender(room, "bob")
		},
	},
	{
		ID: "CEV-03", Title: "the data of a client event arrives as a string", Level: Must,
		Source:      "Swift client, which reads only a string; Java client, which sends one; Laravel Reverb pull request 352",
		Requirement: "Data that is an object arrives as a string that holds it, data that is a string as the same string; data of other kinds, or none, is rejected or arrives as a string.",
		Needs:       []Capability{CapClientEvents},
		Run: func(t *T) {
			a, b, channel := t.pair("private-")
			for _, object := range []string{`{"a":{"b":[1,"2",null]},"text":"é\ud83d\ude00</script>"}`, `{}`, `[1,2]`} {
				a.SendEvent("client-e", channel, object)
				text, _ := b.Expect("client-e", channel).DataString()
				t.ExpectSameJSON("data of a client event", object, text)
			}
			for _, text := range []string{`{"a":1}`, `x`, ``, `"quoted"`, "\u2028\x00é"} {
				a.SendEvent("client-e", channel, t.JSON(text))
				b.ExpectData("client-e", channel, text)
			}
			for _, data := range []string{`12`, `true`, `null`} {
				a.SendEvent("client-e", channel, data)
				a.ExpectUntold("a client event with data that is " + data)
			}
			a.Sendf(`{"event":"client-e","channel":%s}`, channel)
			a.ExpectUntold("a client event without data")
			for _, m := range t.FenceChannel(b, channel) {
				if _, ok := m.DataString(); !ok || m.Event != "client-e" {
					t.Mismatch("what arrives of client events with other data", "client-e with a string", m.Text)
				}
			}
		},
	},
	{
		ID: "CEV-10", Title: "nobody can pretend to be someone else", Level: Must,
		Source:      docProtocol + ", Channel events: user_id is that of the sender; " + docEvents + ", User IDs in client events",
		Requirement: "What a client writes into a client event besides event, channel and data does not arrive: on a presence channel user_id is that of its sender, on a private channel there is none.",
		Needs:       []Capability{CapClientEvents, CapPresence},
		Run: func(t *T) {
			a, b, channel := t.pair("private-")
			const forged = `{"event":"client-e","channel":%s,"data":{},"user_id":"bob","socket_id":"1.1","x":1}`
			a.Sendf(forged, channel)
			t.ExpectKeys(b.Expect("client-e", channel), "channel", "data", "event")
			room := t.Name("presence-")
			a.SubscribePresence(room, "amy")
			b.SubscribePresence(room, "bob")
			a.ExpectMember("member_added", room, "bob")
			a.Sendf(forged, room)
			t.ExpectKeys(b.expectSender(room, "amy"), "channel", "data", "event", "user_id")
		},
	},
	{
		ID: "CEV-08", Title: "client events are limited to ten a second", Level: Should, Reverb: May, Timing: true,
		Source:      docEvents + ", Triggering client events: 10 a second; " + docProtocol + ", Error codes, 4301",
		Requirement: "Of more client events at once than are allowed in a second, as many as are allowed arrive, and the others get pusher:error with 4301; the connection stays open, and may send again a second later.",
		Needs:       []Capability{CapClientEvents, CapClientEventRate},
		Run:         tooManyClientEvents,
	},
}, rejectedEventCases...)

// pair are two connections that are subscribed to the same channel.
func (t *T) pair(prefix string) (a, b *Conn, channel string) {
	a, b, channel = t.Connect(), t.Connect(), t.Name(prefix)
	a.Subscribe(channel)
	b.Subscribe(channel)
	return a, b, channel
}

func (c *Conn) expectSender(room, user string) Message {
	m := c.Expect("client-e", room)
	if string(m.UserID) != c.t.JSON(user) {
		c.t.Mismatch("user_id of a client event", c.t.JSON(user), m.Text)
	}
	return m
}

func tooManyClientEvents(t *T) {
	a, b, channel := t.pair("private-")
	rate := t.clientEventRate()
	sent := rate + rate/2
	start := time.Now()
	for range sent {
		a.SendEvent("client-e", channel, `{}`)
	}
	refused := 0
	for _, m := range a.Fence() {
		if m.Event != "pusher:error" || !hasCode(a.error(m), []int{4301}) {
			t.Mismatch("the answer to too many client events", "pusher:error with code 4301", m.String())
		}
		refused++
	}
	arrived := len(t.FenceChannel(b, channel))
	// What comes back to a sender as time passes is his, too.
	most := rate + int(time.Since(start).Seconds()*float64(rate)) + 1
	if arrived < rate || arrived > most || arrived+refused != sent {
		t.Mismatch(fmt.Sprintf("what becomes of %d client events at once", sent),
			fmt.Sprintf("%d to %d arrive, and all others are refused", rate, most), fmt.Sprintf("%d arrive, %d are refused", arrived, refused))
	}
	t.Pass(1100 * time.Millisecond)
	a.SendEvent("client-later", channel, `{}`)
	b.Expect("client-later", channel)
}

// rejectedEventCases are client events that reach nobody.
var rejectedEventCases = []Case{
	{
		ID: "CEV-04", Title: "who is not in a channel cannot send to it", Level: Must,
		Source:      docEvents + ", Triggering client events: the sender must be subscribed",
		Requirement: "A client event to a private channel that its sender is not in gets pusher:error and reaches nobody.",
		Needs:       []Capability{CapClientEvents},
		Run: func(t *T) {
			_, b, channel := t.pair("private-")
			eve := t.Connect()
			eve.SendEvent("client-e", channel, `{}`)
			eve.ExpectError("Cannot broadcast client event", t.in(4009)...)
			t.ExpectNothingOn(b, channel, "a client event of a stranger reaches nobody")
		},
	},
	{
		ID: "CEV-05", Title: "public channels have no client events", Level: Must, Reverb: NA,
		Source:      docEvents + ", Triggering client events: only on private and presence channels",
		Requirement: "A client event to a public channel gets pusher:error and reaches nobody, though its sender is subscribed.",
		Needs:       []Capability{CapClientEvents},
		Run: func(t *T) {
			a, b, channel := t.pair("")
			a.SendEvent("client-e", channel, `{}`)
			a.ExpectError("")
			t.ExpectNothingOn(b, channel, "a client event on a public channel reaches nobody")
		},
	},
	{
		ID: "CEV-06", Title: "clients send nothing but client events", Level: Must,
		Source:      docEvents + ", Triggering client events: names begin with client-; sockudo issue 80",
		Requirement: "An event of a client whose name does not begin with client- reaches nobody, least of all one that looks like the server's.",
		Needs:       []Capability{CapClientEvents, CapPresence},
		Run: func(t *T) {
			a, b, room := t.Connect(), t.Connect(), t.Name("presence-")
			a.SubscribePresence(room, "a")
			b.SubscribePresence(room, "b")
			a.ExpectMember("member_added", room, "b")
			for _, event := range []string{
				"my-event", "pusher:x", "pusher:error", "pusher_internal:member_added", "pusher_internal:member_removed",
				"pusher_internal:subscription_succeeded", "Client-x", "CLIENT-x", "client", " client-x", "xclient-x", "",
			} {
				a.SendEvent(event, room, `{"user_id":"x"}`)
				a.ExpectUntold("the event " + event)
			}
			t.ExpectNothingOn(b, room, "only events that begin with client- arrive")
		},
	},
	{
		ID: "CEV-07", Title: "an app may have no client events", Level: Should,
		Source:      docEvents + ", Triggering client events: they must be enabled",
		Requirement: "Where client events are switched off, one gets pusher:error and reaches nobody.",
		Needs:       []Capability{CapNoClientEvents},
		Run: func(t *T) {
			d, channel := Dialing{App: t.Fixture(NoClientEvents)}, t.Name("private-")
			a, b := t.ConnectTo(d), t.ConnectTo(d)
			a.Subscribe(channel)
			b.Subscribe(channel)
			a.SendEvent("client-e", channel, `{}`)
			a.ExpectError("To send client events, you must enable", t.in(4301)...)
			t.ExpectNothingOn(b, channel, "a client event reaches nobody where there are none")
		},
	},
	{
		ID: "CEV-09", Title: "client events cannot be of any size", Level: May,
		Source:      docREST + ", whose limits of 10 kB of data and 200 characters of a name are taken for client events, too",
		Requirement: "A client event whose name is too long gets pusher:error; so does one with too much data, or the connection is closed with 1009. Neither reaches anyone.",
		Needs:       []Capability{CapClientEvents},
		Run: func(t *T) {
			a, b, channel := t.pair("private-")
			name := cmp.Or(t.Target.Limits.EventName, PusherLimits.EventName)
			a.SendEvent("client-"+strings.Repeat("x", name), channel, `{}`)
			a.ExpectError("")
			size := cmp.Or(t.Target.Limits.EventData, PusherLimits.EventData)
			a.SendEvent("client-big", channel, `"`+strings.Repeat("x", size+1)+`"`)
			if m := a.NextText("pusher:error, or a close frame with 1009"); m.Event != "pusher:error" && m.Code != 1009 {
				t.Mismatch("the answer to a client event with too much data", "pusher:error, or a close frame with 1009", m.String())
			}
			t.ExpectNothingOn(b, channel, "a client event that is too big reaches nobody")
		},
	},
	{
		ID: "CEV-11", Title: "a client event has a channel", Level: Should,
		Source:      "JavaPusherClient issue 1, where the hosted service says so",
		Requirement: "A client event without a channel gets pusher:error.",
		Needs:       []Capability{CapClientEvents},
		Run: func(t *T) {
			c := t.Connect()
			c.Send(`{"event":"client-e","data":{}}`)
			c.ExpectError("must contain channel and data", t.in(4200)...)
		},
	},
	{
		ID: "CEV-12", Title: "who has left a channel cannot send to it", Level: Must,
		Source:      docEvents + ", Triggering client events: the sender must be subscribed",
		Requirement: "A client event after pusher:unsubscribe gets pusher:error and reaches nobody.",
		Needs:       []Capability{CapClientEvents},
		Run: func(t *T) {
			a, b, channel := t.pair("private-")
			a.Unsubscribe(channel)
			a.SendEvent("client-e", channel, `{}`)
			a.ExpectError("Cannot broadcast client event", t.in(4009)...)
			t.ExpectNothingOn(b, channel, "a client event of who has left reaches nobody")
		},
	},
}
