package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

const srcCluster = "Pusher docs, Channels: an app is one, whichever server its clients are connected to"

var needsNodes = []Capability{CapMultiNode}

// clusterCases are what holds for clients of one app on different nodes.
var clusterCases = []Case{
	{
		ID: "CLU-01", Title: "an event reaches the clients of all nodes", Level: Must, Source: srcCluster,
		Requirement: "What is published at any node, or sent by a client of any, reaches the subscribers on all nodes once and in one order, but not the connection that is left out.",
		Needs:       append([]Capability{CapClientEvents}, needsNodes...),
		Run: func(t *T) {
			room := t.Name("private-")
			conns := t.onEachNode()
			for _, c := range conns {
				c.Subscribe(room)
			}
			for node := range conns {
				name := fmt.Sprintf("from-%d", node)
				t.publishAt(node, Publishing{Name: name, Channel: room, Data: "x"})
				for _, c := range conns {
					c.ExpectData(name, room, "x")
				}
			}
			t.publishAt(0, Publishing{Name: "others", Channel: room, Data: "x", SocketID: conns[len(conns)-1].SocketID})
			for _, c := range conns[:len(conns)-1] {
				c.ExpectData("others", room, "x")
			}
			t.ExpectNothingOn(conns[len(conns)-1], room, "who is left out gets nothing, on whichever node")
			conns[0].SendEvent("client-hello", room, `{"n":1}`)
			for _, c := range conns[1:] {
				c.Expect("client-hello", room)
			}
			t.ExpectNothingOn(conns[0], room, "a client event does not come back")
		},
	},
	{
		ID: "CLU-02", Title: "a user on two nodes is one member", Level: Must, Source: docPresence + ": a user is added once, and removed with the last connection",
		Requirement: "Members of all nodes are in the list of a new one; a user who comes on a second node, or leaves one of two, makes no event; user_count counts users.",
		Needs:       append([]Capability{CapPresence}, needsNodes...),
		Run: func(t *T) {
			room := t.Name("presence-")
			conns := t.onEachNode()
			first, last := conns[0], conns[len(conns)-1]
			t.ExpectMembers(first.SubscribePresence(room, "witness"), "witness")
			t.ExpectMembers(last.SubscribePresence(room, "other"), "witness", "other")
			first.ExpectMember("member_added", room, "other")
			amy := t.onEachNode()
			for i, c := range amy {
				t.ExpectMembers(c.SubscribePresence(room, "amy"), "witness", "other", "amy")
				if i == 0 {
					first.ExpectMember("member_added", room, "amy")
					last.ExpectMember("member_added", room, "amy")
				}
				t.ExpectNothingOn(first, room, "a user is added once in the cluster")
			}
			for node := range conns {
				t.Field(t.getAt(node, "/channels/"+room, "info", "user_count"), "user_count").is(3)
			}
			for i, c := range amy {
				c.Unsubscribe(room)
				if i < len(amy)-1 {
					t.ExpectNothingOn(last, room, "a user who is still on another node has not left")
				}
			}
			for _, c := range []*Conn{first, last} {
				c.ExpectMember("member_removed", room, "amy")
			}
			t.ExpectNothingOn(first, room, "a user leaves once")
			for node := range conns {
				t.Field(t.getAt(node, "/channels/"+room, "info", "user_count"), "user_count").is(2)
			}
		},
	},
	{
		ID: "CLU-03", Title: "a channel is occupied once in a cluster", Level: Must, Reverb: May, Source: srcWebhooks + ": channel_occupied, channel_vacated, member_added, member_removed",
		Requirement: "The first subscriber on any node makes one channel_occupied, the last to leave makes one channel_vacated; so do the connections of a user with member_added and member_removed.",
		Needs:       append([]Capability{CapPresence, CapWebhooks}, needsNodes...),
		Run: func(t *T) {
			room := t.Name("presence-")
			conns := t.onEachNode()
			t.Concurrently(len(conns), func(i int) { conns[i].SubscribePresence(room, "amy") })
			t.AwaitWebhook("channel_occupied", room, 1)
			t.AwaitWebhook("member_added", room, 1)
			for _, c := range conns[1:] {
				c.Drop()
			}
			conns[0].ExpectNothing("who is on another node, too, has not left")
			conns[0].Drop()
			t.AwaitWebhook("member_removed", room, 1)
			t.AwaitWebhook("channel_vacated", room, 1)
			// What is told of another room comes after what is told of this one.
			next, c := t.Name("room-"), t.Connect()
			c.Subscribe(next)
			t.AwaitWebhook("channel_occupied", next, 1) // nobody need hear of who is gone at once
			c.Drop()
			t.AwaitWebhook("channel_vacated", next, 1)
			for _, name := range []string{"channel_occupied", "channel_vacated", "member_added", "member_removed"} {
				t.expectCount(name, room, 1)
			}
		},
	},
	{
		ID: "CLU-04", Title: "a node that dies takes its members with it", Level: Must, Serial: true, Timing: true, Heavy: true,
		Source:      docPresence + ": member_removed when the last connection of a user is gone",
		Requirement: "When a node is killed, the members on other nodes are told once of each of its members, a user who is elsewhere as well stays, and its channels are vacated; no count keeps what was there.",
		Needs:       append([]Capability{CapPresence}, needsControl...),
		Run: func(t *T) {
			t.patient()
			room, own := t.Name("presence-"), t.Name("room-")
			dying := t.lastNode()
			there := Dialing{Node: dying}
			witness, twin := t.Connect(), t.Connect()
			witness.SubscribePresence(room, "witness")
			twin.SubscribePresence(room, "both")
			witness.ExpectMember("member_added", room, "both")
			t.ConnectTo(there).SubscribePresence(room, "both")
			lost := t.users(20)
			for _, user := range lost {
				t.ConnectTo(there).SubscribePresence(room, user)
				witness.ExpectMember("member_added", room, user)
			}
			t.ConnectTo(there).Subscribe(own)
			t.await(own, true)
			t.Defer(func() { t.control("start", dying) })
			t.control("kill", dying)
			var gone []string
			for range lost {
				m := witness.Expect("pusher_internal:member_removed", room)
				gone = append(gone, t.UserOf(m))
			}
			slices.Sort(gone)
			if want := slices.Sorted(slices.Values(lost)); !slices.Equal(gone, want) {
				t.Mismatch("who has left with the node", fmt.Sprintf("%q, each once", want), fmt.Sprintf("%q", gone))
			}
			t.await(own, false)
			t.ExpectNothingOn(witness, room, "each member of a node that is killed leaves once")
			if got, want := t.userIDs(room), []string{"both", "witness"}; !slices.Equal(got, want) {
				t.Mismatch("users after a node was killed", fmt.Sprintf("%q", want), fmt.Sprintf("%q", got))
			}
			t.Field(t.getAt(0, "/channels/"+room, "info", "user_count,subscription_count"), "user_count").is(2)
			if t.Target.Webhooks != nil && t.Target.Has(CapWebhooks) {
				t.AwaitWebhook("channel_vacated", own, 1)
				t.AwaitWebhook("member_removed", room, len(lost))
				t.expectCount("member_removed", room, len(lost))
				t.expectCount("channel_vacated", own, 1)
			}
		},
	},
	{
		ID: "CLU-05", Title: "a user is sent to, and thrown out, on all nodes", Level: Should, Source: docUsers + "; " + docTerminate,
		Requirement: "What is sent to a user at any node reaches its connections on all nodes, and terminating its connections at any node closes them all.",
		Needs:       append([]Capability{CapSignin, CapTerminate}, needsNodes...),
		Run: func(t *T) {
			user := t.Name("u-")
			conns, other := t.onEachNode(), t.Connect()
			for _, c := range conns {
				c.SignIn(`{"id":"` + user + `"}`)
				c.Subscribe(userChannel(user))
			}
			other.SignIn(`{"id":"` + user + `x"}`)
			for node := range conns {
				t.publishAt(node, Publishing{Name: "mail", Channel: userChannel(user), Data: "x"})
				for _, c := range conns {
					c.ExpectData("mail", userChannel(user), "x")
				}
			}
			t.OK(t.Do(Request{Node: len(conns) - 1, Method: http.MethodPost, Path: "/users/" + user + "/terminate_connections", Body: "{}"}))
			for _, c := range conns {
				c.ExpectClose()
			}
			other.ExpectNothing("another user stays")
		},
	},
	{
		ID: "CLU-06", Title: "every node answers for all", Level: Must, Source: docREST + ", Channels; an app has one HTTP API",
		Requirement: "GET /channels, /channels/{name} and /channels/{name}/users answer for all nodes, whichever is asked: channels are the union, users are counted once, subscriptions are added up.",
		Needs:       append([]Capability{CapPresence}, needsNodes...),
		Run: func(t *T) {
			conns, prefix := t.onEachNode(), t.Name("presence-")
			shared := prefix + "shared"
			want := map[string]int{shared: len(conns) + 1}
			users := []string{"both"}
			t.Connect().SubscribePresence(shared, "both")
			for i, c := range conns {
				own := fmt.Sprintf("%sown-%d", prefix, i)
				c.SubscribePresence(own, "one")
				want[own] = 1
				user := "both"
				if i < len(conns)-1 {
					user = fmt.Sprintf("u%d", i)
					users = append(users, user)
				}
				c.SubscribePresence(shared, user)
			}
			want[shared] = len(users)
			slices.Sort(users)
			for node := range conns {
				path := "/channels/" + shared
				t.awaitAt(node, path, "subscription_count", float64(len(conns)+1))
				t.Field(t.getAt(node, path, "info", "user_count"), "user_count").is(len(users))
				v := t.Object(t.OK(t.Do(Request{Node: node, Path: "/channels", Query: []client.Param{
					{Name: "filter_by_prefix", Value: prefix}, {Name: "info", Value: "user_count"},
				}})))
				list, _ := v["channels"].(map[string]any)
				if len(list) != len(want) {
					t.Mismatch("channels of all nodes", asJSON(want), asJSON(v))
				}
				for name, n := range want {
					t.Field(v, "channels", name, "user_count").is(n)
				}
				if got := asJSON(t.getAt(node, path+"/users", "", "")); !sameUsers(got, users) {
					t.Mismatch("users of all nodes", fmt.Sprintf("%q", users), got)
				}
			}
		},
	},
	{
		ID: "CLU-07", Title: "a cache channel is the same on all nodes", Level: Should, Source: docCache,
		Requirement: "An event that was published to a cache channel at one node is replayed once to who then subscribes at another, and one that comes later replaces it on all.",
		Needs:       append([]Capability{CapCache}, needsNodes...),
		Run: func(t *T) {
			room := t.Name("cache-")
			for round := range t.Target.URLs {
				data := fmt.Sprint(round)
				t.publishAt(round, Publishing{Name: "rate", Channel: room, Data: data})
				for _, c := range t.onEachNode() {
					c.Subscribe(room)
					c.ExpectData("rate", room, data)
					c.ExpectNothing("an event is replayed once")
					c.Drop()
				}
			}
		},
	},
	{
		ID: "CLU-08", Title: "friends are seen on other nodes", Level: Should, Source: docWatchlist,
		Requirement: "Who watches a user is told when it signs in at another node first, and when its last connection on any node is gone; not in between.",
		Needs:       append([]Capability{CapSignin, CapWatchlist}, needsNodes...),
		Run: func(t *T) {
			users, watcher, friends := t.users(2), t.Connect(), t.onEachNode()
			slices.Reverse(friends) // the first is not where the watcher is
			watcher.SignIn(t.watcher(users[0], users[1]))
			watcher.expectWatch(map[string][]string{"offline": {users[1]}})
			for i, c := range friends {
				c.SignIn(t.watcher(users[1]))
				if i == 0 {
					watcher.expectWatch(map[string][]string{"online": {users[1]}})
				}
			}
			for _, c := range friends {
				c.Close()
			}
			watcher.expectWatch(map[string][]string{"offline": {users[1]}})
			watcher.ExpectNothing("a friend leaves once")
			last := t.ConnectTo(Dialing{Node: len(friends) - 1})
			last.SignIn(t.watcher(users[1], users[0]))
			last.expectWatch(map[string][]string{"online": {users[0]}})
			watcher.expectWatch(map[string][]string{"online": {users[1]}})
		},
	},
}

