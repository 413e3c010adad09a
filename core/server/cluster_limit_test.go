package server_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/redis/redistest"
	"github.com/revurb/revurb/core/server"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/loader"
	"github.com/revurb/revurb/hooks/wasm/wasmtest"
)

func maxConnections(n int) func(*config.Config) {
	return func(c *config.Config) { c.Apps[0].MaxConnections = n }
}

// try is a client, or nil if there is no place for it.
func (s *stage) try() (*client, error) {
	nc, err := s.dial()
	if err != nil {
		return nil, err
	}
	c, _, err := upgrade(nc, path, nil)
	if err != nil {
		return nil, err
	}
	m, err := c.read()
	switch {
	case err != nil:
	case m.Event == "pusher:connection_established":
		return c, nil
	case !strings.Contains(string(m.Data), `"code":4004`):
		err = fmt.Errorf("got %s %s", m.Event, m.Data)
	}
	_ = nc.Close()
	return nil, err
}

// However many come at once and wherever, as many are let in as there are places on
// all nodes; /connections is true at once; and a place that is free can be taken
// anywhere.
func TestClusterMaxConnections(t *testing.T) {
	t.Parallel()
	const limit, clients = 100, 300
	r := redistest.Start(t)
	nodes := []*stage{join(t, r, maxConnections(limit)), join(t, r, maxConnections(limit)), join(t, r, maxConnections(limit))}
	var in [3][]*client
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			c, err := nodes[i%3].try()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if c != nil {
				in[i%3] = append(in[i%3], c)
			}
		})
	}
	all.Wait()
	defer func() {
		for _, c := range append(append(in[0], in[1]...), in[2]...) {
			_ = c.Close()
		}
	}()
	if got := len(in[0]) + len(in[1]) + len(in[2]); got != limit {
		t.Fatalf("%d of %d clients were let in, want %d", got, clients, limit)
	}
	for _, n := range nodes {
		if got := n.call(http.MethodGet, "/connections", ""); got.body != fmt.Sprintf(`{"connections":%d}`, limit) {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	for i, n := range nodes {
		if len(in[i]) == 0 {
			continue
		}
		_ = in[i][0].Close()
		in[i] = in[i][1:]
		next := (i + 1) % 3
		freed := time.Now()
		eventually(t, "a client of another node has the place", func() bool {
			c, err := nodes[next].try()
			must(t, err)
			if c != nil {
				in[next] = append(in[next], c)
			}
			return c != nil
		})
		t.Logf("the place of a client who left was taken on another node after %v", time.Since(freed))
		if c, err := n.try(); c != nil || err != nil {
			t.Errorf("got one more than the limit in (%v)", err)
		}
	}
}

// Whom a plugin refuses takes no place.
func TestClusterPlaceOfWhoIsRefused(t *testing.T) {
	t.Parallel()
	response := abi.Append(nil, abi.Int(uint64(abi.Deny)), abi.Int(4100), []byte("not you"))
	const at = 1 << 10
	file := filepath.Join(t.TempDir(), "guard.wasm")
	guest := wasmtest.Guest().Data(at, response).Hook(abi.OnConnect, "", wasmtest.Answer(at, int32(len(response)))).Bytes()
	must(t, os.WriteFile(file, guest, 0o600))
	c := loader.DefaultConfig()
	c.Name, c.Path = "guard", file
	r := redistest.Start(t)
	a := join(t, r, maxConnections(2))
	b := serveWith(t, server.Options{Plugins: func() ([]loader.Config, error) { return []loader.Config{c}, nil }},
		shares(r), maxConnections(2), func(sc *config.Config) {
			sc.Hooks.CacheDir = ""
			sc.Plugins = []loader.Config{c}
		})
	for range 3 {
		if _, err := b.try(); err == nil || !strings.Contains(err.Error(), "not you") {
			t.Fatalf("got %v, want a refusal of the plugin", err)
		}
	}
	a.wantQuery("/connections", `{"connections":0}`)
	a.connect()
	a.connect()
}

// Who goes away while Redis does not say whether there is a place has none.
func TestClusterPlaceOfWhoDoesNotWait(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t)
	a, b := join(t, r, maxConnections(2)), join(t, r, maxConnections(2))
	stay := a.connect()
	r.Pause()
	for range 5 {
		c, _ := a.ask(path, nil)
		_ = c.Close()
	}
	r.Resume()
	b.wantQuery("/connections", `{"connections":1}`)
	b.connect()
	if c, err := a.try(); c != nil || err != nil {
		t.Errorf("got one more than the limit in (%v)", err)
	}
	_ = stay.Close()
}
