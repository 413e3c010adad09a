package conformance

import (
	"fmt"
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// connectionCases are what holds from the handshake to the close frame.
var connectionCases = append([]Case{
	{
		ID: "CON-01", Title: "a client is greeted with connection_established", Level: Must,
		Source:      docProtocol + ", Connection events; pusher-js core/connection/handshake",
		Requirement: "The first message after the upgrade is pusher:connection_established; its data is a string that holds a socket_id of two numbers and a dot, and an activity_timeout in whole seconds.",
		Run: func(t *T) {
			t.ExpectKeys(t.Dial(Dialing{}).Establish(), "data", "event")
		},
	},
	{
		ID: "CON-02", Title: "the protocol versions of native clients are taken", Level: Must,
		Source:      docProtocol + ", Supported versions; Java and .NET clients send 5, old ones 6",
		Requirement: "A client that says protocol=5 or protocol=6 is greeted as one that says 7.",
		Run: func(t *T) {
			t.greeted("protocol=5&client=java-client&version=2.4.4", "protocol=6&client=js&version=2.2.0")
		},
	},
	{
		ID: "CON-03", Title: "protocol version 4 is taken", Level: Should,
		Source:      docProtocol + ", Supported versions",
		Requirement: "A client that says protocol=4 is greeted.",
		Run:         func(t *T) { t.greeted("protocol=4&client=js&version=1.12.0") },
	},
	{
		ID: "CON-04", Title: "the query may have any order, and parameters that nobody knows", Level: Must,
		Source:      docProtocol + ", Opening a connection; what the JavaScript, Java, Swift and .NET clients send",
		Requirement: "The parameters of the handshake are taken in any order, and those that the server does not know are ignored.",
		Run: func(t *T) {
			t.greeted(
				"flash=false&version=8.6.0&client=js&protocol=7",
				"protocol=7&client=js&version=8.6.0&flash=false&x-unknown=1&empty=",
				"client=java-client&protocol=5&version=2.4.4",
				"client=pusher-websocket-swift&version=10.1.10&protocol=7",
				"protocol=5&client=pusher-dotnet-client&version=2.3.1",
			)
		},
	},
	{
		ID: "CON-05", Title: "a protocol version that is too old is refused", Level: Should, Reverb: May,
		Source:      docProtocol + ", Error codes, 4007",
		Requirement: "A client that says protocol=3 is told 4007, and the connection is closed with it.",
		Run:         func(t *T) { t.Dial(Dialing{Query: "protocol=3"}).ExpectRefusal(4007) },
	},
	{
		ID: "CON-06", Title: "a protocol version of the future is refused", Level: Should, Reverb: May,
		Source:      docProtocol + ", Error codes, 4007",
		Requirement: "A client that says protocol=99 is told 4007, and the connection is closed with it.",
		Run:         func(t *T) { t.Dial(Dialing{Query: "protocol=99"}).ExpectRefusal(4007) },
	},
	{
		ID: "CON-07", Title: "a protocol version that is no number is refused", Level: Should, Reverb: May,
		Source:      docProtocol + ", Error codes, 4006",
		Requirement: "A client that says protocol=abc is told 4006, and the connection is closed with it.",
		Run:         func(t *T) { t.Dial(Dialing{Query: "protocol=abc"}).ExpectRefusal(4006) },
	},
	{
		ID: "CON-08", Title: "a client that names no protocol version is refused where that is asked for", Level: Should, Reverb: May,
		Source:      docProtocol + ", Error codes, 4008",
		Requirement: "Where an app insists on a protocol version, a client that names none is told 4008, and the connection is closed with it; one that names one is greeted.",
		Needs:       []Capability{CapStrict},
		Run: func(t *T) {
			app := t.Fixture(Strict)
			t.Dial(Dialing{App: app, Query: "-"}).ExpectRefusal(4008)
			t.Dial(Dialing{App: app, Query: "client=js&version=8.6.0"}).ExpectRefusal(4008)
			t.ConnectTo(Dialing{App: app})
		},
	},
	{
		ID: "CON-09", Title: "an unknown app is refused over the WebSocket", Level: Must,
		Source:      docProtocol + ", Error codes, 4001; pusher-js, which does not see the status of a handshake",
		Requirement: "A client with the key of no app gets its upgrade, then pusher:error with 4001, then a close frame with 4001: pusher-js tells its app of nothing else, and tries forever.",
		Run:         func(t *T) { t.unknownApp(pusherJSQuery) },
	},
	{
		ID: "CON-10", Title: "an old client learns in a message why it is refused", Level: Must,
		Source:      docProtocol + ", Connection closure: for versions before 6 the error comes as a message first; Java client",
		Requirement: "A client with protocol=5 and the key of no app gets pusher:error, whose data is an object with code 4001, before the close frame.",
		Run:         func(t *T) { t.unknownApp("protocol=5&client=java-client&version=2.4.4") },
	},
	{
		ID: "CON-14", Title: "a path where there is no app is refused", Level: Should,
		Source:      docProtocol + ", Error codes, 4005",
		Requirement: "An upgrade of any other path than /app/{key} is answered with the status 404, or with 4005 over the WebSocket.",
		Run: func(t *T) {
			c, err := t.TryDial(Dialing{Path: "/nope/" + t.App().Key})
			if err == nil {
				c.ExpectRefusal(4005)
				return
			}
			if status := handshakeStatus(err); status != 404 {
				t.Mismatch("the answer to an upgrade of /nope/{key}", "404, or 101 and then 4005", err.Error())
			}
		},
	},
	{
		ID: "CON-18", Title: "no two connections have the same socket ID", Level: Must, Heavy: true,
		Source:      docProtocol + ", pusher:connection_established: socket_id is a unique identifier",
		Requirement: "500 connections that are open at the same time, on all nodes of a cluster, have 500 socket IDs.",
		Run: func(t *T) {
			seen := map[string]string{}
			for i := range 500 {
				c := t.ConnectTo(Dialing{Node: i % len(t.Target.URLs)})
				if other, ok := seen[c.SocketID]; ok {
					t.Mismatch("socket_id", "one that no other connection has", fmt.Sprintf("%s for both %s and %s", c.SocketID, other, c.Label))
				}
				seen[c.SocketID] = c.Label
			}
		},
	},
	{
		ID: "CON-24", Title: "the WebSocket is found behind a path prefix", Level: Should,
		Source:      "pusher-js, option wsPath; Swift client, option path",
		Requirement: "With a path prefix, clients connect to {prefix}/app/{key}, and the HTTP API signs paths without it.",
		Needs:       []Capability{CapPathPrefix},
		Run: func(t *T) {
			if strings.Trim(t.Target.URLs[0].Path, "/") == "" {
				t.Skipf("the URL of the target has no path prefix")
			}
			channel := t.Name("")
			c := t.Connect()
			c.Subscribe(channel)
			t.Publish(Publishing{Name: "e", Channel: channel, Data: "x"})
			c.ExpectData("e", channel, "x")
		},
	},
	{
		ID: "CON-25", Title: "every message has an event, and data of the right type", Level: Must,
		Source:      docProtocol + ", Double encoding; Swift, .NET and Java clients, which read nothing else",
		Requirement: "Every message of the server is an object with a string event and with data: a string, but an object in pusher:error. All cases check it; this one has the server send one of each.",
		Run:         oneOfEach,
	},
}, append(admissionCases, garbageCases...)...)

// greeted connects with each query, and expects to be greeted.
func (t *T) greeted(queries ...string) {
	for _, q := range queries {
		t.ConnectTo(Dialing{Query: q}).ExpectNothing("a connection that says " + q + " is greeted, and nothing else")
	}
}

func (t *T) unknownApp(query string) {
	c, err := t.TryDial(Dialing{App: Credentials{Key: t.Name("")}, Query: query})
	if err != nil {
		t.Mismatch("the answer to a handshake with an unknown key", "101, and then 4001 over the WebSocket (rule 10)", err.Error())
	}
	c.ExpectRefusal(4001)
}

// oneOfEach has the server send messages of every kind that it knows. What is
// wrong with one of them is found where it is read.
func oneOfEach(t *T) {
	a, b := t.Connect(), t.Connect()
	channel := t.Name("")
	a.Subscribe(channel)
	t.Publish(Publishing{Name: "e", Channel: channel, Data: "x"})
	t.ExpectKeys(a.ExpectData("e", channel, "x"), "channel", "data", "event")

	a.Send(`{"event":"pusher:ping","data":{}}`)
	a.Expect("pusher:pong", "")
	a.Sendf(`{"event":"pusher:subscribe","data":{"channel":%s}}`, t.Name("private-"))
	a.ExpectError("")

	if t.Target.Has(CapCache) {
		cached := t.Name("cache-")
		a.Subscribe(cached)
		a.ExpectData("pusher:cache_miss", cached, "{}")
	}
	if !t.Target.Has(CapPresence) {
		return
	}
	room := t.Name("presence-")
	a.SubscribePresence(room, "a")
	b.SubscribePresence(room, "b")
	a.ExpectMember("member_added", room, "b")
	if t.Target.Has(CapClientEvents) {
		b.SendEvent("client-e", room, `{"x":1}`)
		t.ExpectKeys(a.Expect("client-e", room), "channel", "data", "event", "user_id")
	}
	b.Unsubscribe(room)
	a.ExpectMember("member_removed", room, "b")
	_ = b.Raw.Write(client.CloseWith(1000, "")) // that it has closed is all the same
}
