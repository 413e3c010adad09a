package redis

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// A node is ready once it has joined, and not before: clients of one that never
// has would be alone. What it logs is one line for each change.
func TestReadiness(t *testing.T) {
	var log bytes.Buffer
	n, err := New(Config{Host: "h", Password: "canary"}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		err       error
		ready, up bool
		logged    string // "" is nothing
	}{
		{errors.New("no"), false, false, "does not answer"},
		{errors.New("no"), false, false, ""},
		{nil, true, true, "joined the cluster"},
		{nil, true, true, ""},
		{errors.New("no"), true, false, "does not answer"},
		{nil, true, true, "usable again"},
	} {
		log.Reset()
		n.health.saw(step.err)
		if n.Ready() != step.ready || n.Stats().Up != step.up {
			t.Errorf("step %d: ready %v and up %v, want %v and %v", i, n.Ready(), n.Stats().Up, step.ready, step.up)
		}
		lines := strings.Count(log.String(), "\n")
		if want := min(1, len(step.logged)); lines != want || !strings.Contains(log.String(), step.logged) || strings.Contains(log.String(), "canary") {
			t.Errorf("step %d: logged %q, want %q", i, log.String(), step.logged)
		}
	}
}

func TestPlace(t *testing.T) {
	for want, c := range map[string]Config{
		"h:1":                       {Host: "h", Port: 1, Password: "canary"},
		"[::1]:1":                   {Host: "::1", Port: 1},
		"r:6379":                    {URL: "rediss://u:canary@r/2"},
		"/run/redis.sock":           {URL: "unix://u:canary@/run/redis.sock"},
		"m, as a:1 and b:2 know it": {Sentinels: []string{"a:1", "b:2"}, Master: "m", SentinelPassword: "canary"},
		"the cluster of a:1, b:2":   {Cluster: []string{"a:1", "b:2"}},
		"":                          {},
	} {
		if got := c.Place(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
