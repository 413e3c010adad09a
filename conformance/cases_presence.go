package conformance

import (
	"fmt"
	"slices"
)

// presenceCases are who is there.
var presenceCases = slices.Concat([]Case{
	{
		ID: "PRES-01", Title: "a member is in its own list", Level: Must,
		Source:      docProtocol + ", Presence channel events; pusher-js core/channels/members.ts, which looks for itself there",
		Requirement: "The first member of a presence channel is told of ids with its user_id, of a hash with its user_info, and of the count 1, in a string.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			a, room := t.Connect(), t.Name("presence-")
			members := a.SubscribePresence(room, "a")
			t.ExpectMembers(members, "a")
			t.ExpectSameJSON("user_info of a member", `{"name":"a"}`, string(members.Hash["a"]))
		},
	},
	{
		ID: "PRES-02", Title: "the others are told of a new member", Level: Must,
		Source:      docProtocol + ", pusher_internal:member_added; Swift client, which reads a string",
		Requirement: "When a user joins, each other member gets member_added with its user_id and its user_info, in a string; the user itself does not.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			a, b, room := t.Connect(), t.Connect(), t.Name("presence-")
			a.SubscribePresence(room, "a")
			b.SubscribePresence(room, "b")
			m := a.ExpectMember("member_added", room, "b")
			text, _ := m.DataString()
			t.ExpectSameJSON("data of member_added", `{"user_id":"b","user_info":{"name":"b"}}`, text)
			t.ExpectKeys(m, "channel", "data", "event")
			t.ExpectNothingOn(b, room, "a member is not told of itself")
			t.ExpectNothingOn(a, room, "the others are told once")
		},
	},
	{
		ID: "PRES-03", Title: "who comes later learns of all members", Level: Must,
		Source:      docProtocol + ", Presence channel events",
		Requirement: "The second member is told of both, and of the count 2.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			a, b, room := t.Connect(), t.Connect(), t.Name("presence-")
			a.SubscribePresence(room, "a")
			members := b.SubscribePresence(room, "b")
			t.ExpectMembers(members, "a", "b")
			t.ExpectSameJSON("user_info of the first member", `{"name":"a"}`, string(members.Hash["a"]))
		},
	},
	{
		ID: "PRES-04", Title: "a user with two connections is one member", Level: Must,
		Source:      docPresence + ", Events: member_added is sent when the first connection of a user joins",
		Requirement: "The second connection of a user adds no member: the others get no member_added, and the count stays what it is.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			watcher, first, second, room := t.Connect(), t.Connect(), t.Connect(), t.Name("presence-")
			watcher.SubscribePresence(room, "watcher")
			first.SubscribePresence(room, "a")
			watcher.ExpectMember("member_added", room, "a")
			t.ExpectMembers(second.SubscribePresence(room, "a"), "a", "watcher")
			t.ExpectNothingOn(watcher, room, "the second connection of a user adds no member")
			t.ExpectNothingOn(first, room, "the second connection of a user adds no member")
		},
	},
	{
		ID: "PRES-05", Title: "a user stays while one of its connections does", Level: Must,
		Source:      docPresence + ", Events: member_removed is sent when the last connection of a user leaves",
		Requirement: "When one of the two connections of a user leaves, by unsubscribing or by closing, the others get no member_removed.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			watcher, room := t.Connect(), t.Name("presence-")
			watcher.SubscribePresence(room, "watcher")
			first, second, third := t.Connect(), t.Connect(), t.Connect()
			for _, c := range []*Conn{first, second, third} {
				c.SubscribePresence(room, "a")
			}
			watcher.ExpectMember("member_added", room, "a")
			second.Unsubscribe(room)
			first.Close()
			t.awaitSubscriptions(room, 2)
			t.ExpectNothingOn(watcher, room, "a user stays while one of its connections does")
			t.ExpectMembers(t.Connect().SubscribePresence(room, "late"), "a", "late", "watcher")
		},
	},
	{
		ID: "PRES-06", Title: "the others are told when a user has closed", Level: Must,
		Source:      docProtocol + ", pusher_internal:member_removed",
		Requirement: `When the last connection of a user closes, the others get member_removed, once, with data that is exactly {"user_id":…} in a string.`,
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			watcher, first, second, room := t.Connect(), t.Connect(), t.Connect(), t.Name("presence-")
			watcher.SubscribePresence(room, "watcher")
			first.SubscribePresence(room, "a")
			second.SubscribePresence(room, "a")
			watcher.ExpectMember("member_added", room, "a")
			first.Close()
			second.Close()
			t.expectRemoved(watcher, room, "a")
		},
	},
	{
		ID: "PRES-07", Title: "the others are told when a user has unsubscribed", Level: Must,
		Source:      docProtocol + ", pusher_internal:member_removed",
		Requirement: "When a user unsubscribes, the others get member_removed; the user itself does not.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			watcher, a, room := t.Connect(), t.Connect(), t.Name("presence-")
			watcher.SubscribePresence(room, "watcher")
			a.SubscribePresence(room, "a")
			watcher.ExpectMember("member_added", room, "a")
			a.Unsubscribe(room)
			t.expectRemoved(watcher, room, "a")
			a.ExpectNothing("who has left is not told of it")
		},
	},
	{
		ID: "PRES-08", Title: "a user_id that is a number is a string to everyone", Level: Must, Reverb: Should,
		Source:      docAuth + ", whose example has the number 10; Swift, .NET and Go, which read only strings",
		Requirement: "Where channel_data has the user_id 10, ids, hash, member_added, member_removed and GET /users have the string \"10\".",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			watcher, a, room := t.Connect(), t.Connect(), t.Name("presence-")
			watcher.SubscribePresence(room, "watcher")
			t.ExpectMembers(a.SubscribePresenceData(room, `{"user_id":10,"user_info":{"name":"Mr. Channels"}}`), "10", "watcher")
			watcher.ExpectMember("member_added", room, "10")
			users := t.Get("/channels/" + room + "/users")["users"]
			list, _ := users.([]any)
			if !slices.ContainsFunc(list, func(u any) bool { m, _ := u.(map[string]any); return m["id"] == "10" }) {
				t.Mismatch("GET /channels/"+room+"/users", `a user with the id "10"`, fmt.Sprint(users))
			}
			a.Unsubscribe(room)
			t.expectRemoved(watcher, room, "10")
		},
	},
	{
		ID: "PRES-19", Title: "user_info arrives as it was signed", Level: Must,
		Source:      docPresence + ": user_info is what the app says of a user",
		Requirement: "Nested values, text of all languages, markup and numbers of user_info survive, in the list of members and in member_added.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			const info = `{"nested":{"list":[1,[2,{"x":null}],"3"],"empty":{},"none":[]},"text":"Grüße 日本語 \ud83d\ude00","markup":"</a>&<script>\"'","num":1e3,"neg":-0.5,"bool":false,"\u0000":"\u2028"}`
			a, b, room := t.Connect(), t.Connect(), t.Name("presence-")
			a.SubscribePresence(room, "a")
			members := b.SubscribePresenceData(room, `{"user_id":"b","user_info":`+info+`}`)
			t.ExpectSameJSON("user_info in the list of members", info, string(members.Hash["b"]))
			text, _ := a.ExpectMember("member_added", room, "b").DataString()
			t.ExpectSameJSON("data of member_added", `{"user_id":"b","user_info":`+info+`}`, text)
		},
	},
	{
		ID: "PRES-20", Title: "members who come and go are told of evenly", Level: Must, Heavy: true,
		Source:      docPresence + ", Events: one member_added and one member_removed for each user",
		Requirement: "While five users, each with two connections, join and leave 50 times at once, each user is added and removed in turn; in the end nobody is left of them.",
		Needs:       []Capability{CapPresence},
		Run:         churn,
	},
}, memberDataCases, memberLimitCases, memberUserCases)

// churn has users come and go, and watches what is told of them.
func churn(t *T) {
	watcher, room := t.Connect(), t.Name("presence-")
	watcher.SubscribePresence(room, "watcher")
	var conns []*Conn
	for range 10 {
		conns = append(conns, t.Connect())
	}
	t.Concurrently(len(conns), func(i int) {
		for range 5 {
			conns[i].SendPresence(room, fmt.Sprintf(`{"user_id":"u%d"}`, i%5))
			conns[i].Sendf(`{"event":"pusher:unsubscribe","data":{"channel":%s}}`, room)
			conns[i].Fence()
		}
	})
	present := map[string]bool{}
	for _, m := range t.FenceChannel(watcher, room) {
		user := t.UserOf(m)
		switch {
		case m.Event == "pusher_internal:member_added" && !present[user]:
			present[user] = true
		case m.Event == "pusher_internal:member_removed" && present[user]:
			present[user] = false
		default:
			t.Mismatch("what a member is told", "each user added and removed in turn", "again "+m.String())
		}
	}
	if len(present) != 5 {
		t.Mismatch("who was added", "five users", fmt.Sprint(present))
	}
	for user, there := range present {
		if there {
			t.Mismatch("who has left", "member_removed for each", "none for "+user)
		}
	}
	t.ExpectMembers(t.Connect().SubscribePresence(room, "late"), "late", "watcher")
}
