package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
)

var events = []string{"event "}

// What is published on one node is heard on all, by all but who is not to, and in
// one order.
func TestClusterPublish(t *testing.T) {
	t.Parallel()
	a, b, _ := pair(t)
	x, y, z := a.hear("", "room"), b.hear("", "room"), b.hear("", "room")
	a.post("room", "1", y.socketID)
	b.post("room", "2", x.socketID)
	a.post("room", "end", "")
	for _, e := range []*ear{x, y, z} {
		e.await("event end")
	}
	x.want(events, "event 1", "event end")
	y.want(events, "event 2", "event end")
	z.want(events, "event 1", "event 2", "event end")
}

// What a client sends is heard on all nodes, by all but itself.
func TestClusterClientEvents(t *testing.T) {
	t.Parallel()
	a, b, _ := pair(t)
	const room = "presence-room"
	ann, bob := a.hear("ann", room), b.hear("bob", room)
	must(t, ann.write(0x81, []byte(`{"event":"client-hello","channel":"presence-room","data":"from ann"}`)))
	bob.await("client-hello from ann")
	must(t, bob.write(0x81, []byte(`{"event":"client-hello","channel":"presence-room","data":"from bob"}`)))
	ann.await("client-hello from bob")
	b.post(room, "end", "")
	ann.await("event end")
	bob.await("event end")
	ann.want([]string{"client-", "pusher:error"}, "client-hello from bob")
	bob.want([]string{"client-", "pusher:error"}, "client-hello from ann")
}

// Members are users, however many connections each has and wherever they are.
func TestClusterPresence(t *testing.T) {
	t.Parallel()
	const room = "presence-room"
	members := []string{"pusher_internal:member_", "event end"}
	a, b, _ := pair(t)
	ann := a.hear("ann", room)
	bob := b.hear("bob", room)
	again := b.hear("ann", room)
	if got, want := again.await("pusher_internal:subscription_succeeded"), `"ids":["ann","bob"]`; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s in it", got, want)
	}
	for _, s := range []*stage{a, b} {
		s.wantQuery("/channels/"+room+"/users", `{"users":[{"id":"ann"},{"id":"bob"}]}`)
		s.wantQuery("/channels/"+room+"?info=user_count", `{"occupied":true,"user_count":2}`)
	}

	ann.hang()
	eventually(t, "one connection of ann is left", func() bool {
		connections, _, _ := a.gauges()
		return connections == 0
	})
	again.hang()
	bob.await("pusher_internal:member_removed")
	a.post(room, "end", "")
	bob.await("event end")
	ann.want(members, `pusher_internal:member_added {"user_id":"bob"}`)
	again.want(members)
	bob.want(members, `pusher_internal:member_removed {"user_id":"ann"}`, "event end")
	a.wantQuery("/channels/"+room+"/users", `{"users":[{"id":"bob"}]}`)
}

// What the HTTP API counts is on all nodes.
func TestClusterCounts(t *testing.T) {
	t.Parallel()
	a, b, _ := pair(t)
	a.hear("", "one", "both")
	b.hear("", "two", "both")
	b.hear("", "both")
	for _, s := range []*stage{a, b} {
		s.wantQuery("/channels", `{"channels":{"both":{},"one":{},"two":{}}}`)
		s.wantQuery("/channels?filter_by_prefix=t", `{"channels":{"two":{}}}`)
		s.wantQuery("/channels/both?info=subscription_count", `{"occupied":true,"subscription_count":3}`)
		s.wantQuery("/connections", `{"connections":3}`)
	}
}

// A user is terminated wherever the connections are.
func TestClusterTerminate(t *testing.T) {
	t.Parallel()
	a, b, _ := pair(t)
	here, there, other := a.hear(""), b.hear(""), b.hear("")
	here.signIn("9")
	there.signIn("9")
	other.signIn("8")
	if got := a.call(http.MethodPost, "/users/9/terminate_connections", "{}"); got.status != http.StatusOK {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	here.await("close 4009")
	there.await("close 4009")
	b.wantQuery("/connections", `{"connections":1}`)
	other.want([]string{"close", "pusher:error"})
}

// A user is reached wherever the connections are, and heard of when they come and
// go.
func TestClusterUsers(t *testing.T) {
	t.Parallel()
	a, b, _ := pair(t)
	watcher, friend, again := a.hear(""), b.hear(""), a.hear("")
	watcher.signIn("w", "9")
	watcher.await(`pusher_internal:watchlist_events {"events":[{"name":"offline","user_ids":["9"]}]}`)
	friend.signIn("9")
	watcher.await(`pusher_internal:watchlist_events {"events":[{"name":"online","user_ids":["9"]}]}`)
	again.signIn("9")
	friend.enter("#server-to-user-9", "")
	again.enter("#server-to-user-9", "")
	a.post("#server-to-user-9", "hello", "")
	friend.await("event hello")
	again.await("event hello")
	friend.hang()
	a.wantQuery("/connections", `{"connections":2}`)
	again.hang()
	const what = "pusher_internal:watchlist_events"
	offline := what + ` {"events":[{"name":"offline","user_ids":["9"]}]}`
	eventually(t, "the friend is gone", func() bool { return len(watcher.only(what)) > 2 })
	watcher.want([]string{what}, offline, what+` {"events":[{"name":"online","user_ids":["9"]}]}`, offline)
}

// A cache channel replays on all nodes what was published on one.
func TestClusterCache(t *testing.T) {
	t.Parallel()
	a, b, _ := pair(t)
	a.post("cache-x", "kept", "")
	e := b.hear("", "cache-x")
	e.await("event kept")
	b.post("cache-x", "new", "")
	e.await("event new")
	e.want(append(events, "pusher:cache_miss"), "event kept", "event new")
	late := a.hear("", "cache-x", "cache-y")
	late.await("pusher:cache_miss")
	late.want(append(events, "pusher:cache_miss"), "event new", "pusher:cache_miss {}")
}

// Backends are told once of what several nodes see.
func TestClusterWebhooks(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var webhook struct {
			Events []struct {
				Name, Channel string
				UserID        string `json:"user_id"`
			}
		}
		if err := json.Unmarshal(body, &webhook); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range webhook.Events {
			told = append(told, strings.TrimSpace(e.Name+" "+e.Channel+" "+e.UserID))
		}
	}))
	defer backend.Close()
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(told)
	}

	const room = "presence-room"
	a, b, _ := pair(t, func(c *config.Config) {
		c.Webhooks.Allow = []string{"127.0.0.1"}
		w := app.DefaultWebhook
		w.URL = backend.URL
		c.Apps[0].Webhooks = []app.Webhook{w}
	})
	first, second := a.hear("ann", room, "open"), b.hear("ann", room, "open")
	bob := b.hear("bob", room)
	eventually(t, "backends hear of who has come", func() bool { return count() >= 4 })
	first.hang()
	second.hang()
	bob.hang()
	eventually(t, "backends hear of who has gone", func() bool { return count() >= 8 })
	a.stop()
	a.wait()
	b.stop()
	b.wait()
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(told)
	want := []string{
		"channel_occupied open", "channel_occupied " + room, "channel_vacated open", "channel_vacated " + room,
		"member_added " + room + " ann", "member_added " + room + " bob", "member_removed " + room + " ann", "member_removed " + room + " bob",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
