package cluster_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/redis/redistest"
)

// TestRedisStartsEmpty stops Redis for a while and starts it with nothing in it:
// what was there comes back, and nobody is told of anything.
func TestRedisStartsEmpty(t *testing.T) {
	away := 5 * time.Second
	if os.Getenv("REVURB_LONG") == "1" {
		away = 30 * time.Second
	}
	r := redistest.Start(t)
	c := start(t, 3, fmt.Sprintf("url = %q", r.URL()))
	play(t, c.target(t), func(ct *conformance.T) {
		room := ct.Name("presence-")
		var all []*conformance.Conn
		const members = 30
		for i := range members {
			m := ct.ConnectTo(conformance.Dialing{Node: i % 3})
			m.SubscribePresence(room, fmt.Sprintf("m%d", i))
			for _, before := range all {
				before.ExpectMember("member_added", room, fmt.Sprintf("m%d", i))
			}
			all = append(all, m)
		}
		ct.AwaitWebhook("member_added", room, members)
		r.Kill()
		stopped := time.Now()
		refused := 0
		for tries := 0; time.Since(stopped) < away; tries++ {
			res := publish(ct, tries%3, room, "lost")
			switch {
			case res.Status == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
				refused++
			default:
				t.Fatalf("while Redis is away, an event is answered with %d %s, Retry-After %q; want 503 and when to try again", res.Status, res.Body, res.Header.Get("Retry-After"))
			}
		}
		r.Restart()
		back := time.Now()
		for node := range 3 {
			converged(ct, node, room, members)
		}
		settled := time.Now()
		t.Logf("Redis was away for %v, %d events were refused; every node counts right again %v after its return",
			away, refused, settled.Sub(back).Round(time.Millisecond))
		// All have the next event, and had none of a member before it.
		for i, m := range all {
			for _, before := range ct.FenceChannel(m, room) {
				t.Errorf("member %d was told %s", i, before)
			}
		}
		// What is changed from now on is told as ever. Redis has told nobody of what
		// it got to know again: that is over after two leases.
		ct.Pass(time.Until(settled.Add(21 * time.Second)))
		all[members-1].Drop()
		for _, m := range all[:members-1] {
			m.ExpectMember("member_removed", room, fmt.Sprintf("m%d", members-1))
		}
		ct.AwaitWebhook("member_removed", room, 1)
		for name, n := range map[string]int{"channel_occupied": 1, "channel_vacated": 0, "member_added": members, "member_removed": 1} {
			if got := ct.CountWebhooks(name, room); got != n {
				t.Errorf("the backend was told %d %s, want %d", got, name, n)
			}
		}
	})
}

// TestSentinel hangs the master of a Redis with sentinels: nodes find the one that
// takes its place.
func TestSentinel(t *testing.T) {
	s := redistest.StartSentinel(t, 3)
	c := start(t, 2, fmt.Sprintf("sentinels = [\"%s\"]\nmaster = %q", strings.Join(s.Addrs(), `", "`), redistest.MasterName))
	play(t, c.target(t), func(ct *conformance.T) {
		room := ct.Name("presence-")
		a, b := ct.ConnectTo(conformance.Dialing{Node: 0}), ct.ConnectTo(conformance.Dialing{Node: 1})
		a.SubscribePresence(room, "a")
		b.SubscribePresence(room, "b")
		a.ExpectMember("member_added", room, "b")
		hung := time.Now()
		s.Failover((*redistest.Server).Pause)
		promoted := time.Now()
		// An event that is accepted is heard on the other node, too.
		told := map[string]int{} // on how many of the two
		for try, both := 0, false; !both; try++ {
			name := fmt.Sprintf("try-%d", try)
			if publish(ct, try%2, room, name).Status != http.StatusOK {
				told[name] = -2 // it may be heard, and is none
			}
			for _, conn := range []*conformance.Conn{a, b} {
				for _, m := range heard(conn) {
					told[m]++
					both = both || told[m] == 2
				}
			}
			if time.Since(promoted) > patience {
				t.Fatal("events do not come to the other node")
			}
		}
		t.Logf("events come to the other node %v after the master hung, and %v after another was promoted",
			time.Since(hung).Round(time.Millisecond), time.Since(promoted).Round(time.Millisecond))
		for node := range 2 {
			converged(ct, node, room, 2)
		}
		for _, conn := range []*conformance.Conn{a, b} {
			for _, before := range ct.FenceChannel(conn, room) {
				if !strings.HasPrefix(before.Event, "try-") {
					t.Errorf("a member was told %s", before)
				}
			}
		}
	})
}

// heard are the events that come within a moment.
func heard(c *conformance.Conn) (events []string) {
	for until := time.Now().Add(50 * time.Millisecond); time.Now().Before(until); {
		for _, m := range c.Fence() {
			events = append(events, m.Event)
		}
	}
	return events
}

func publish(ct *conformance.T, node int, channel, name string) conformance.Response {
	return ct.Do(conformance.Request{Node: node, Path: "/events", Body: ct.JSON(conformance.Publishing{Name: name, Channel: channel, Data: "{}"})})
}

// converged waits until a node says that a channel has n users, and as many
// subscriptions.
func converged(ct *conformance.T, node int, channel string, n float64) {
	ct.Eventually("counts of a node are right", func() bool {
		res := ct.Do(conformance.Request{
			Node: node, Path: "/channels/" + channel, Query: []client.Param{{Name: "info", Value: "user_count,subscription_count"}},
		})
		if res.Status != http.StatusOK {
			return false
		}
		v := ct.Object(res)
		return v["user_count"] == n && v["subscription_count"] == n
	})
}
