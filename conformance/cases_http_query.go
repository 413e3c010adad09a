package conformance

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// httpQueryCases are questions to the HTTP API.
var httpQueryCases = []Case{
	{
		ID: "HQ-01", Title: "no channels are an empty object", Level: Must, Source: srcHTTPChannels + "; pusher-http-php throws a TypeError on an array",
		Requirement: "GET /channels has an object channels, even if there is no channel.",
		Run: func(t *T) {
			t.Field(t.Get("/channels", param("filter_by_prefix", t.Name("none-"))), "channels").is(map[string]any{})
		},
	},
	{
		ID: "HQ-02", Title: "the occupied channels are listed", Level: Must, Source: srcHTTPChannels,
		Requirement: "GET /channels lists those channels that have subscribers, each with an empty object.",
		Run: func(t *T) {
			stem := t.Name("room-")
			a, b := stem+"-a", stem+"-b"
			c := t.Connect()
			c.Subscribe(a)
			c.Subscribe(b)
			t.Field(t.Get("/channels"), "channels", a).is(map[string]any{})
			c.Unsubscribe(b)
			t.Publish(Publishing{Name: "e", Channel: stem + "-c", Data: "{}"})
			t.Field(t.Get("/channels", param("filter_by_prefix", stem)), "channels").is(map[string]any{a: map[string]any{}})
		},
	},
	{
		ID: "HQ-03", Title: "channels are listed by prefix, with their users", Level: Must, Source: srcHTTPChannels, Needs: []Capability{CapPresence},
		Requirement: "filter_by_prefix lists only the channels that begin with it; info=user_count adds how many different users are in each.",
		Run: func(t *T) {
			room := t.Name("presence-")
			a, b, c := t.Connect(), t.Connect(), t.Connect()
			a.SubscribePresence(room, "u1")
			b.SubscribePresence(room, "u1")
			c.SubscribePresence(room, "u2")
			c.Subscribe(t.Name("room-"))
			v := t.Get("/channels", param("filter_by_prefix", "presence-"), param("info", "user_count"))
			t.Field(v, "channels", room, "user_count").is(2)
			for name := range v["channels"].(map[string]any) {
				if !strings.HasPrefix(name, "presence-") {
					t.Mismatch("channels with the prefix presence-", "none that begins otherwise", name)
				}
			}
		},
	},
	{
		ID: "HQ-04", Title: "user_count is for presence channels", Level: Should, Reverb: NA, Source: srcHTTPChannels,
		Requirement: "GET /channels?info=user_count without a filter_by_prefix that begins with presence- is answered with 400.",
		Run: func(t *T) {
			t.ExpectRefused(Request{Path: "/channels", Query: []client.Param{param("info", "user_count")}}, http.StatusBadRequest)
			t.ExpectRefused(Request{Path: "/channels", Query: []client.Param{param("info", "user_count"), param("filter_by_prefix", "room")}}, http.StatusBadRequest)
		},
	},
	{
		ID: "HQ-05", Title: "an unknown attribute is refused", Level: Should, Reverb: NA, Source: "pusher-http-dotnet, acceptance tests against the hosted service",
		Requirement: "GET /channels?info=nope is answered with 400, and the words info should be a comma separated list of attributes.",
		Run: func(t *T) {
			for _, path := range []string{"/channels", "/channels/" + t.Name("room-")} {
				res := t.ExpectRefused(Request{Path: path, Query: []client.Param{param("info", "nope")}}, http.StatusBadRequest)
				t.ExpectText(res, "info should be a comma separated list of attributes")
			}
		},
	},
	{
		ID: "HQ-06", Title: "a channel may be empty", Level: Must, Source: srcHTTPChannel + "; pusher-http-node, tests/integration/rest.js",
		Requirement: "GET /channels/{channel} of a channel that nobody is in is answered with 200 and occupied false.",
		Run: func(t *T) {
			room := t.Name("room-")
			t.Field(t.Get("/channels/"+room), "occupied").is(false)
			c := t.Connect()
			c.Subscribe(room)
			c.Unsubscribe(room)
			t.Field(t.Get("/channels/"+room), "occupied").is(false)
		},
	},
	{
		ID: "HQ-07", Title: "a channel tells who is in it", Level: Must, Source: srcHTTPChannel + "; pusher-http-go decodes a bool and ints", Needs: []Capability{CapPresence},
		Requirement: "occupied is true; user_count is how many different users, subscription_count how many connections are in the channel.",
		Run: func(t *T) {
			room := t.Name("presence-")
			a, b, c := t.Connect(), t.Connect(), t.Connect()
			a.SubscribePresence(room, "u1")
			b.SubscribePresence(room, "u1")
			c.SubscribePresence(room, "u2")
			v := t.Get("/channels/"+room, param("info", "user_count,subscription_count"))
			t.Field(v, "occupied").is(true)
			t.Field(v, "user_count").is(2)
			t.Field(v, "subscription_count").is(3)
			v = t.Get("/channels/" + room)
			t.Field(v, "user_count").missing()
			t.Field(v, "subscription_count").missing()
			public := t.Name("room-")
			t.Connect().Subscribe(public)
			t.Connect().Subscribe(public)
			t.Field(t.Get("/channels/"+public, param("info", "subscription_count")), "subscription_count").is(2)
		},
	},
	{
		ID: "HQ-08", Title: "a public channel has no users to count", Level: Should, Source: srcHTTPChannel,
		Requirement: "user_count of a channel that is no presence channel is answered with 400; in the dialect of Reverb it is left out.",
		Run: func(t *T) {
			room := t.Name("room-")
			t.Connect().Subscribe(room)
			if t.Target.Dialect == Reverb {
				v := t.Get("/channels/"+room, param("info", "user_count"))
				t.Field(v, "user_count").missing()
				t.Field(v, "occupied").is(true)
				return
			}
			t.ExpectRefused(Request{Path: "/channels/" + room, Query: []client.Param{param("info", "user_count")}}, http.StatusBadRequest)
		},
	},
	{
		ID: "HQ-09", Title: "the users of a presence channel are listed", Level: Must, Source: srcHTTPUsers, Needs: []Capability{CapPresence},
		Requirement: "GET /channels/{channel}/users lists each user once, with an id that is a string, even one that was signed as a number.",
		Run: func(t *T) {
			room := t.Name("presence-")
			a, b, c := t.Connect(), t.Connect(), t.Connect()
			a.SubscribePresence(room, "u1")
			b.SubscribePresence(room, "u1")
			c.SubscribePresence(room, "u-2")
			if t.Target.Dialect == Pusher {
				c = t.Connect()
				c.SubscribePresenceData(room, `{"user_id":9007199254740993}`)
			}
			want := []string{"u-2", "u1"}
			if t.Target.Dialect == Pusher {
				want = []string{"9007199254740993", "u-2", "u1"}
			}
			if got := t.userIDs(room); !slices.Equal(got, want) {
				t.Mismatch("users of the channel", fmt.Sprint(want), fmt.Sprint(got))
			}
		},
	},
	{
		ID: "HQ-10", Title: "a presence channel may be empty", Level: Must, Reverb: Should, Source: "pusher-http-dotnet, acceptance tests against the hosted service",
		Requirement: "The users of a presence channel that nobody is in are answered with 200 and an empty array.",
		Run: func(t *T) {
			room := t.Name("presence-")
			if got := t.userIDs(room); len(got) != 0 {
				t.Mismatch("users of the channel", "[]", fmt.Sprint(got))
			}
		},
	},
	{
		ID: "HQ-11", Title: "other channels have no users", Level: Must, Source: srcHTTPUsers,
		Requirement: "The users of a channel that is no presence channel are answered with 400, whether anyone is in it or not.",
		Run: func(t *T) {
			public, private := t.Name("room-"), t.Name("private-")
			t.Connect().Subscribe(public)
			for _, room := range []string{public, private} {
				t.ExpectRefused(Request{Path: "/channels/" + room + "/users"}, http.StatusBadRequest)
			}
		},
	},
	{
		ID: "HQ-12", Title: "users take no parameters", Level: May, Reverb: NA, Source: srcHTTPUsers + ": no additional parameters allowed",
		Requirement: "GET /channels/{channel}/users with a parameter is answered with 400.",
		Run: func(t *T) {
			t.ExpectRefused(Request{Path: "/channels/" + t.Name("presence-") + "/users", Query: []client.Param{param("foo", "1")}}, http.StatusBadRequest)
		},
	},
	{
		ID: "HQ-13", Title: "a channel in a path may have odd characters", Level: Must, Source: "Pusher docs, Channels: Channel naming conventions; libraries put the name into the path as it is, or encoded",
		Requirement: "GET /channels/{channel} finds a channel whose name has =@,.; whether the path is encoded or not, signed as it is sent or decoded.",
		Run: func(t *T) {
			room := t.Name("foo-bar_1234@=,.;")
			t.Connect().Subscribe(room)
			t.Field(t.Get("/channels/"+room), "occupied").is(true)
			encoded := "/channels/" + strings.NewReplacer("@", "%40", "=", "%3D", ",", "%2C", ";", "%3B").Replace(room)
			t.Field(t.Get(encoded), "occupied").is(true)
			t.Field(t.Object(t.OK(t.Do(Request{Path: encoded, Sign: func(s Signing) string {
				plain, err := url.PathUnescape(s.Path)
				if err != nil {
					t.Errorf("decode path: %v", err)
				}
				s.Path = plain
				return signedAt(0)(s)
			}}))), "occupied").is(true)
		},
	},
	{
		ID: "HQ-14", Title: "what is no endpoint is not found", Level: Should, Source: srcHTTPErrors,
		Requirement: "An unknown path is answered with 404, another method than that of an endpoint with 405 or 404, and neither does anything.",
		Run: func(t *T) {
			for _, path := range []string{"/nope", "/channels/a/b/c", "/"} {
				t.ExpectStatus(Request{Path: path}, http.StatusNotFound)
			}
			t.ExpectStatus(Request{Path: "/" + t.Name("nope-"), Root: true}, http.StatusNotFound)
			for _, r := range []Request{
				{Method: http.MethodGet, Path: "/events"},
				{Method: http.MethodDelete, Path: "/channels"},
				{Method: http.MethodPut, Path: "/events", Body: t.event("a")},
				{Method: http.MethodPost, Path: "/channels", Body: "{}"},
			} {
				t.ExpectStatus(r, http.StatusNotFound, http.StatusMethodNotAllowed)
			}
			t.Get("/channels")
		},
	},
}

func param(name, value string) client.Param { return client.Param{Name: name, Value: value} }
