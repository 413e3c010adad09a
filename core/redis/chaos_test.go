package redis_test

import (
	"flag"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/clustertest"
)

var (
	chaos     = flag.Duration("chaos", 0, "how long TestChaos runs; 0 is as long as it takes to do enough")
	chaosMode = flag.String("chaos-mode", string(clustertest.Standalone), "what Redis TestChaos runs with: standalone, sentinel or cluster")
	chaosOnly = flag.String("chaos-only", "", "of the faults only those whose names match this expression")
	nodes     = flag.Int("nodes", 4, "how many nodes TestChaos runs")
	seed      = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what is random in TestChaos")
)

// chaosOps is how many operations one run must withstand.
const chaosOps = 50_000

func chaosConfig(mode clustertest.Mode) clustertest.Config {
	keys := redis.KeysOf(mode == clustertest.Cluster)
	return clustertest.Config{
		Mode: mode, Nodes: *nodes, Clients: 8, Seed: *seed, Faults: clustertest.Some(mode),
		New:      redis.NewThrough,
		Abandon:  (*redis.Node).Abandon,
		ReapSome: (*redis.Node).ReapSome,
		Late:     (*redis.Node).RepeatLate,
		Record:   (*redis.Node).Record,
		Lost:     func(n *redis.Node) uint64 { return n.Stats().LostEvents },
		Control:  keys.Control(),
		Parts:    keys.Parts(),
		Part:     keys.Part,
		Explain:  (*redis.Node).Explain,
	}
}

// TestChaos breaks a cluster in all ways that are known, and finds nothing wrong
// with what anyone was told. "make chaos" does it for longer.
func TestChaos(t *testing.T) {
	c := chaosConfig(clustertest.Mode(*chaosMode))
	c.Ops, c.For = chaosOps, *chaos
	if c.For > 0 {
		c.Faults = clustertest.All(c.Mode)
	}
	if *chaosOnly != "" {
		only := regexp.MustCompile(*chaosOnly)
		c.Faults = slices.DeleteFunc(clustertest.All(c.Mode), func(f clustertest.Fault) bool { return !only.MatchString(string(f)) })
		if len(c.Faults) == 0 {
			t.Fatalf("no fault of the mode %s matches %s", c.Mode, *chaosOnly)
		}
	}
	withstand(t, c)
}

// TestChaosSentinel is a short TestChaos with a master that is replaced.
func TestChaosSentinel(t *testing.T) { withstand(t, chaosConfig(clustertest.Sentinel)) }

// TestChaosCluster is a short TestChaos with a Redis Cluster.
func TestChaosCluster(t *testing.T) { withstand(t, chaosConfig(clustertest.Cluster)) }

func withstand(t *testing.T, c clustertest.Config) {
	t.Helper()
	t.Parallel()                                                  // it waits more than it does
	c.Prepare = func(n *redis.Node) { n.AuditEvery(time.Second) } // which changes nothing that is right
	report := clustertest.Run(t, c)
	t.Logf("%s, seed %d: %d rounds, %d operations, %d events accepted and heard %d times, the slowest answer after %v, %d changes told\n%s",
		c.Mode, c.Seed, report.Rounds, report.Ops, report.Accepted, report.Heard, report.Slowest.Round(time.Millisecond), report.Told, report.Table())
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
	t.Parallel()
	for _, control := range []struct {
		name   string
		faults []clustertest.Fault
		weaken func(*redis.Node)
		finds  string
	}{
		{"no sequence", []clustertest.Fault{clustertest.Late}, (*redis.Node).WithoutSequence, "Redis has"},
		{"no fence", []clustertest.Fault{clustertest.Zombie}, (*redis.Node).WithoutFence, "Redis has"},
		{"no snapshot", []clustertest.Fault{clustertest.Deaf}, (*redis.Node).WithoutSnapshot, "misses|sees the ghost"},
		{"no log", []clustertest.Fault{clustertest.Deaf}, (*redis.Node).WithoutLog, "has not heard"},
		{"no offsets", []clustertest.Fault{clustertest.Deaf}, (*redis.Node).WithoutOffsets, "has not heard"},
		{"no replay", []clustertest.Fault{clustertest.Deaf}, (*redis.Node).WithoutReplay, "has not heard"},
	} {
		t.Run(control.name, func(t *testing.T) {
			t.Parallel()
			c := chaosConfig(clustertest.Standalone)
			c.Nodes, c.Ops, c.Faults, c.Prepare, c.Settle = 3, 4*chaosOps, control.faults, control.weaken, 3*time.Second
			report := clustertest.Run(t, c)
			i := slices.IndexFunc(report.Violations, regexp.MustCompile(control.finds).MatchString)
			if i < 0 {
				t.Fatalf("nothing like %q is found wrong in %d operations, but: %v", control.finds, report.Ops, report.Violations)
			}
			t.Logf("after %d operations %d are found, such as: %s", report.Ops, len(report.Violations), report.Violations[i])
		})
	}
}
