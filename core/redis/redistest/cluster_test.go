package redistest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/redis/redistest"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]redistest.Option{
		"plain":              nil,
		"TLS and a password": {redistest.TLS(), redistest.Password("secret")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := redistest.StartCluster(t, 3, options...)
			if got := len(c.Addrs()); got != 3 {
				t.Fatalf("got %d nodes, want 3", got)
			}
			used := map[*redistest.Server]bool{}
			for i := range 100 {
				key := fmt.Sprint("{", i, "}")
				node := c.Node(key)
				used[node] = true
				if got := node.Do("SET", key, i); got != "OK" {
					t.Fatalf("SET %s: got %v, want OK", key, got)
				}
				for _, other := range c.Nodes {
					_, err := other.Try("GET", key)
					if other != node && (err == nil || !strings.HasSuffix(err.Error(), node.Addr())) {
						t.Fatalf("GET %s from another node: got %v, want MOVED to %s", key, err, node.Addr())
					}
				}
			}
			if len(used) != 3 {
				t.Errorf("100 keys are on %d nodes, want 3", len(used))
			}
		})
	}
}

func TestClusterNodeComesBack(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3)
	node := c.Node("k")
	node.Do("SET", "k", "v")

	node.Kill()
	if c.Node("k") != node {
		t.Error("another node has the slot of a dead one")
	}
	for _, other := range c.Nodes {
		if other == node {
			continue
		}
		eventually(t, "the others miss it", func() bool {
			return strings.Contains(other.Do("CLUSTER", "INFO").(string), "cluster_state:fail")
		})
	}

	node.Restart()
	c.WaitOK()
	if got := node.Do("GET", "k"); got != nil {
		t.Errorf("GET after a restart: got %v, want nil", got)
	}
	if got := node.Do("SET", "k", "v"); got != "OK" {
		t.Errorf("SET after a restart: got %v, want OK", got)
	}
}

// A sharded message goes to the node of its channel.
func TestClusterShardedPubSub(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3)
	node := c.Node("{a}news")
	subscriber := node.Conn()
	if _, err := subscriber.Do("SSUBSCRIBE", "{a}news"); err != nil {
		t.Fatal(err)
	}
	if got := node.Do("SPUBLISH", "{a}news", "x"); got != int64(1) {
		t.Errorf("SPUBLISH: got %v receivers, want 1", got)
	}
	if got, err := subscriber.Receive(); err != nil || fmt.Sprint(got) != "[smessage {a}news x]" {
		t.Errorf("got %v, %v, want the message", got, err)
	}
}
