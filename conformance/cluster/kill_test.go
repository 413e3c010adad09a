package cluster_test

import (
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/redis/redistest"
)

// TestKill kills one of three nodes, with the default settings, on which 500
// members are.
func TestKill(t *testing.T) {
	const members = 500
	r := redistest.Start(t)
	c := start(t, 3, fmt.Sprintf("url = %q", r.URL()))
	play(t, c.target(t), func(ct *conformance.T) {
		room := ct.Name("presence-")
		var survivors []*conformance.Conn
		for i := range 6 {
			s := ct.ConnectTo(conformance.Dialing{Node: i % 2})
			s.SubscribePresence(room, fmt.Sprintf("survivor-%d", i))
			for _, before := range survivors {
				before.ExpectMember("member_added", room, fmt.Sprintf("survivor-%d", i))
			}
			survivors = append(survivors, s)
		}
		ct.Concurrently(20, func(worker int) {
			for i := worker; i < members; i += 20 {
				ct.ConnectTo(conformance.Dialing{Node: 2}).SubscribePresence(room, fmt.Sprintf("lost-%d", i))
			}
		})
		each := once("lost-", members)
		for i, s := range survivors {
			if got := hear(ct, s, "member_added", room, members); !maps.Equal(got, each) {
				t.Errorf("survivor %d was told of members who came: %v, want each once", i, odd(got, each))
			}
		}
		begun := time.Now()
		if err := c.all[2].end(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for i, s := range survivors {
			if got := hear(ct, s, "member_removed", room, members); !maps.Equal(got, each) {
				t.Errorf("survivor %d was told of members who left: %v, want each once", i, odd(got, each))
			}
		}
		// The lease of 10 s, and a sweep.
		t.Logf("all %d members were told as gone to %d survivors after %v", members, len(survivors), time.Since(begun).Round(time.Millisecond))
		for node := range 2 {
			v := ct.Object(ct.OK(ct.Do(conformance.Request{
				Node: node, Path: "/channels/" + room, Query: []client.Param{{Name: "info", Value: "user_count,subscription_count"}},
			})))
			if v["user_count"] != 6.0 || v["subscription_count"] != 6.0 {
				t.Errorf("node %d counts %v, want 6 users and 6 subscriptions", node, v)
			}
			users := ct.Object(ct.OK(ct.Do(conformance.Request{Node: node, Path: "/channels/" + room + "/users"})))
			if list, _ := users["users"].([]any); len(list) != 6 {
				t.Errorf("node %d has %d users, want 6", node, len(list))
			}
		}
		for i, s := range survivors { // nobody is told twice, however late
			if before := ct.FenceChannel(s, room); len(before) > 0 {
				t.Errorf("survivor %d was told more: %v", i, before[0])
			}
		}
		ct.AwaitWebhook("member_removed", room, members)
		for _, s := range survivors {
			s.Drop()
		}
		ct.AwaitWebhook("member_removed", room, members+6)
		ct.AwaitWebhook("channel_vacated", room, 1)
		told := map[string]map[string]int{}
		calls, _ := c.receiver.Calls("/all", room)
		for _, call := range calls {
			for _, e := range call.Events {
				name := e.Text("name")
				if told[name] == nil {
					told[name] = map[string]int{}
				}
				told[name][e.Text("user_id")]++
			}
		}
		maps.Copy(each, once("survivor-", 6))
		for _, name := range []string{"member_added", "member_removed"} {
			if !maps.Equal(told[name], each) {
				t.Errorf("the backend was told %s: %v, want each once", name, odd(told[name], each))
			}
		}
		for _, name := range []string{"channel_occupied", "channel_vacated"} {
			if told[name][""] != 1 {
				t.Errorf("the backend was told %d %s, want 1", told[name][""], name)
			}
		}
	})
}

// once are n users, each of whom is told once.
func once(prefix string, n int) map[string]int {
	all := map[string]int{}
	for i := range n {
		all[fmt.Sprint(prefix, i)] = 1
	}
	return all
}

// hear takes n events of members, and counts how often each is told of.
func hear(ct *conformance.T, c *conformance.Conn, event, room string, n int) map[string]int {
	told := map[string]int{}
	for range n {
		told[ct.UserOf(c.Expect("pusher_internal:"+event, room))]++
	}
	return told
}

// odd are some of the users of whom it was not told as often as wanted.
func odd(got, want map[string]int) []string {
	var all []string
	for user, n := range want {
		if got[user] != n {
			all = append(all, fmt.Sprintf("%s %d times", user, got[user]))
		}
	}
	for user, n := range got {
		if want[user] == 0 {
			all = append(all, fmt.Sprintf("%s %d times", user, n))
		}
	}
	slices.Sort(all)
	return all[:min(len(all), 10)]
}
