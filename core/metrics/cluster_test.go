package metrics_test

import (
	"strings"
	"testing"

	"github.com/revurb/revurb/core/metrics"
)

func TestCluster(t *testing.T) {
	m := metrics.New()
	if text := scrape(t, m); strings.Contains(text, "revurb_cluster_") {
		t.Errorf("a server that runs alone has metrics of a cluster:\n%s", text)
	}
	state := metrics.Cluster{Nodes: 3, StateLost: 1, Repairs: 5, Garbage: 2, Resubscribes: 4}
	m.WatchCluster(func() metrics.Cluster { return state })
	for _, up := range []bool{false, true} {
		state.Up = up
		text := scrape(t, m)
		for _, line := range []string{
			map[bool]string{false: "revurb_cluster_up 0", true: "revurb_cluster_up 1"}[up],
			"revurb_cluster_nodes 3", "revurb_cluster_state_lost_total 1", "revurb_cluster_repairs_total 5", "revurb_cluster_garbage_total 2", "revurb_cluster_resubscribes_total 4",
		} {
			if !strings.Contains(text, "\n"+line+"\n") {
				t.Errorf("lacks %q:\n%s", line, text)
			}
		}
	}
}
