package redis

import (
	"log/slog"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/revurb/revurb/core/redis/redistest"
)

// Nothing that a client wants waits for a connection that something between the
// node and Redis has forgotten while it was idle.
func TestIdleConnectionsAreNotTrusted(t *testing.T) {
	p := redistest.NewProxy(t, redistest.Start(t))
	c := DefaultConfig
	c.URL = p.URL()
	o, err := c.options()
	if err != nil {
		t.Fatal(err)
	}
	if o.ConnMaxIdleTime <= 0 || o.ConnMaxIdleTime > time.Minute {
		t.Fatalf("a connection may be idle for %v, which is longer than what is between remembers it", o.ConnMaxIdleTime)
	}
	o.ConnMaxIdleTime = 20 * time.Millisecond // nobody waits half a minute
	client := newClient(o)
	defer client.Close()
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	p.Forget()
	<-time.After(2 * o.ConnMaxIdleTime)
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("a connection that was forgotten was used: %v", err)
	}
}

// The map of a Redis Cluster is old after a second, and is loaded again when that
// is asked for.
func TestMapOfRedisCluster(t *testing.T) {
	s := redistest.StartCluster(t, 1)
	c := DefaultConfig
	c.Cluster = s.Addrs()
	n, err := New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []redis.UniversalClient{n.publish, n.state, n.bus} {
		defer c.Close()
		if every := c.(*redis.ClusterClient).Options().ClusterStateReloadInterval; every > time.Second {
			t.Errorf("the map is loaded again after %v, want a second at most", every)
		}
		if err := c.Ping(t.Context()).Err(); err != nil { // each has a map
			t.Fatal(err)
		}
	}
	loads := func() (calls int) {
		for _, name := range []string{"cluster|slots", "cluster|shards"} {
			calls += s.Nodes[0].Calls(name)
		}
		return calls
	}
	before := loads()
	n.reloadMap(t.Context())
	for end := time.Now().Add(10 * time.Second); loads() < before+3; <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the map was loaded %d times, want by each of 3 clients", loads()-before)
		}
	}
}
