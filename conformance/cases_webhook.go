package conformance

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

var needsWebhooks = []Capability{CapWebhooks}

// webhookCases are what the server tells the backend.
var webhookCases = []Case{
	{
		ID: "WHK-01", Title: "a channel is occupied once", Level: Must, Reverb: May, Source: srcWebhooks + ": channel_occupied", Needs: needsWebhooks,
		Requirement: "The first subscriber of a channel makes one channel_occupied; the second makes none.",
		Run: func(t *T) {
			room := t.Name("room-")
			a, b := t.Connect(), t.Connect()
			a.Subscribe(room)
			t.AwaitWebhook("channel_occupied", room, 1)
			b.Subscribe(room)
			// What comes last is told last: nothing of b comes before this.
			a.Drop()
			b.Drop()
			t.AwaitWebhook("channel_vacated", room, 1)
			t.expectCount("channel_occupied", room, 1)
		},
	},
	{
		ID: "WHK-02", Title: "a channel is vacated", Level: Must, Reverb: May, Source: srcWebhooks + ": channel_vacated", Needs: needsWebhooks,
		Requirement: "When the last subscriber has left a channel, by whatever way, one channel_vacated comes, within 3 seconds and the time of delivery.",
		Run: func(t *T) {
			left, dropped := t.Name("room-"), t.Name("room-")
			a, b := t.Connect(), t.Connect()
			a.Subscribe(left)
			b.Subscribe(left)
			b.Subscribe(dropped)
			t.AwaitWebhook("channel_occupied", left, 1)
			a.Unsubscribe(left)
			t.expectCount("channel_vacated", left, 0)
			b.Unsubscribe(left)
			b.Drop()
			t.AwaitWebhook("channel_vacated", left, 1)
			t.AwaitWebhook("channel_vacated", dropped, 1)
			t.expectCount("channel_vacated", left, 1)
		},
	},
	{
		ID: "WHK-03", Title: "a short absence is not told", Level: Should, Reverb: May, Timing: true, Source: srcWebhooks + ": delayed events", Needs: needsWebhooks,
		Requirement: "Who leaves a channel and is back within 3 seconds makes neither channel_vacated nor another channel_occupied.",
		Run: func(t *T) {
			room := t.Name("room-")
			a := t.Connect()
			a.Subscribe(room)
			t.AwaitWebhook("channel_occupied", room, 1)
			b := t.Connect()
			a.Drop()
			// Back before it has gone would be no absence at all.
			t.Eventually("a channel whose only client has gone is not occupied", func() bool { return !t.Occupied(t.App(), room) })
			b.Subscribe(room)
			t.Pass(4*time.Second + t.Target.Quiet)
			t.expectCount("channel_vacated", room, 0)
			t.expectCount("channel_occupied", room, 1)
			b.Drop()
			t.AwaitWebhook("channel_vacated", room, 1)
		},
	},
	{
		ID: "WHK-04", Title: "members come and go", Level: Must, Reverb: May, Source: srcWebhooks + ": member_added, member_removed", Needs: append([]Capability{CapPresence}, needsWebhooks...),
		Requirement: "The first connection of a user in a presence channel makes member_added, the end of the last makes member_removed; user_id is a string.",
		Run: func(t *T) {
			room := t.Name("presence-")
			a, b, witness := t.Connect(), t.Connect(), t.Connect()
			a.SubscribePresenceData(room, `{"user_id":7}`)
			b.SubscribePresenceData(room, `{"user_id":7}`)
			witness.SubscribePresence(room, "witness")
			// The witness came last: what b makes has come by then.
			t.AwaitWebhooks(allWebhooks, room, "member_added of 7 and of witness", func(calls []WebhookCall) bool {
				came := map[string]bool{}
				for _, e := range delivered(calls, room) {
					if e.Text("name") != "member_added" {
						continue
					}
					if want := []string{"7", "witness"}; !slices.Contains(want, e.Text("user_id")) {
						t.Mismatch("user_id of member_added", fmt.Sprintf("one of the strings %q", want), string(e["user_id"]))
					}
					came[e.Text("user_id")] = true
				}
				return len(came) == 2
			})
			t.expectCount("member_added", room, 2)
			a.Drop()
			b.Drop()
			e, _ := t.AwaitWebhook("member_removed", room, 1)
			if e.Text("user_id") != "7" {
				t.Mismatch("user_id of member_removed", `"7"`, string(e["user_id"]))
			}
			t.expectCount("member_removed", room, 1)
		},
	},
	{
		ID: "WHK-05", Title: "webhooks are signed", Level: Must, Reverb: May, Source: srcWebhooks + ": security", Needs: needsWebhooks,
		Requirement: "X-Pusher-Key is the app's key, X-Pusher-Signature the HMAC-SHA256 of the body, byte for byte, in lower-case hex.",
		Run: func(t *T) {
			room := t.Name("room-;,@=")
			t.Connect().Subscribe(room)
			_, call := t.AwaitWebhook("channel_occupied", room, 1)
			if got := call.Header.Get("X-Pusher-Key"); got != t.App().Key {
				t.Mismatch("X-Pusher-Key", t.App().Key, got)
			}
			if call.Header.Get("X-Pusher-Signature") != client.Sign(t.App().Secret, call.Body) {
				t.Mismatch("X-Pusher-Signature", "the signature of the body "+call.Body, "another one: "+strconv.Quote(call.Header.Get("X-Pusher-Signature")))
			}
		},
	},
	{
		ID: "WHK-06", Title: "webhooks are JSON", Level: Must, Reverb: May, Source: srcWebhooks + ": pusher-http libraries compare the type as a whole", Needs: needsWebhooks,
		Requirement: "The Content-Type of a webhook is application/json, without a charset.",
		Run: func(t *T) {
			room := t.Name("room-")
			t.Connect().Subscribe(room)
			_, call := t.AwaitWebhook("channel_occupied", room, 1)
			if got := call.Header.Get("Content-Type"); got != "application/json" {
				t.Mismatch("Content-Type", "application/json", got)
			}
		},
	},
	{
		ID: "WHK-07", Title: "webhooks have a time", Level: Must, Reverb: May, Source: srcWebhooks + ": time_ms", Needs: needsWebhooks,
		Requirement: "time_ms is a whole number of milliseconds, at most 5 seconds from when the event happened.",
		Run: func(t *T) {
			room := t.Name("room-")
			before := time.Now()
			t.Connect().Subscribe(room)
			_, call := t.AwaitWebhook("channel_occupied", room, 1)
			ms, err := strconv.ParseInt(string(call.TimeMS), 10, 64)
			if at := time.UnixMilli(ms); err != nil || at.Before(before.Add(-5*time.Second)) || at.After(call.At.Add(5*time.Second)) {
				t.Mismatch("time_ms", fmt.Sprintf("a whole number near %d", before.UnixMilli()), string(call.TimeMS))
			}
		},
	},
	{
		ID: "WHK-08", Title: "client events are told", Level: Must, Reverb: May, Source: srcWebhooks + ": client_event", Needs: append([]Capability{CapClientEvents, CapPresence}, needsWebhooks...),
		Requirement: "client_event has channel, event, data as a string, and the socket_id of its sender; user_id only in a presence channel.",
		Run: func(t *T) {
			private, presence := t.Name("private-"), t.Name("presence-")
			c := t.Connect()
			c.Subscribe(private)
			c.SubscribePresence(presence, "u1")
			c.SendEvent("client-e", private, `{"a":1}`)
			c.SendEvent("client-e", presence, `{"a":1}`)
			for room, user := range map[string]string{private: "", presence: "u1"} {
				e, _ := t.AwaitWebhook("client_event", room, 1)
				data := strings.ReplaceAll(e.Text("data"), " ", "")
				if e.Text("event") != "client-e" || data != `{"a":1}` || e.Text("socket_id") != c.SocketID || e.Text("user_id") != user {
					t.Mismatch("client_event", fmt.Sprintf(`event "client-e", data "{\"a\":1}", socket_id %q, user_id %q`, c.SocketID, user), asJSON(e))
				}
				if _, has := e["user_id"]; has && user == "" {
					t.Mismatch("client_event of a private channel", "no user_id", asJSON(e))
				}
			}
		},
	},
	{
		ID: "WHK-09", Title: "a cache is missed once", Level: Should, Reverb: May, Source: "Pusher docs, Cache channels: cache_miss webhook", Needs: append([]Capability{CapCache}, needsWebhooks...),
		Requirement: "Ten subscribers that find an empty cache channel at the same time make one cache_miss.",
		Run: func(t *T) {
			room := t.Name("cache-")
			conns := make([]*Conn, 10)
			t.Concurrently(len(conns), func(i int) { conns[i] = t.Connect() })
			t.Concurrently(len(conns), func(i int) {
				conns[i].SendSubscribe(room)
				conns[i].Fence()
			})
			t.AwaitWebhook("cache_miss", room, 1)
			for _, c := range conns {
				c.Drop()
			}
			t.AwaitWebhook("channel_vacated", room, 1) // comes after all of them
			t.expectCount("cache_miss", room, 1)
		},
	},
	{
		ID: "WHK-10", Title: "subscribers are counted", Level: Should, Reverb: May, Source: srcWebhooks + ": subscription_count", Needs: append([]Capability{CapSubscriptionCount}, needsWebhooks...),
		Requirement: "subscription_count says, in a whole number, how many are subscribed, after it has changed.",
		Run: func(t *T) {
			room := t.Name("room-")
			d := Dialing{App: t.Fixture(Counting)}
			t.ConnectTo(d).Subscribe(room)
			t.ConnectTo(d).Subscribe(room)
			t.AwaitWebhooks(allWebhooks, room, "a subscription_count of 2", func(calls []WebhookCall) bool {
				return slices.ContainsFunc(delivered(calls, room), func(e WebhookEvent) bool {
					if e.Text("name") != "subscription_count" {
						return false
					}
					n, err := strconv.Atoi(string(e["subscription_count"]))
					if err != nil {
						t.Mismatch("subscription_count", "a whole number", string(e["subscription_count"]))
					}
					return n == 2
				})
			})
		},
	},
	{
		ID: "WHK-11", Title: "an event comes by itself", Level: Should, Reverb: May, Source: srcWebhooks + ": batch webhooks are off by default", Needs: append([]Capability{CapUnbatchedWebhooks}, needsWebhooks...),
		Requirement: "While batching is off, each webhook has one event.",
		Run: func(t *T) {
			rooms := t.burst()
			for _, room := range rooms {
				if _, call := t.AwaitWebhook("channel_occupied", room, 1); len(call.Events) != 1 {
					t.Mismatch("events of a webhook", "1", call.Body)
				}
			}
		},
	},
	{
		ID: "WHK-12", Title: "events come together", Level: Should, Reverb: May, Source: srcWebhooks + ": batch webhooks", Needs: append([]Capability{CapBatchedWebhooks}, needsWebhooks...),
		Requirement: "While batching is on, a burst of events comes in fewer webhooks than events, in the order in which they happened.",
		Run: func(t *T) {
			rooms := t.burst()
			order := map[string]int{}
			posts := map[string]bool{}
			for _, room := range rooms {
				_, call := t.AwaitWebhook("channel_occupied", room, 1)
				posts[call.Body] = true
				for i, e := range call.Events {
					order[e.Text("channel")] = i
				}
				for i, earlier := range rooms[:slices.Index(rooms, room)] {
					if strings.Contains(call.Body, `"`+earlier+`"`) && order[earlier] > order[room] {
						t.Mismatch("order of events", fmt.Sprintf("%s, the channel of number %d, first", earlier, i), call.Body)
					}
				}
			}
			if len(posts) == len(rooms) {
				t.Mismatch("webhooks of a burst", fmt.Sprintf("fewer than %d", len(rooms)), strconv.Itoa(len(posts)))
			}
		},
	},
	{
		ID: "WHK-13", Title: "a webhook that fails is sent again", Level: Should, Reverb: May, Source: srcWebhooks + ": retried with exponential backoff for 5 minutes", Needs: needsWebhooks,
		Requirement: "A webhook that is answered with 500 twice comes a third time, with the same body and signature, after a gap that grows.",
		Run: func(t *T) {
			room := t.Name("room-")
			t.Webhooks().Refuse(room, 2)
			t.Connect().Subscribe(room)
			var calls []WebhookCall
			t.AwaitWebhooks(allWebhooks, room, "three with the same body and signature: two that are refused, and one that is taken", func(all []WebhookCall) bool {
				calls = slices.DeleteFunc(slices.Clone(all), func(c WebhookCall) bool {
					return c.Body != all[0].Body || c.Header.Get("X-Pusher-Signature") != all[0].Header.Get("X-Pusher-Signature")
				})
				return len(calls) >= 3
			})
			first, second := calls[1].At.Sub(calls[0].At), calls[2].At.Sub(calls[1].At)
			if second <= first/2 {
				t.Mismatch("the gaps between three tries", "gaps that grow", fmt.Sprintf("%v, then %v", first, second))
			}
			if calls[2].Status != http.StatusOK {
				t.Mismatch("the third try", "it is taken", strconv.Itoa(calls[2].Status))
			}
		},
	},
	{
		ID: "WHK-14", Title: "a slow backend slows nobody down", Level: Must, Reverb: May, Source: srcWebhooks + ": delivery is asynchronous", Needs: needsWebhooks,
		Requirement: "While the backend does not answer a webhook, clients are served.",
		Run: func(t *T) {
			room := t.Name("room-")
			t.Defer(t.Webhooks().Hang(room))
			c := t.Connect()
			c.Subscribe(room)
			t.AwaitWebhooks(allWebhooks, room, "one, which is not answered", func(calls []WebhookCall) bool { return len(calls) > 0 })
			begun := time.Now()
			for range 10 {
				t.Publish(Publishing{Name: "e", Channel: room, Data: "{}"})
				c.Expect("e", room)
				d := t.Connect()
				d.Subscribe(room)
				d.Drop()
			}
			if took := time.Since(begun); took > t.Target.Timeout {
				t.Mismatch("ten events while a webhook hangs", "less than "+t.Target.Timeout.String(), took.String())
			}
		},
	},
	{
		ID: "WHK-15", Title: "a backend hears what it asked for", Level: Should, Reverb: May, Source: srcWebhooks + ": event types of a webhook", Needs: append([]Capability{CapFilteredWebhooks, CapPresence}, needsWebhooks...),
		Requirement: "A URL that is set up for channel_existence gets channel_occupied and channel_vacated, and nothing else.",
		Run: func(t *T) {
			room := t.Name("presence-")
			c := t.Connect()
			c.SubscribePresence(room, "u1")
			t.AwaitWebhook("member_added", room, 1)
			c.Drop()
			t.AwaitWebhook("member_removed", room, 1)
			calls := t.AwaitWebhooks(existenceWebhooks, room, "channel_vacated", func(calls []WebhookCall) bool {
				return slices.ContainsFunc(delivered(calls, room), func(e WebhookEvent) bool { return e.Text("name") == "channel_vacated" })
			})
			for _, e := range delivered(calls, room) {
				if name := e.Text("name"); name != "channel_occupied" && name != "channel_vacated" {
					t.Mismatch("an event for channel_existence", "channel_occupied or channel_vacated", asJSON(e))
				}
			}
		},
	},
	{
		ID: "WHK-16", Title: "no value has values in it", Level: Must, Reverb: May, Source: "pusher-http-dotnet, WebHookData: each event is a dictionary of strings", Needs: append([]Capability{CapClientEvents, CapPresence}, needsWebhooks...),
		Requirement: "Every value of an event of a webhook is a string or a number, even if what a client sent was an object.",
		Run: func(t *T) {
			room := t.Name("presence-")
			c := t.Connect()
			c.SubscribePresenceData(room, `{"user_id":7,"user_info":{"a":[1]}}`)
			c.SendEvent("client-e", room, `{"a":{"b":[1]}}`)
			for _, name := range []string{"channel_occupied", "member_added", "client_event"} {
				e, _ := t.AwaitWebhook(name, room, 1)
				for key, value := range e {
					if !scalar.Match(value) {
						t.Mismatch(key+" of "+name, "a string or a number", string(value))
					}
				}
			}
		},
	},
}

var scalar = regexp.MustCompile(`(?s)^(".*"|-?\d+)$`)

// expectCount ends the case if others than n events of a name have come.
func (t *T) expectCount(name, channel string, n int) {
	if got := t.CountWebhooks(name, channel); got != n {
		calls, _ := t.Webhooks().Calls(allWebhooks, channel)
		t.Mismatch(fmt.Sprintf("webhooks %s of %s", name, channel), strconv.Itoa(n), fmt.Sprintf("%d: %s", got, t.describe(calls)))
	}
}

// burst subscribes to several channels, as fast as it can, and returns them.
func (t *T) burst() []string {
	c := t.Connect()
	rooms := make([]string, 10)
	for i := range rooms {
		rooms[i] = t.Name("room-")
		c.SendSubscribe(rooms[i])
	}
	c.Fence()
	return rooms
}
