package conformance

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/revurb/revurb/conformance/client"
)

// httpEventCases are publishing over the HTTP API.
var httpEventCases = []Case{
	{
		ID: "HE-01", Title: "an event is published", Level: Must, Source: srcHTTPEvents,
		Requirement: "POST /events answers 200, application/json and an empty object, and the subscribers of the channel get the event.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			res := t.Publish(Publishing{Name: "e", Channels: []string{room}, Data: "{}"})
			t.ExpectEmpty(res)
			if ct, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";"); ct != "application/json" {
				t.Mismatch("Content-Type", "application/json", res.Header.Get("Content-Type"))
			}
			c.ExpectData("e", room, "{}")
		},
	},
	{
		ID: "HE-02", Title: "a single channel may be named", Level: Must, Source: "pusher-http-php, src/Pusher.php: trigger with one channel; " + srcHTTPEvents,
		Requirement: "channel, a string, names one channel in the place of channels.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			t.ExpectEmpty(t.Publish(Publishing{Name: "e", Channel: room, Data: "{}"}))
			c.ExpectData("e", room, "{}")
		},
	},
	{
		ID: "HE-03", Title: "an event goes to each of its channels once", Level: Must, Source: srcHTTPEvents,
		Requirement: "Who is subscribed to several of the channels gets the event once for each; a channel that is named twice is one channel.",
		Run: func(t *T) {
			one, two, three := t.Name("room-"), t.Name("room-"), t.Name("room-")
			c := t.Connect()
			c.Subscribe(one)
			c.Subscribe(two)
			t.Publish(Publishing{Name: "e", Channels: []string{one, two, three}, Data: "{}"})
			got := map[string]int{}
			for range 2 {
				got[c.Expect("e", "").Channel]++
			}
			if got[one] != 1 || got[two] != 1 {
				t.Mismatch("channels of the events", fmt.Sprintf("%s and %s", one, two), fmt.Sprint(got))
			}
			c.expectOnlyFence(one, "no event comes twice")
			t.Publish(Publishing{Name: "e", Channels: []string{one, one}, Data: "{}"})
			c.Expect("e", one)
			c.expectOnlyFence(one, "a channel that is named twice is one channel")
		},
	},
	{
		ID: "HE-04", Title: "data arrives as it was sent", Level: Must, Source: srcHTTPEvents + "; pusher-http-php and Laravel send a string as a JSON literal",
		Requirement: "The string data arrives as the same string, whatever is in it.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			for _, data := range []string{
				`{"a":1}`, `plain`, `"quoted"`, `null`, `12`, `{ "b" : 1.50, "a":[] }`, `grüße`, "\U0001f600", "a\x00b", `\u0000`, `</script>&`, "line\r\nline\u2028", ` `,
			} {
				t.Publish(Publishing{Name: "e", Channel: room, Data: data})
				c.ExpectData("e", room, data)
			}
		},
	},
	{
		ID: "HE-05", Title: "a connection may be left out", Level: Must, Source: srcHTTPEvents,
		Requirement: "The connection of socket_id gets the event on none of the channels; everyone else gets it.",
		Run: func(t *T) {
			one, two := t.Name("room-"), t.Name("private-")
			a, b := t.Connect(), t.Connect()
			for _, c := range []*Conn{a, b} {
				c.Subscribe(one)
				c.Subscribe(two)
			}
			t.Publish(Publishing{Name: "e", Channels: []string{one, two}, Data: "{}", SocketID: a.SocketID})
			got := map[string]bool{b.Expect("e", "").Channel: true, b.Expect("e", "").Channel: true}
			if !got[one] || !got[two] {
				t.Mismatch("channels of the events to another connection", one+" and "+two, fmt.Sprint(got))
			}
			a.expectOnlyFence(one, "the connection of socket_id is left out")
			a.expectOnlyFence(two, "the connection of socket_id is left out")
		},
	},
	{
		ID: "HE-06", Title: "a socket_id that nobody has leaves nobody out", Level: Must, Source: "The hosted service accepts any; " + srcHTTPEvents,
		Requirement: "An event with an unknown or malformed socket_id is answered with 200, and everyone gets it.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			for _, id := range []string{"1.1", "nonsense", c.SocketID + "0", " " + c.SocketID} {
				t.Publish(Publishing{Name: "e", Channel: room, Data: "{}", SocketID: id})
				c.Expect("e", room)
			}
		},
	},
	{
		ID: "HE-07", Title: "data may have 10 KiB", Level: Must, Source: srcHTTPEvents + "; " + srcHTTPErrors,
		Requirement: "Data of 10240 bytes is published; one byte more is answered with 413 and published to nobody. What counts are bytes, not characters.",
		Run:         dataSize,
	},
	{
		ID: "HE-08", Title: "an event has 1 to 100 channels", Level: Should, Reverb: May, Source: srcHTTPEvents,
		Requirement: "An event to 100 channels is published; one to 101 or to none is answered with 400 and published to nobody.",
		Run: func(t *T) {
			most := limitOr(t, t.Target.Limits.ChannelsPerEvent, "channels of an event")
			rooms := make([]string, most+1)
			for i := range rooms {
				rooms[i] = t.Name("room-")
			}
			c := t.Connect()
			c.Subscribe(rooms[0])
			t.Publish(Publishing{Name: "e", Channels: rooms[:most], Data: "{}"})
			c.Expect("e", rooms[0])
			t.ExpectRefused(Request{Path: "/events", Body: t.JSON(Publishing{Name: "e", Channels: rooms, Data: "{}"})}, t.bad()...)
			t.ExpectRefused(Request{Path: "/events", Body: `{"name":"e","data":"{}","channels":[]}`}, t.bad()...)
			c.expectOnlyFence(rooms[0], "an event that was refused is published to nobody")
		},
	},
	{
		ID: "HE-09", Title: "the name of an event has 200 characters", Level: Should, Reverb: May, Source: srcHTTPEvents + "; pusher-http-node, lib/pusher.js: validateEventName",
		Requirement: "An event whose name has 200 characters is published; one more is answered with 400.",
		Run: func(t *T) {
			most := limitOr(t, t.Target.Limits.EventName, "the name of an event")
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			name := strings.Repeat("n", most)
			t.Publish(Publishing{Name: name, Channel: room, Data: "{}"})
			c.Expect(name, room)
			t.ExpectRefused(Request{Path: "/events", Body: t.JSON(Publishing{Name: name + "n", Channel: room, Data: "{}"})}, t.bad()...)
			c.expectOnlyFence(room, "an event that was refused is published to nobody")
		},
	},
	{
		ID: "HE-10", Title: "name, data and a channel are required", Level: Must, Source: srcHTTPErrors + "; the Ruby library drops its connection on a status that it does not know, as 422",
		Requirement: "An event without a name, data or channels, or with a name or channel that is no string, is answered with 400 (422 in the dialect of Reverb).",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			for i, body := range []string{
				`{"data":"{}","channel":%s}`, `{"name":5,"data":"{}","channel":%s}`, `{"name":null,"data":"{}","channel":%s}`,
				`{"name":"e","channel":%s}`, `{"name":"e","data":"{}","channel":[%s]}`, `{"name":"e","data":"{}","channels":{"0":%s}}`,
				`{"name":"e","data":"{}","channels":[%s,5]}`, `{"name":"e","data":"{}"}`,
			} {
				if strings.Contains(body, "%s") {
					body = fmt.Sprintf(body, t.JSON(room))
				}
				res := t.ExpectRefused(Request{Path: "/events", Body: body}, t.bad()...)
				if i == 0 && t.Target.Dialect == Pusher {
					t.ExpectText(res, "Expected name parameter to be a string")
				}
			}
			c.expectOnlyFence(room, "an event that was refused is published to nobody")
		},
	},
	{
		ID: "HE-11", Title: "a body that is no JSON object is refused", Level: Must, Source: srcHTTPErrors,
		Requirement: "A body that is no JSON, is cut off, or is no object is answered with 400 (422 in the dialect of Reverb), and so is none.",
		Run: func(t *T) {
			for _, path := range []string{"/events", "/batch_events"} {
				for _, body := range []string{"not json", "{", `{"name":"e","data":"{}","channel":"a"`, "[]", `"e"`, "5", "null", ""} {
					t.ExpectRefused(Request{Method: http.MethodPost, Path: path, Body: body}, t.bad()...)
				}
			}
		},
	},
	{
		ID: "HE-12", Title: "the names of channels are checked", Level: Must, Reverb: May, Source: "Pusher docs, Channels: Channel naming conventions",
		Requirement: "An event to a channel whose name has other characters than letters, digits and _-=@,.; is answered with 400, and published to none of its channels.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			bad := []string{"", "a b", "a/b", "ä", "a\n", "#a", "a:b", "a\x00", "*"}
			if most := t.Target.Limits.ChannelName; most > 0 {
				bad = append(bad, strings.Repeat("a", most+1))
			}
			for _, name := range bad {
				t.ExpectRefused(Request{Path: "/events", Body: t.JSON(Publishing{Name: "e", Channels: []string{room, name}, Data: "{}"})}, t.bad()...)
			}
			c.expectOnlyFence(room, "an event that was refused is published to nobody")
		},
	},
	{
		ID: "HE-13", Title: "the names of the protocol's events are reserved", Level: Must, Reverb: Should, Source: "Pusher docs, Encrypted channels: only Pusher can publish events that begin with pusher:",
		Requirement: "An event whose name begins with pusher: or pusher_internal: is answered with 400: clients believe what it says.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			for _, name := range []string{"pusher:error", "pusher:x", "pusher_internal:member_added", "pusher_internal:subscription_succeeded"} {
				body := t.JSON(Publishing{Name: name, Channel: room, Data: "{}"})
				t.ExpectRefused(Request{Path: "/events", Body: body}, t.bad()...)
				t.ExpectRefused(Request{Path: "/batch_events", Body: `{"batch":[` + body + `]}`}, t.bad()...)
			}
			c.expectOnlyFence(room, "an event that was refused is published to nobody")
		},
	},
	{
		ID: "HE-14", Title: "the names of other events are free", Level: Must, Source: "Laravel: the name of an event is that of its class",
		Requirement: "The name of an event may have backslashes, dots, spaces and any letters.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			for _, name := range []string{`App\Events\Foo`, "a.b", ".a", "two words", "größe", "\U0001f600", "client-e", "pusher", "pusherx:y", `"`, "<&>"} {
				t.Publish(Publishing{Name: name, Channel: room, Data: "{}"})
				c.ExpectData(name, room, "{}")
			}
		},
	},
	{
		ID: "HE-15", Title: "an event may ask for counts", Level: Should, Source: srcHTTPEvents + ": info",
		Requirement: "With info, the answer has an object channels with an object for each channel: its user_count if it is a presence channel, its subscription_count; what does not apply is left out.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			room, public := t.Name("presence-"), t.Name("room-")
			a, b := t.Connect(), t.Connect()
			a.SubscribePresence(room, "u1")
			b.SubscribePresence(room, "u1")
			v := t.Object(t.Publish(Publishing{Name: "e", Channels: []string{room, public}, Data: "{}", Info: "user_count,subscription_count"}))
			t.Field(v, "channels", room, "user_count").is(1)
			t.Field(v, "channels", room, "subscription_count").is(2)
			t.Field(v, "channels", public, "user_count").missing()
			v = t.Object(t.Publish(Publishing{Name: "e", Channels: []string{public}, Data: "{}", Info: "user_count"}))
			t.Field(v, "channels", public).is(map[string]any{})
		},
	},
	{
		ID: "HE-16", Title: "an unknown attribute is refused", Level: Should, Reverb: May, Source: srcHTTPChannels + "; acceptance tests of pusher-http-dotnet",
		Requirement: "An event whose info asks for what there is not is answered with 400, and published to nobody.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			t.ExpectRefused(Request{Path: "/events", Body: t.JSON(Publishing{Name: "e", Channel: room, Data: "{}", Info: "nope"})}, t.bad()...)
			c.expectOnlyFence(room, "an event that was refused is published to nobody")
		},
	},
	{
		ID: "HE-17", Title: "an event may be in the query", Level: May, Source: srcHTTPEvents + ": parameters may be in the query",
		Requirement: "name, channels[], data and the others may be parameters of the query.",
		Run: func(t *T) {
			one, two := t.Name("room-"), t.Name("room-")
			a, b := t.Connect(), t.Connect()
			a.Subscribe(one)
			b.Subscribe(two)
			t.OK(t.Do(Request{Method: http.MethodPost, Path: "/events", Query: []client.Param{
				{Name: "name", Value: "e"}, {Name: "channels[]", Value: one}, {Name: "channels[]", Value: two}, {Name: "data", Value: "a b&c"},
			}}))
			a.ExpectData("e", one, "a b&c")
			b.ExpectData("e", two, "a b&c")
		},
	},
	{
		ID: "HE-18", Title: "the old way to publish", Level: May, Reverb: NA, Source: "Pusher docs, HTTP API reference: deprecated methods",
		Requirement: "POST /channels/{channel}/events?name=… with the data as the body is answered with 202.",
		Run: func(t *T) {
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			t.ExpectStatus(Request{Path: "/channels/" + room + "/events", Body: "old data", Query: []client.Param{{Name: "name", Value: "e"}}}, http.StatusAccepted)
			c.ExpectData("e", room, "old data")
		},
	},
	{
		ID: "HE-19", Title: "nobody need listen", Level: Must, Source: srcHTTPEvents,
		Requirement: "An event to a channel that nobody is subscribed to is answered with 200 and an empty object.",
		Run: func(t *T) {
			t.ExpectEmpty(t.Publish(Publishing{Name: "e", Channel: t.Name("room-"), Data: "{}"}))
		},
	},
	{
		ID: "HE-20", Title: "a batch is published in its order", Level: Must, Source: srcHTTPBatch, Needs: []Capability{CapBatch},
		Requirement: "POST /batch_events answers 200 and an empty object (Laravel Reverb has an empty batch in it), and the events come in the order of the batch.",
		Run: func(t *T) {
			room, other := t.Name("room-"), t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			c.Subscribe(other)
			res := t.batch(Publishing{Name: "e1", Channel: room, Data: "1"}, Publishing{Name: "e2", Channel: other, Data: "2"}, Publishing{Name: "e3", Channel: room, Data: "3"})
			if v := t.Object(res); len(v) != 0 && (t.Target.Dialect != Reverb || asJSON(v) != `{"batch":{}}`) {
				t.Mismatch("body", map[Dialect]string{Pusher: "{}", Reverb: `{} or {"batch":{}}`}[t.Target.Dialect], res.Body)
			}
			c.ExpectData("e1", room, "1")
			c.ExpectData("e2", other, "2")
			c.ExpectData("e3", room, "3")
		},
	},
	{
		ID: "HE-21", Title: "a batch may ask for counts", Level: Must, Source: srcHTTPBatch + ": info; pusher-http-go decodes an array", Needs: []Capability{CapBatch},
		Requirement: "If an event of a batch has info, the answer has an array batch with an object for each event, in their order; it is empty for an event without info.",
		Run: func(t *T) {
			room := t.Name("presence-")
			t.Connect().SubscribePresence(room, "u1")
			v := t.Object(t.batch(
				Publishing{Name: "e", Channel: t.Name("room-"), Data: "{}"},
				Publishing{Name: "e", Channel: room, Data: "{}", Info: "user_count"},
				Publishing{Name: "e", Channel: room, Data: "{}"},
			))
			if got, want := asJSON(v["batch"]), `[{},{"user_count":1},{}]`; got != want {
				t.Mismatch("batch of the answer", want, got)
			}
		},
	},
	{
		ID: "HE-22", Title: "a batch has 1 to 10 events", Level: Should, Reverb: May, Source: srcHTTPBatch, Needs: []Capability{CapBatch},
		Requirement: "A batch of 10 events is published; one of 11, or one that is no array, is answered with 400 and published to nobody.",
		Run: func(t *T) {
			most := limitOr(t, t.Target.Limits.Batch, "events of a batch")
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			events := make([]Publishing, most+1)
			for i := range events {
				events[i] = Publishing{Name: fmt.Sprint("e", i), Channel: room, Data: "{}"}
			}
			t.batch(events[:most]...)
			for i := range most {
				c.Expect(fmt.Sprint("e", i), room)
			}
			t.ExpectRefused(Request{Path: "/batch_events", Body: t.JSON(map[string]any{"batch": events})}, t.bad()...)
			for _, body := range []string{`{"batch":` + t.event(room) + `}`, `{"batch":"e"}`, `{"batch":null}`, `{}`} {
				res := t.ExpectRefused(Request{Path: "/batch_events", Body: body}, t.bad()...)
				if t.Target.Dialect == Pusher {
					t.ExpectText(res, "Expected request parameter batch to be an array")
				}
			}
			c.expectOnlyFence(room, "a batch that was refused is published to nobody")
		},
	},
	{
		ID: "HE-23", Title: "a batch is published whole or not at all", Level: Must, Source: srcHTTPBatch, Needs: []Capability{CapBatch},
		Requirement: "A batch with an event whose data is larger than 10 KiB is answered with 413, one with an event that is not valid with 400, and none of its events is published.",
		Run: func(t *T) {
			most := limitOr(t, t.Target.Limits.EventData, "the data of an event")
			room := t.Name("room-")
			c := t.Connect()
			c.Subscribe(room)
			good := Publishing{Name: "e", Channel: room, Data: "{}"}
			big := Publishing{Name: "e", Channel: room, Data: strings.Repeat("x", most+1)}
			t.ExpectRefused(Request{Path: "/batch_events", Body: t.JSON(map[string]any{"batch": []any{good, big}})}, http.StatusRequestEntityTooLarge)
			for _, bad := range []any{map[string]any{"name": "e"}, "e", nil, 5} {
				t.ExpectRefused(Request{Path: "/batch_events", Body: t.JSON(map[string]any{"batch": []any{good, bad}})}, t.bad()...)
			}
			c.expectOnlyFence(room, "none of the events of a batch that was refused is published")
		},
	},
	{
		ID: "HE-24", Title: "each event of a batch leaves out its own connection", Level: Must, Source: srcHTTPBatch + ": socket_id", Needs: []Capability{CapBatch},
		Requirement: "The socket_id of an event of a batch holds for that event.",
		Run: func(t *T) {
			room := t.Name("room-")
			a, b := t.Connect(), t.Connect()
			a.Subscribe(room)
			b.Subscribe(room)
			t.batch(
				Publishing{Name: "not-a", Channel: room, Data: "{}", SocketID: a.SocketID},
				Publishing{Name: "not-b", Channel: room, Data: "{}", SocketID: b.SocketID},
				Publishing{Name: "all", Channel: room, Data: "{}"},
			)
			a.expectEvents(room, "not-b", "all")
			b.expectEvents(room, "not-a", "all")
		},
	},
	{
		ID: "HE-25", Title: "a disabled app cannot publish", Level: Should, Reverb: NA, Source: srcHTTPErrors, Needs: []Capability{CapDisabledApp},
		Requirement: "A signed request of an app that is switched off is answered with 403; one that is not signed with 401.",
		Run: func(t *T) {
			off := t.Fixture(Disabled)
			body := t.event(t.Name("room-"))
			t.ExpectRefused(Request{App: off, Path: "/events", Body: body}, http.StatusForbidden)
			t.ExpectRefused(Request{App: off, Path: "/batch_events", Body: `{"batch":[` + body + `]}`}, http.StatusForbidden)
			off.Secret += "x"
			t.ExpectRefused(Request{App: off, Path: "/events", Body: body}, http.StatusUnauthorized)
		},
	},
	{
		ID: "HE-26", Title: "a connection serves many requests", Level: Should, Source: srcHTTPErrors + ": HTTP keep-alive",
		Requirement: "A hundred requests, one after another, go over one TCP connection.",
		Run:         keepAlive,
	},
}

func dataSize(t *T) {
	most := limitOr(t, t.Target.Limits.EventData, "the data of an event")
	room := t.Name("room-")
	c := t.Connect()
	c.Subscribe(room)
	umlauts := strings.Repeat("é", most/2) + strings.Repeat("x", most%2)
	for _, data := range []string{strings.Repeat("x", most), umlauts, strings.Repeat(`"`, most)} {
		t.Publish(Publishing{Name: "e", Channel: room, Data: data})
		m := c.Expect("e", room)
		if got, ok := m.DataString(); !ok || got != data {
			t.Mismatch("data of the event", fmt.Sprintf("a string of %d bytes, as it was sent", len(data)), fmt.Sprintf("%d bytes", len(got)))
		}
	}
	for _, data := range []string{strings.Repeat("x", most+1), umlauts + "x"} {
		t.ExpectRefused(Request{Path: "/events", Body: t.JSON(Publishing{Name: "e", Channel: room, Data: data})}, http.StatusRequestEntityTooLarge)
	}
	c.expectOnlyFence(room, "an event that is too large is published to nobody")
}

// keepAlive counts the connections that a hundred requests need.
func keepAlive(t *T) {
	var dialed atomic.Int32
	transport := &http.Transport{MaxConnsPerHost: 1, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Defer(transport.CloseIdleConnections)
	c := &http.Client{Transport: transport, Timeout: t.Target.Timeout}
	body := t.event(t.Name("room-"))
	for range 50 {
		t.OK(t.Do(Request{Path: "/events", Body: body, Client: c}))
		t.OK(t.Do(Request{Path: "/channels", Query: []client.Param{{Name: "filter_by_prefix", Value: "none"}}, Client: c}))
	}
	if n := dialed.Load(); n != 1 {
		t.Mismatch("TCP connections of 100 requests", "1", fmt.Sprint(n))
	}
}

// batch publishes a batch, which must be answered with 200.
func (t *T) batch(events ...Publishing) Response {
	return t.OK(t.Do(Request{Path: "/batch_events", Body: t.JSON(map[string]any{"batch": events})}))
}

// limitOr is a limit of the target; the case is skipped if there is none.
func limitOr(t *T, limit int, of string) int {
	if limit == 0 {
		t.Skipf("the target has no limit for %s, as far as is known", of)
	}
	return limit
}
