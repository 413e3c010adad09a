package cluster_test

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/core/redis/redistest"
)

// TestAllNodesKilled kills all nodes at once, and starts them again: there are no
// ghosts, and backends are told once that everybody has gone.
func TestAllNodesKilled(t *testing.T) {
	r := redistest.Start(t)
	c := start(t, 3, fmt.Sprintf("url = %q\nlease = \"3s\"", r.URL()))
	play(t, c.target(t), func(ct *conformance.T) {
		const members = 30
		room, public := ct.Name("presence-"), ct.Name("room-")
		var all []*conformance.Conn
		for i := range members {
			m := ct.ConnectTo(conformance.Dialing{Node: i % 3})
			m.SubscribePresence(room, fmt.Sprintf("m%d", i))
			m.Subscribe(public)
			all = append(all, m)
		}
		ct.AwaitWebhook("member_added", room, members)
		for _, n := range c.all {
			if err := n.signal(syscall.SIGSTOP); err != nil { // so that none sees another die
				t.Fatal(err)
			}
		}
		for _, n := range c.all {
			if err := n.end(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range c.all {
			if err := n.start(); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range all {
			m.Drop()
		}
		ct.AwaitWebhook("member_removed", room, members)
		ct.AwaitWebhook("channel_vacated", room, 1)
		ct.AwaitWebhook("channel_vacated", public, 1)
		for node := range 3 {
			converged(ct, node, room, 0)
		}
		// Who comes now is alone, and the first.
		ct.ExpectMembers(ct.ConnectTo(conformance.Dialing{Node: 1}).SubscribePresence(room, "new"), "new")
		ct.AwaitWebhook("member_added", room, members+1)
		ct.AwaitWebhook("channel_occupied", room, 2)
		for name, n := range map[string]int{"channel_occupied": 2, "channel_vacated": 1, "member_added": members + 1, "member_removed": members} {
			if got := ct.CountWebhooks(name, room); got != n {
				t.Errorf("the backend was told %d %s, want %d", got, name, n)
			}
		}
		for name, n := range map[string]int{"channel_occupied": 1, "channel_vacated": 1} {
			if got := ct.CountWebhooks(name, public); got != n {
				t.Errorf("the backend was told %d %s of a public channel, want %d", got, name, n)
			}
		}
	})
}
