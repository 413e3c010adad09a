package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/redis/redistest"
)

// Servers with different databases of one Redis are different clusters, though
// Redis hears what is published in one in the others: nothing crosses, whichever
// way it is said.
func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	database := func(path string) func(*config.Config) {
		return func(c *config.Config) { c.Redis.URL = strings.TrimSuffix(c.Redis.URL, "/0") + path }
	}
	key := func(c *config.Config) { c.Redis.URL, c.Redis.DB = strings.TrimSuffix(c.Redis.URL, "/0"), 2 }
	r := redistest.Start(t)
	const room = "presence-room"
	stages := []*stage{join(t, r), join(t, r, database("/1")), join(t, r, key)}
	var ears []*ear
	for _, s := range stages {
		e := s.hear("ann", room, "news", "cache-news")
		e.signIn("9")
		ears = append(ears, e)
	}
	for i, s := range stages {
		s.post("news", string(rune('a'+i)), "")
		s.post("cache-news", string(rune('a'+i)), "")
	}
	for i, e := range ears { // one event of the first comes before those of the second, if it comes
		own := "event " + string(rune('a'+i))
		eventually(t, "it hears its own", func() bool { return len(e.only(own)) == 2 })
		e.want([]string{"event", "pusher_internal:member_", "close"}, own, own)
		stages[i].wantQuery("/connections", `{"connections":1}`)
		stages[i].wantQuery("/channels/news?info=subscription_count", `{"occupied":true,"subscription_count":1}`)
		stages[i].wantMetric("revurb_cluster_nodes 1")
	}
	if got := stages[0].call(http.MethodPost, "/users/9/terminate_connections", "{}"); got.status != http.StatusOK {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	ears[0].await("close 4009")
	for i, e := range ears[1:] {
		stages[i+1].post("news", "last", "")
		e.await("event last")
		e.want([]string{"close"})
	}
	stages[1].wantQuery("/connections", `{"connections":1}`)
	for _, key := range r.Do("KEYS", "*").([]any) {
		if !strings.HasPrefix(key.(string), "revurb:2:{") {
			t.Errorf("the database 0 has the key %q", key)
		}
	}
}
