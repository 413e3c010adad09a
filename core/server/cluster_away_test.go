package server_test

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// While Redis is away nothing is promised that is not kept, and nobody is sent
// away; when it is back, with nothing in it, all is as it was.
func TestClusterWithoutRedis(t *testing.T) {
	t.Parallel()
	const room = "presence-room"
	members := []string{"pusher_internal:member_", "close"}
	for name, fault := range map[string]struct{ begin, end func(*redistest.Server) }{
		"killed": {(*redistest.Server).Kill, (*redistest.Server).Restart},
		"paused": {(*redistest.Server).Pause, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b, r := pair(t, publishWait(300*time.Millisecond))
			ann, bob := a.hear("ann", room, "open"), b.hear("bob", room, "open")
			ann.await("pusher_internal:member_added")

			fault.begin(r)
			got := a.publish("open", "lost", "")
			if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
				t.Errorf("publish: got %d, Retry-After %q, %s; want 503 and 1", got.status, got.header.Get("Retry-After"), got.body)
			}
			eventually(t, "the node is not ready", func() bool { return a.status("/ready") == http.StatusServiceUnavailable })
			for addr, at := range map[string]net.Addr{"public": a.server.Addr(), "admin": a.server.AdminAddr()} {
				if status, body := get(t, at, "/ready"); status != http.StatusServiceUnavailable || body != `{"health":"NO_REDIS"}` {
					t.Errorf("%s: /ready: got %d %s, want 503 and NO_REDIS", addr, status, body)
				}
				if status, _ := get(t, at, "/live"); status != http.StatusOK {
					t.Errorf("%s: /live: got %d, want 200", addr, status)
				}
			}
			if got := a.call(http.MethodGet, "/channels", ""); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
				t.Errorf("query: got %d, Retry-After %q, %s; want 503 and 1", got.status, got.header.Get("Retry-After"), got.body)
			}
			must(t, ann.write(0x81, []byte(`{"event":"client-hello","channel":"presence-room","data":"lost"}`)))
			ann.await("pusher:error")
			a.wantMetric("revurb_cluster_up 0")
			late := a.hear("", "open") // who comes now is let in

			fault.end(r)
			for _, s := range []*stage{a, b} {
				eventually(t, "the node is ready again", func() bool { return s.status("/ready") == http.StatusOK })
			}
			eventually(t, "all hear of what is published", func() bool {
				b.publish("open", "again", "")
				return len(late.only("event again"))*len(ann.only("event again"))*len(bob.only("event again")) > 0
			})
			a.wantQuery("/channels/open?info=subscription_count", `{"occupied":true,"subscription_count":3}`)
			eventually(t, "both are members", func() bool { // a Redis that was empty knows no order in which they came
				users := b.call(http.MethodGet, "/channels/"+room+"/users", "").body
				return users == `{"users":[{"id":"ann"},{"id":"bob"}]}` || users == `{"users":[{"id":"bob"},{"id":"ann"}]}`
			})
			a.wantMetric("revurb_cluster_up 1")
			a.wantMetric("revurb_cluster_nodes 2")
			ann.want(members, `pusher_internal:member_added {"user_id":"bob"}`)
			bob.want(members)
			for _, s := range []*stage{a, b} {
				log := s.log.String()
				if away, back := strings.Count(log, "Redis does not answer"), strings.Count(log, "Redis is usable again"); away != 1 || back != 1 {
					t.Errorf("the log says %d times that Redis is away and %d times that it is back, want once", away, back)
				}
			}
		})
	}
}

// A node that starts while Redis is away is not ready until it has joined.
func TestClusterStartsWithoutRedis(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Password("canary-redis-password"))
	first := join(t, r)
	r.Kill()
	s := serve(t, shares(r))
	if status := s.status("/ready"); status != http.StatusServiceUnavailable {
		t.Errorf("/ready: got %d, want 503", status)
	}
	s.hear("", "open")
	r.Restart()
	eventually(t, "it has joined", func() bool { return s.status("/ready") == http.StatusOK && first.status("/ready") == http.StatusOK })
	s.wantMetric("revurb_cluster_nodes 2")
	log := s.log.String()
	if !strings.Contains(log, "joined the cluster") || !strings.Contains(log, r.Addr()) || strings.Contains(log, "canary") {
		t.Errorf("the log is to say that it joined, and where, without the password:\n%s", log)
	}
}

// A server that stops leaves at once: nobody has to wait for its lease to be over.
func TestClusterIsLeft(t *testing.T) {
	t.Parallel()
	const room = "presence-room"
	r := redistest.Start(t)
	a := join(t, r)
	b := join(t, r, lease(time.Hour))
	ann := a.hear("ann", room)
	b.hear("bob", room)
	ann.await("pusher_internal:member_added")
	b.stop()
	b.wait()
	ann.await("pusher_internal:member_removed")
	a.wantMetric("revurb_cluster_nodes 1")
	a.wantQuery("/channels/"+room+"/users", `{"users":[{"id":"ann"}]}`)
}

// A node needs no more of Redis than docs/operations.md says.
func TestClusterRights(t *testing.T) {
	t.Parallel()
	const room = "presence-room"
	rules := documented(t)
	r := redistest.Start(t, redistest.User("revurb", "canary", rules...))
	a, b := join(t, r), join(t, r)
	ann := a.hear("ann", room, "cache-x")
	bob := b.hear("bob", room, "cache-x")
	b.post("cache-x", "1", "")
	ann.await("event 1")
	bob.hang()
	ann.await("pusher_internal:member_removed")
	a.wantQuery("/channels", `{"channels":{"cache-x":{},"`+room+`":{}}}`)
	for _, line := range r.Do("ACL", "LOG").([]any) {
		t.Errorf("Redis refused %v", line)
	}
}

// documented returns the rules of the ACL in docs/operations.md.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	must(t, err)
	_, rest, ok := strings.Cut(string(text), "\nuser revurb on >my-password ")
	if !ok {
		t.Fatal("docs/operations.md has no ACL")
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Fields(line)
}
