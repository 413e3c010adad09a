package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// watchlistCases are who of one's friends is online.
var watchlistCases = []Case{
	{
		ID: "WATCH-01", Title: "who signs in learns who is not there", Level: Should,
		Source:      docWatchlist + ", Initial state",
		Requirement: "Who signs in and watches two users who are not there gets one message, with nothing but that both are offline.",
		Needs:       []Capability{CapSignin, CapWatchlist},
		Run: func(t *T) {
			c, users := t.Connect(), t.users(3)
			c.SignIn(t.watcher(users[0], users[1:]...))
			c.expectWatch(map[string][]string{"offline": users[1:]})
			c.ExpectNothing("one message tells it")
		},
	},
	{
		ID: "WATCH-02", Title: "watchers are told who has come", Level: Should,
		Source:      docWatchlist + ", online",
		Requirement: "When a user signs in, who watches it is told that it is online; the user is told who of its own list is online and who is offline.",
		Needs:       []Capability{CapSignin, CapWatchlist},
		Run: func(t *T) {
			first, second, users := t.Connect(), t.Connect(), t.users(3)
			first.SignIn(t.watcher(users[0], users[1]))
			first.expectWatch(map[string][]string{"offline": {users[1]}})
			second.SignIn(t.watcher(users[1], users[0], users[2]))
			second.expectWatch(map[string][]string{"online": {users[0]}, "offline": {users[2]}})
			first.expectWatch(map[string][]string{"online": {users[1]}})
		},
	},
	{
		ID: "WATCH-03", Title: "a second connection is no news", Level: Should,
		Source:      docWatchlist + ", online: sent when the first connection of a user signs in",
		Requirement: "When another connection signs in as a user who is online, watchers are not told; nor when it leaves again.",
		Needs:       []Capability{CapSignin, CapWatchlist},
		Run: func(t *T) {
			watcher, friend, again, users := t.Connect(), t.Connect(), t.Connect(), t.users(2)
			watcher.SignIn(t.watcher(users[0], users[1]))
			watcher.expectWatch(map[string][]string{"offline": {users[1]}})
			friend.SignIn(t.watcher(users[1]))
			watcher.expectWatch(map[string][]string{"online": {users[1]}})
			again.SignIn(t.watcher(users[1]))
			again.Close()
			friend.Close()
			watcher.expectWatch(map[string][]string{"offline": {users[1]}}) // the first news since
			watcher.ExpectNothing("a user who leaves is told of once")
		},
	},
	{
		ID: "WATCH-04", Title: "watchers are told who has left", Level: Should,
		Source:      docWatchlist + ", offline",
		Requirement: "When the last connection of a user closes, who watches it is told that it is offline.",
		Needs:       []Capability{CapSignin, CapWatchlist},
		Run: func(t *T) {
			watcher, friend, users := t.Connect(), t.Connect(), t.users(2)
			friend.SignIn(t.watcher(users[1]))
			friend.ExpectNothing("who watches nobody is told of nobody")
			watcher.SignIn(t.watcher(users[0], users[1]))
			watcher.expectWatch(map[string][]string{"online": {users[1]}})
			friend.Close()
			watcher.expectWatch(map[string][]string{"offline": {users[1]}})
		},
	},
	{
		ID: "WATCH-05", Title: "a watchlist has at most 100 users", Level: Should,
		Source:      docProtocol + ", pusher:signin, watchlist, and Error codes, 4302",
		Requirement: "Who signs in with 101 users to watch succeeds, and gets pusher:error with 4302; the first 100 are watched, and the last is not.",
		Needs:       []Capability{CapSignin, CapWatchlist},
		Run: func(t *T) {
			c, users, self := t.Connect(), t.users(101), t.Name("u-")
			data := t.watcher(self, users...)
			c.SendSignin(c.UserAuth(data), data)
			var told, succeeded bool
			var watched []string
			for _, m := range c.Fence() {
				switch m.Event {
				case "pusher:signin_success":
					succeeded = true
				case "pusher:error":
					told = hasCode(c.error(m), []int{4302})
				default:
					watched = append(watched, t.watchOf(m)["offline"]...)
				}
			}
			if !told || !succeeded || !slices.Equal(slices.Sorted(slices.Values(watched)), slices.Sorted(slices.Values(users[:100]))) {
				t.Mismatch("a sign-in with 101 users to watch", "signin_success, pusher:error with 4302, and the first 100 offline",
					fmt.Sprintf("signin_success %t, 4302 %t, and %d offline", succeeded, told, len(watched)))
			}
		},
	},
	{
		ID: "WATCH-06", Title: "nobody is watched where it was not asked for", Level: Should,
		Source:      docWatchlist + ": they must be enabled",
		Requirement: "Where watchlist events are switched off, a sign-in with a watchlist succeeds, and there is no watchlist event.",
		Needs:       []Capability{CapSignin},
		Run: func(t *T) {
			app := t.App()
			if t.Target.Has(CapWatchlist) {
				app = t.Fixture(NoWatchlist)
			}
			d, users := Dialing{App: app}, t.users(2)
			watcher, friend := t.ConnectTo(d), t.ConnectTo(d)
			watcher.SignIn(t.watcher(users[0], users[1]))
			friend.SignIn(t.watcher(users[1]))
			friend.ExpectNothing("there are no watchlist events")
			watcher.ExpectNothing("there are no watchlist events")
		},
	},
	{
		ID: "WATCH-07", Title: "clients can read watchlist events", Level: Must,
		Source:      docProtocol + ", Watchlist events; .NET client, which does not look for them in a message with a channel",
		Requirement: "A watchlist event has no channel; its data has events, each with a name and with user_ids that are strings.",
		Needs:       []Capability{CapSignin, CapWatchlist},
		Run: func(t *T) {
			c, users := t.Connect(), t.users(2)
			c.SignIn(t.watcher(users[0], users[1]))
			m := c.Expect("pusher_internal:watchlist_events", "")
			t.ExpectKeys(m, "data", "event")
			t.watchOf(m)
		},
	},
}

// expectWatch waits for a watchlist event that says nothing but want: the users
// by what has become of them.
func (c *Conn) expectWatch(want map[string][]string) {
	m := c.Expect("pusher_internal:watchlist_events", "")
	got := c.t.watchOf(m)
	same := len(got) == len(want)
	for name, users := range want {
		same = same && slices.Equal(slices.Sorted(slices.Values(users)), got[name])
	}
	if !same {
		c.t.Mismatch("watchlist event", fmt.Sprint(want), m.Text)
	}
}

// watchOf is what a watchlist event says. Its data is an object, or a string
// that holds one.
func (t *T) watchOf(m Message) map[string][]string {
	text, ok := m.DataString()
	if !ok {
		text = string(m.Data)
	}
	var data struct {
		Events []struct {
			Name    string
			UserIDs []string `json:"user_ids"`
		}
	}
	err := json.NewDecoder(strings.NewReader(text)).Decode(&data)
	if err != nil || len(data.Events) == 0 || m.Event != "pusher_internal:watchlist_events" {
		t.Mismatch("watchlist event", `{"events":[{"name":…,"user_ids":[strings]}]}`, m.String())
	}
	told := map[string][]string{}
	for _, e := range data.Events {
		if e.Name == "" || len(e.UserIDs) == 0 {
			t.Mismatch("watchlist event", "events with a name, and with users", m.Text)
		}
		told[e.Name] = slices.Sorted(slices.Values(append(told[e.Name], e.UserIDs...)))
	}
	return told
}
