package redis

import (
	"log/slog"
	"strings"
	"testing"
)

func node(t *testing.T, c Config) *Node {
	t.Helper()
	n, err := New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLeastVersion(t *testing.T) {
	alone, cluster := node(t, Config{Host: "h"}), node(t, Config{Cluster: []string{"h:1"}})
	for version, want := range map[string]struct{ alone, cluster bool }{
		"5.0.14":      {false, false},
		"6.0.16":      {false, false},
		"6.2.0":       {true, false},
		"6.10.1":      {true, false},
		"7.0.0":       {true, true},
		"7.2.4":       {true, true},
		"10.0.1":      {true, true},
		"255.255.255": {true, true}, // a build of what is not released
		"7.4-rc1":     {true, true},
		"":            {true, true}, // what does not say is not refused
	} {
		if err := alone.servers.check(version); (err == nil) != want.alone {
			t.Errorf("%q: got %v, want it taken: %v", version, err, want.alone)
		}
		if err := cluster.servers.check(version); (err == nil) != want.cluster {
			t.Errorf("%q as a Redis Cluster: got %v, want it taken: %v", version, err, want.cluster)
		}
	}
}

// That a server has taken the place of another is logged; that there are several,
// or that the node has just come, is not.
func TestAnotherServer(t *testing.T) {
	type met struct {
		run, role string
		promoted  bool
		want      string // "" is nothing
	}
	for name, test := range map[string]struct {
		config Config
		met    []met
	}{
		"one": {Config{Host: "h"}, []met{
			{"a", "master", false, ""},
			{"a", "master", false, ""},
			{"b", "master", false, "another Redis than before"},
			{"b", "master", false, ""},
			{"c", "slave", false, ""}, // which refuses what is written
			{"a", "master", true, "another Redis than before"},
		}},
		"sentinels": {Config{Sentinels: []string{"h:1"}, Master: "m"}, []met{
			{"a", "master", false, ""},
			{"b", "slave", false, ""},
			{"b", "master", true, "a failover: connected to the new master"},
			{"a", "slave", false, ""},
			{"a", "master", true, "a failover: connected to the new master"},
		}},
		"a cluster": {Config{Cluster: []string{"h:1"}}, []met{
			{"a", "master", false, ""},
			{"b", "master", false, ""},
			{"a", "master", false, ""},
			{"c", "slave", true, ""},
			{"c", "master", true, "that a failover has made one"},
			{"c", "master", true, ""},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			n := node(t, test.config)
			n.health.saw(nil)
			for i, m := range test.met {
				_, text := n.servers.note(m.run, m.role, m.promoted)
				if (text == "") != (m.want == "") || !strings.Contains(text, m.want) {
					t.Errorf("%d: got %q, want %q", i, text, m.want)
				}
			}
		})
	}
}
