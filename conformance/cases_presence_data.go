package conformance

// memberDataCases are what channel_data must be.
var memberDataCases = []Case{
	{
		ID: "PRES-09", Title: "a member needs no user_info", Level: Must,
		Source:      docPresence + ": user_info is optional; .NET client, which throws without a key in hash",
		Requirement: "Members without user_info, or with one that is null, have a key in hash; the others get member_added with their user_id.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			a, b, c, room := t.Connect(), t.Connect(), t.Connect(), t.Name("presence-")
			t.ExpectMembers(a.SubscribePresenceData(room, `{"user_id":"a"}`), "a")
			t.ExpectMembers(b.SubscribePresenceData(room, `{"user_id":"b","user_info":null}`), "a", "b")
			a.ExpectMember("member_added", room, "b")
			t.ExpectMembers(c.SubscribePresenceData(room, `{"user_id":"c","user_info":{}}`), "a", "b", "c")
			a.ExpectMember("member_added", room, "c")
		},
	},
	{
		ID: "PRES-10", Title: "channel_data without a user is rejected", Level: Must,
		Source:      docPresence + ": channel_data has a user_id; " + docAuth,
		Requirement: "A subscription to a presence channel is rejected, though it is signed, if its channel_data is missing, no JSON, no object, or has no user_id that is a string or a number.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			c, room := t.Connect(), t.Name("presence-")
			c.SendSubscribe(room)
			c.ExpectError("")
			for _, data := range []string{
				`not json`, `{}`, `[]`, `"a"`, `null`, `1`, `{"user_id":null}`, `{"user_id":""}`, `{"user_id":{}}`, `{"user_id":["a"]}`,
				`{"user_id":true}`, `{"user_info":{"name":"a"}}`, `{"user_id":"a"`,
			} {
				c.SendPresence(room, data)
				if c.ExpectUntold("the channel_data "+data) == 0 {
					t.Mismatch("the answer to the channel_data "+data, "pusher:error", "nothing")
				}
			}
			c.ExpectAbsent(room)
		},
	},
	{
		ID: "PRES-11", Title: "user_info is an object", Level: Should,
		Source:      "pusher-http-php issue 32, where the hosted service says so",
		Requirement: "A subscription to a presence channel is rejected if user_info is a string, a number or an array.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			c, room := t.Connect(), t.Name("presence-")
			for _, info := range []string{`"text"`, `["a"]`, `1`, `true`} {
				c.SendPresence(room, `{"user_id":"a","user_info":`+info+`}`)
				c.ExpectRejected(room, "must be a type of hash")
			}
		},
	},
	{
		ID: "PRES-12", Title: "channel_data is what was signed", Level: Must,
		Source:      docAuth + ": what is signed is socket_id:channel_name:channel_data",
		Requirement: "A subscription to a presence channel is rejected if its channel_data is other than what was signed, be it by one space, or was not signed at all.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			c, room := t.Connect(), t.Name("presence-")
			for _, signed := range []string{`{"user_id":"b"}`, `{"user_id": "a"}`, ``} {
				const data = `{"user_id":"a"}`
				c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel_data":%s,"channel":%s}}`, c.Auth(room, signed), data, room)
				c.ExpectRejected(room, "Invalid signature: Expected HMAC SHA256 hex digest of "+c.SocketID+":"+room+":"+data)
			}
		},
	},
	{
		ID: "PRES-21", Title: "a user may be called as the server or its clients are made", Level: Must,
		Source:      docPresence + ": a user_id is any string; JavaScript, where objects have keys of their own",
		Requirement: "Users called __proto__, constructor and the like are members as all others are: they are in ids and in hash, and are added and removed.",
		Needs:       []Capability{CapPresence},
		Run: func(t *T) {
			watcher, room := t.Connect(), t.Name("presence-")
			watcher.SubscribePresence(room, "watcher")
			for _, user := range []string{"__proto__", "constructor", "toString", "hasOwnProperty", "length", "0", `"quoted"`, "a:b", "</script>", "日本"} {
				c := t.Connect()
				t.ExpectMembers(c.SubscribePresence(room, user), "watcher", user)
				watcher.ExpectMember("member_added", room, user)
				c.Unsubscribe(room)
				t.expectRemoved(watcher, room, user)
			}
		},
	},
}
