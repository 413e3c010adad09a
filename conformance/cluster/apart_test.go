package cluster_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// TestClustersApart has two clusters share a Redis, which differ in their prefix,
// in the number of the database, or in what their keys and messages mean: neither
// hears of the other.
func TestClustersApart(t *testing.T) {
	for name, of := range map[string]func(t *testing.T, url string) (redis string, binary string){
		"another prefix": func(_ *testing.T, url string) (string, string) {
			return fmt.Sprintf("url = %q\nprefix = \"other\"", url), bin
		},
		"another database": func(_ *testing.T, url string) (string, string) {
			return fmt.Sprintf("url = %q", strings.TrimSuffix(url, "/0")+"/1"), bin
		},
		"another version": func(t *testing.T, url string) (string, string) {
			return fmt.Sprintf("url = %q", url), otherVersion(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := redistest.Start(t)
			a := startNodes(t, 1, func(int) string { return fmt.Sprintf("url = %q", r.URL()) })[0]
			redis, binary := of(t, r.URL())
			b := newNode(t, redis)
			b.bin = binary
			if err := b.begin(); err != nil {
				if !strings.Contains(err.Error(), "redis") {
					t.Error(err)
				}
				t.Logf("the second does not start: %v", err)
				return
			}
			apart(t, a, b)
		})
	}
}

// apart sees that two nodes that share a Redis know nothing of one another.
func apart(t *testing.T, nodes ...*node) {
	t.Helper()
	tr := &trial{T: t, nodes: nodes}
	for i, n := range nodes {
		tr.listeners = append(tr.listeners, listen(t, i, n.port, fmt.Sprint("u", i), channels))
	}
	tr.feed = startFeed(t, nil, channels)
	for _, n := range nodes {
		tr.feed.urls = append(tr.feed.urls, "http://127.0.0.1:"+n.port)
	}
	tr.until("both are subscribed", 20*time.Second, func() bool { return tr.listeners[0].ready() && tr.listeners[1].ready() })
	var mine [2][]*event
	for round := range 20 {
		for i := range nodes {
			// Each in turn has the last word, so that the other hears something later.
			node := (round + i) % 2
			mine[node] = append(mine[node], tr.feed.publish(node, nth(round))...)
		}
	}
	for node, events := range mine {
		for _, e := range events {
			if e.status != http.StatusOK {
				t.Fatalf("node %d answers %d %s", node, e.status, e.problem)
			}
			tr.until("a node's clients hear its events", 20*time.Second, func() bool { return !tr.listeners[node].whenHeard(e.key).IsZero() })
			if !tr.listeners[1-node].whenHeard(e.key).IsZero() {
				t.Fatalf("a client of node %d hears an event of the other cluster", 1-node)
			}
		}
	}
	for i, n := range nodes {
		if got, err := n.metric("revurb_cluster_nodes"); err != nil || got != 1 {
			t.Errorf("node %d counts %v nodes, %v, want itself alone", i, got, err)
		}
		if got, err := n.metric("revurb_cluster_garbage_total"); err != nil || got != 0 {
			t.Errorf("node %d could not read %v messages, %v", i, got, err)
		}
		l := tr.listeners[i]
		l.mu.Lock()
		if len(l.members) > 0 {
			t.Errorf("a client of node %d is told %s", i, l.members[0])
		}
		l.mu.Unlock()
	}
}

// otherVersion builds the server with another version of what keys and messages
// mean, as before or after an upgrade that changes it.
func otherVersion(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs("../../core/redis/keys.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`const schema = "[^"]*"`)
	if !version.Match(text) {
		t.Fatal("keys.go does not say the version of keys and messages")
	}
	dir := t.TempDir()
	changed, overlay, binary := filepath.Join(dir, "keys.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "revurb")
	if err := os.WriteFile(changed, version.ReplaceAll(text, []byte(`const schema = "other"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", binary, "../../cmd/revurb").CombinedOutput(); err != nil { //nolint:gosec // these words
		t.Fatalf("build another version: %v\n%s", err, out)
	}
	return binary
}
