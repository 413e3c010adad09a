package conformance

import (
	"cmp"
	"fmt"
	"strings"
)

// memberLimitCases are how many members there may be, and how large they are.
var memberLimitCases = []Case{
	{
		ID: "PRES-13", Title: "a presence channel may be full", Level: Should, Heavy: true,
		Source:      docPresence + ", Limits: 100 members",
		Requirement: "One user more than a presence channel may have is rejected; another connection of a user who is in it is not.",
		Needs:       []Capability{CapPresence, CapMemberLimits},
		Run: func(t *T) {
			limit, room := cmp.Or(t.Target.Limits.PresenceMembers, PusherLimits.PresenceMembers), t.Name("presence-")
			for i := range limit {
				t.Connect().SubscribePresenceData(room, fmt.Sprintf(`{"user_id":"u%d"}`, i))
			}
			late := t.Connect()
			late.SendPresence(room, `{"user_id":"late"}`)
			late.ExpectError("")
			again := t.Connect()
			if n := again.SubscribePresenceData(room, `{"user_id":"u0"}`).Count; n != limit {
				t.Mismatch("count of a channel that is full", fmt.Sprint(limit), fmt.Sprint(n))
			}
			t.ExpectNothingOn(again, room, "who was rejected is no member")
			late.ExpectNothing("who was rejected hears nothing")
		},
	},
	{
		ID: "PRES-14", Title: "a user_id has at most 128 characters", Level: Should,
		Source:      docPresence + ", Limits: a user_id of 128 characters",
		Requirement: "A user_id of 128 characters is taken, one of 129 is rejected.",
		Needs:       []Capability{CapPresence, CapMemberLimits},
		Run: func(t *T) {
			limit, room := cmp.Or(t.Target.Limits.UserID, PusherLimits.UserID), t.Name("presence-")
			user := strings.Repeat("u", limit)
			c := t.Connect()
			c.SendPresence(room, fmt.Sprintf(`{"user_id":"%sx"}`, user))
			c.ExpectError("")
			t.ExpectMembers(c.SubscribePresenceData(room, fmt.Sprintf(`{"user_id":"%s"}`, user)), user)
		},
	},
	{
		ID: "PRES-15", Title: "a member has at most 1 kB", Level: Should,
		Source:      docPresence + ", Limits: a user object of 1 kB",
		Requirement: "A member of little less than 1 kB is taken, one with user_info of more is rejected.",
		Needs:       []Capability{CapPresence, CapMemberLimits},
		Run: func(t *T) {
			limit, room := cmp.Or(t.Target.Limits.PresenceMember, PusherLimits.PresenceMember), t.Name("presence-")
			member := func(n int) string { return `{"user_id":"a","user_info":{"x":"` + strings.Repeat("x", n) + `"}}` }
			c := t.Connect()
			c.SendPresence(room, member(limit))
			c.ExpectError("")
			t.ExpectMembers(c.SubscribePresenceData(room, member(limit-100)), "a")
		},
	},
}
