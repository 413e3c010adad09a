package conformance

import (
	"net/url"
	"slices"
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// userCases are signing in, and what it is good for.
var userCases = slices.Concat([]Case{
	{
		ID: "USER-01", Title: "a client signs in", Level: Must,
		Source:      docProtocol + ", pusher:signin; pusher-js core/user.ts",
		Requirement: "A pusher:signin that is signed is answered with pusher:signin_success, whose user_data is the string that was sent.",
		Needs:       []Capability{CapSignin},
		Run: func(t *T) {
			c := t.Connect()
			c.SignIn(`{"id":"` + t.Name("u-") + `","user_info":{"name":"Amy"}}`)
			c.ExpectNothing("a sign-in has one answer")
		},
	},
	{
		ID: "USER-02", Title: "a sign-in is signed by the backend, for this connection", Level: Must,
		Source:      docAuth + ", User authentication",
		Requirement: "A pusher:signin without auth, with a wrong signature, the key of another app or a signature for another connection gets pusher:error, and the user's channel stays closed.",
		Needs:       []Capability{CapSignin},
		Run: func(t *T) {
			c, other, user := t.Connect(), t.Connect(), t.Name("u-")
			data := `{"id":"` + user + `"}`
			for _, auth := range []string{
				"", "abc", t.App().Key + ":00", other.UserAuth(data),
				client.UserAuth("x"+t.App().Key, t.App().Secret, c.SocketID, data),
				client.UserAuth(t.App().Key, t.App().Secret+"x", c.SocketID, data),
				c.Auth(data, ""), // which is the signature of a channel
			} {
				c.SendSignin(auth, data)
				c.ExpectError("")
				c.foreign(user)
			}
		},
	},
	{
		ID: "USER-03", Title: "a user has an id that is a string", Level: Must,
		Source:      docUsers + ": id is a non-empty string; pusher-js and .NET clients, which check it",
		Requirement: "A pusher:signin gets pusher:error, though it is signed, if its user_data is no object or has no id that is a string and not empty.",
		Needs:       []Capability{CapSignin},
		Run: func(t *T) {
			c := t.Connect()
			for _, data := range []string{`not json`, `[]`, `null`, `{}`, `{"id":""}`, `{"id":null}`, `{"id":10}`, `{"id":["a"]}`, `{"user_info":{}}`} {
				c.SendSignin(c.UserAuth(data), data)
				if m := c.NextText("pusher:error, the answer to the user_data " + data); m.Event != "pusher:error" {
					t.Mismatch("the answer to the user_data "+data, "pusher:error", m.String())
				}
			}
			c.SignIn(`{"id":"` + t.Name("u-") + `"}`)
		},
	},
	{
		ID: "USER-04", Title: "user_data is signed byte by byte", Level: Must,
		Source:      docAuth + ", User authentication: what is signed is socket_id::user::user_data",
		Requirement: "A pusher:signin succeeds, and returns user_data as it is, though it has spaces, escapes and keys in any order.",
		Needs:       []Capability{CapSignin},
		Run: func(t *T) {
			for _, format := range []string{
				`{ "user_info" : { "name" : "Am\u0079 \u00e9 é </a>" } , "id" : "ID" }`, `{"id":"ID","x":1e3,"y":[ ]}`, "{\n\t\"id\": \"ID\"\n}",
			} {
				t.Connect().SignIn(strings.ReplaceAll(format, "ID", t.Name("u-")))
			}
		},
	},
	{
		ID: "USER-05", Title: "who has signed in stays who he is", Level: Should,
		Source:      docProtocol + ", pusher:signin: a connection cannot change its user",
		Requirement: "A second pusher:signin as somebody else gets pusher:error, and the connection stays the first user; one as the same user succeeds.",
		Needs:       []Capability{CapSignin},
		Run: func(t *T) {
			c, first, second := t.Connect(), t.Name("u-"), t.Name("u-")
			c.SignIn(`{"id":"` + first + `"}`)
			data := `{"id":"` + second + `"}`
			c.SendSignin(c.UserAuth(data), data)
			c.ExpectError("")
			c.foreign(second)
			c.Subscribe(userChannel(first))
			c.SignIn(`{"id":"` + first + `"}`)
		},
	},
	{
		ID: "USER-06", Title: "a user has a channel", Level: Must,
		Source:      "pusher-js core/user.ts and Java client, which subscribe to it once they have signed in",
		Requirement: `Who has signed in may subscribe to #server-to-user-{id}, with empty auth or none, and gets subscription_succeeded with the string "{}".`,
		Needs:       []Capability{CapSignin},
		Run: func(t *T) {
			for _, auth := range []string{`"auth":"",`, ``} {
				c, user := t.Connect(), t.Name("u-")
				c.SignIn(`{"id":"` + user + `"}`)
				c.Sendf(`{"event":"pusher:subscribe","data":{`+auth+`"channel":%s}}`, userChannel(user))
				c.ExpectData("pusher_internal:subscription_succeeded", userChannel(user), "{}")
			}
		},
	},
	{
		ID: "USER-07", Title: "nobody may listen to another user", Level: Must,
		Source:      docUsers + ", Sending events to users: only the user gets them",
		Requirement: "Who has signed in as one user cannot subscribe to the channel of another, though that one is signed in.",
		Needs:       []Capability{CapSignin},
		Run: func(t *T) {
			eve, amy := t.Connect(), t.Connect()
			user := t.Name("u-")
			amy.SignIn(`{"id":"` + user + `"}`)
			eve.SignIn(`{"id":"` + t.Name("u-") + `"}`)
			eve.foreign(user)
			eve.foreign("")
			t.Publish(Publishing{Name: "secret", Channel: userChannel(user), Data: "x"})
			eve.ExpectNothing("what is sent to a user reaches nobody else")
		},
	},
	{
		ID: "USER-08", Title: "a backend sends to a user", Level: Must,
		Source:      docUsers + ", Sending events to users; all HTTP libraries, which publish to #server-to-user-{id}",
		Requirement: "What is published to #server-to-user-{id} reaches all connections of the user that have subscribed to it, with that channel, and nobody else; the answer is 200 and {}.",
		Needs:       []Capability{CapSignin},
		Run: func(t *T) {
			user := t.Name("u-")
			first, second, other := t.Connect(), t.Connect(), t.Connect()
			for _, c := range []*Conn{first, second} {
				c.SignIn(`{"id":"` + user + `"}`)
				c.Subscribe(userChannel(user))
			}
			other.SignIn(`{"id":"` + t.Name("u-") + `"}`)
			for _, p := range []Publishing{{Channel: userChannel(user)}, {Channels: []string{userChannel(user)}}} {
				p.Name, p.Data = "mail", "x"
				t.ExpectSameJSON("body of the answer", `{}`, t.Publish(p).Body)
				first.ExpectData("mail", userChannel(user), "x")
				second.ExpectData("mail", userChannel(user), "x")
			}
			other.ExpectNothing("what is sent to a user reaches nobody else")
		},
	},
	{
		ID: "USER-09", Title: "a backend may send to a user who is not there", Level: Should,
		Source:      docUsers + ", Sending events to users",
		Requirement: "What is published to #server-to-user-{id} of a user without connections is answered with 200 and {}.",
		Needs:       []Capability{CapSignin},
		Run: func(t *T) {
			p := Publishing{Name: "mail", Channel: userChannel(t.Name("u-")), Data: "x"}
			t.ExpectSameJSON("body of the answer", `{}`, t.Publish(p).Body)
		},
	},
}, terminateCases)

func userChannel(user string) string { return "#server-to-user-" + user }

// foreign expects that c cannot subscribe to the channel of a user.
func (c *Conn) foreign(user string) {
	c.Sendf(`{"event":"pusher:subscribe","data":{"auth":"","channel":%s}}`, userChannel(user))
	c.ExpectError("")
}

// terminateCases are how a backend throws a user out.
var terminateCases = []Case{
	{
		ID: "USER-10", Title: "a backend ends the connections of a user", Level: Should,
		Source:      docTerminate,
		Requirement: "POST /users/{id}/terminate_connections is answered with 200 and {}, and closes all connections that have signed in as the user; others stay, in the dialect of Pusher also one that is only a member of that name.",
		Needs:       []Capability{CapSignin, CapTerminate},
		Run: func(t *T) {
			user := t.Name("u-")
			first, second, other, member := t.Connect(), t.Connect(), t.Connect(), t.Connect()
			first.SignIn(`{"id":"` + user + `"}`)
			second.SignIn(`{"id":"` + user + `"}`)
			other.SignIn(`{"id":"` + user + `x"}`)
			if t.Target.Has(CapPresence) {
				member.SubscribePresence(t.Name("presence-"), user)
			}
			t.terminate(user)
			first.ExpectClose()
			second.ExpectClose()
			other.ExpectNothing("another user stays")
			if t.Target.Dialect == Pusher {
				member.ExpectNothing("who has not signed in stays")
			}
		},
	},
	{
		ID: "USER-11", Title: "a terminated connection is closed with a code that clients know", Level: Should,
		Source:      docTerminate + "; " + docProtocol + ", Error codes; pusher-js, which never comes back from 4300 and more",
		Requirement: "The close code of a connection that was terminated is one of 4000 to 4299.",
		Needs:       []Capability{CapSignin, CapTerminate},
		Run: func(t *T) {
			c, user := t.Connect(), t.Name("u-")
			c.SignIn(`{"id":"` + user + `"}`)
			t.terminate(user)
			m := c.ExpectClose()
			t.Note("terminated with %s", m)
			if m.Code < 4000 || m.Code > 4299 {
				t.Mismatch("close code of a terminated connection", "4000 to 4299", m.String())
			}
		},
	},
	{
		ID: "USER-12", Title: "users with punctuation in their ids are terminated", Level: Should,
		Source:      docTerminate + "; HTTP libraries, which write the id into the path as it is, or percent-encoded",
		Requirement: "A user whose id has @, ; or = is terminated, whether these characters are percent-encoded in the path or not.",
		Needs:       []Capability{CapSignin, CapTerminate},
		Run: func(t *T) {
			for _, mark := range []string{"@", ";", "=", ",", "."} {
				user := t.Name("u"+mark) + mark + "x"
				for _, written := range []string{user, url.QueryEscape(user)} {
					c := t.Connect()
					c.SignIn(`{"id":"` + user + `"}`)
					t.terminate(written)
					c.ExpectClose()
				}
			}
		},
	},
	{
		ID: "USER-13", Title: "users are terminated where the Python library asks for it", Level: May,
		Source:      "pusher-http-python, pusher_client.py, which leaves out /apps/{id}",
		Requirement: "POST /users/{id}/terminate_connections without /apps/{id} is answered with 200; the app is that of auth_key.",
		Needs:       []Capability{CapSignin, CapTerminate},
		Run: func(t *T) {
			c, user := t.Connect(), t.Name("u-")
			c.SignIn(`{"id":"` + user + `"}`)
			t.OK(t.Do(Request{Method: "POST", Root: true, Path: "/users/" + user + "/terminate_connections", Body: "{}"}))
			c.ExpectClose()
		},
	},
}

// terminate asks for the end of the connections of a user, whose ID is written
// into the path as it is.
func (t *T) terminate(user string) {
	res := t.OK(t.Do(Request{Method: "POST", Path: "/users/" + user + "/terminate_connections", Body: "{}"}))
	t.ExpectSameJSON("body of the answer", `{}`, res.Body)
}
