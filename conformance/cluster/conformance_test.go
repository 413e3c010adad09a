package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/core/redis/redistest"
)

// TestCases holds two nodes to all cases of a cluster. Its lease is short: those
// that kill a node wait for it to end.
func TestCases(t *testing.T) {
	r := redistest.Start(t)
	target := start(t, 2, fmt.Sprintf("url = %q\nlease = \"6s\"", r.URL())).target(t)
	runner := conformance.Runner{Target: target, Limit: limit}
	ran := 0
	for _, c := range conformance.All() {
		if !strings.HasPrefix(c.ID, "CLU-") && !strings.HasPrefix(c.ID, "cluster.") {
			continue
		}
		ran++
		t.Run(c.ID, func(t *testing.T) { judge(t, runner.One(t.Context(), &c)) })
	}
	if ran == 0 {
		t.Error("there is no case of a cluster")
	}
}
