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
		Record:   (*redis.Node).Record,
		Keys:     redis.Keys,
		Explain:  (*redis.Node).Explain,
	}
}

// TestChaos breaks a cluster in all ways that are known, and finds nothing wrong
// with what anyone was told. "make chaos" does it for longer.
func TestChaos(t *testing.T) {
	c := chaosConfig()
	c.Ops, c.For = chaosOps, *chaos
	c.Prepare = func(n *redis.Node) { n.AuditEvery(200 * time.Millisecond) } // which changes nothing that is right
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

// TestChaosControls takes from a cluster, one at a time, what keeps it right, and
// has the harness notice.
func TestChaosControls(t *testing.T) {
	for _, control := range []struct {
		name   string
		faults []clustertest.Fault
		weaken func(*redis.Node)
	}{
		{"no sequence", []clustertest.Fault{clustertest.Late}, (*redis.Node).WithoutSequence},
		{"no fence", []clustertest.Fault{clustertest.Zombie}, (*redis.Node).WithoutFence},
		{"no snapshot", []clustertest.Fault{clustertest.Deaf}, (*redis.Node).WithoutSnapshot},
	} {
		t.Run(control.name, func(t *testing.T) {
			c := chaosConfig()
			c.Nodes, c.Ops, c.Faults, c.Prepare, c.Settle = 3, 4*chaosOps, control.faults, control.weaken, 3*time.Second
			report := clustertest.Run(t, c)
			if len(report.Violations) == 0 {
				t.Fatalf("nothing is found wrong in %d operations", report.Ops)
			}
			t.Logf("after %d operations %d are found, such as: %s", report.Ops, len(report.Violations), report.Violations[0])
		})
	}
}
