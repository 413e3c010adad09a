package conformance

// memberUserCases are members who have signed in.
var memberUserCases = []Case{
	{
		ID: "PRES-16", Title: "who has signed in needs no channel_data", Level: Should,
		Source:      docPresence + ": the user of a connection that has signed in is the member",
		Requirement: "A connection that has signed in joins with a signature of the socket and the channel alone; its member has the id and the user_info of user_data.",
		Needs:       []Capability{CapPresence, CapSignin},
		Run: func(t *T) {
			watcher, c, room, user := t.Connect(), t.Connect(), t.Name("presence-"), t.Name("u-")
			watcher.SubscribePresence(room, "watcher")
			c.SignIn(`{"id":"` + user + `","user_info":{"name":"Amy"}}`)
			c.SendSubscribe(room)
			members := c.ExpectMembers(room)
			t.ExpectMembers(members, user, "watcher")
			t.ExpectSameJSON("user_info of the member", `{"name":"Amy"}`, string(members.Hash[user]))
			watcher.ExpectMember("member_added", room, user)
		},
	},
	{
		ID: "PRES-17", Title: "who has not signed in needs channel_data", Level: Should,
		Source:      docPresence + ": channel_data may be left out only by those who have signed in",
		Requirement: "A subscription to a presence channel without channel_data is rejected, though it is signed, if its connection has not signed in.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			c, room := t.Connect(), t.Name("presence-")
			c.SendSubscribe(room)
			c.ExpectRejected(room, "")
		},
	},
	{
		ID: "PRES-18", Title: "channel_data comes before the user who has signed in", Level: Should,
		Source:      docPresence + ": channel_data overrides the user that the connection has signed in as",
		Requirement: "A connection that has signed in as one user, and joins with the channel_data of another, is the member of channel_data.",
		Needs:       []Capability{CapPresence, CapSignin},
		Run: func(t *T) {
			c, room := t.Connect(), t.Name("presence-")
			c.SignIn(`{"id":"` + t.Name("u-") + `"}`)
			t.ExpectMembers(c.SubscribePresence(room, "other"), "other")
		},
	},
}
