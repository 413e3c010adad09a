package redis_test

import (
	"flag"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/clustertest"
)

var (
	chaos = flag.Duration("chaos", 0, "how long TestChaos runs; 0 is as long as it takes to do enough")
	nodes = flag.Int("nodes", 4, "how many nodes TestChaos runs")
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what is random in TestChaos")
)

// chaosOps is how many operations one run must withstand.
const chaosOps = 50_000

func chaosConfig() clustertest.Config {
	return clustertest.Config{
		Nodes: *nodes, Clients: 8, Seed: *seed, Faults: clustertest.All,
		Abandon:  (*redis.Node).Abandon,
		ReapSome: (*redis.Node).ReapSome,
		Late:     (*redis.Node).RepeatLate,
		Keys:     redis.Keys,
		Explain:  (*redis.Node).Explain,
	}
}

// TestChaos breaks a cluster in all ways that are known, and finds nothing wrong
// with what anyone was told. It runs for longer with
//
//	go test ./core/redis -run TestChaos -timeout 0 -v -chaos 10m -nodes 8
func TestChaos(t *testing.T) {
	c := chaosConfig()
	c.Ops, c.For = chaosOps, *chaos
	report := clustertest.Run(t, c)
	t.Logf("seed %d: %d rounds, %d operations, %d events accepted and heard %d times, %d changes written down",
		c.Seed, report.Rounds, report.Ops, report.Accepted, report.Heard, report.Transitions)
	for i, v := range report.Violations {
		if i == 40 {
			t.Errorf("... and %d more", len(report.Violations)-i)
			break
		}
		t.Error(v)
	}
}