// onEachNode connects to each node, in their order.
func (t *T) onEachNode() []*Conn {
	conns := make([]*Conn, len(t.Target.URLs))
	for node := range conns {
		conns[node] = t.ConnectTo(Dialing{Node: node})
	}
	return conns
}

// publishAt is Publish by the HTTP API of a node.
func (t *T) publishAt(node int, p Publishing) {
	t.OK(t.Do(Request{Node: node, Path: "/events", Body: t.JSON(p)}))
}

// getAt is Get by the HTTP API of a node, with one parameter, or none.
func (t *T) getAt(node int, path, name, value string) map[string]any {
	r := Request{Node: node, Path: path}
	if name != "" {
		r.Query = []client.Param{{Name: name, Value: value}}
	}
	return t.Object(t.OK(t.Do(r)))
}

// awaitAt waits until a node says that a count is n. How many subscriptions
// there are, a node may tell the others when it has told its client.
func (t *T) awaitAt(node int, path, count string, n float64) {
	t.Eventually(count+" of all nodes", func() bool {
		got, ok := t.getAt(node, path, "info", count)[count]
		return !ok || got == n // it need not say
	})
}

// await waits until a channel is occupied, or is not.
func (t *T) await(channel string, occupied bool) {
	t.Eventually(fmt.Sprintf("occupied is %t of %s", occupied, channel), func() bool { return t.Occupied(t.App(), channel) == occupied })
}

// patient gives what follows the time that a cluster may take to find out that
// a node is dead.
func (t *T) patient() {
	slow := *t.Target
	slow.Timeout += 15 * time.Second
	t.Target = &slow
}

func sameUsers(answer string, users []string) bool {
	for _, user := range users {
		if strings.Count(answer, `"`+user+`"`) != 1 {
			return false
		}
	}
	return strings.Count(answer, `"id"`) == len(users)
}
