package redistest_test

import (
	"fmt"
	"testing"

	"github.com/revurb/revurb/core/redis/redistest"
)

func TestClusterFailover(t *testing.T) {
	t.Parallel()
	c := redistest.StartReplicatedCluster(t, 3, redistest.Password("secret"))
	old := c.Node("k")
	old.Do("SET", "k", "v")

	promoted := c.Failover(old)
	if promoted == old || c.Node("k") != promoted {
		t.Fatalf("%s is promoted, %s has the slot, want another than %s", promoted.Addr(), c.Node("k").Addr(), old.Addr())
	}
	if got := promoted.Do("GET", "k"); got != "v" {
		t.Errorf("GET from the new master: got %v, want v", got)
	}
	if back := c.Failover(promoted); back != old {
		t.Errorf("%s is promoted the second time, want %s", back.Addr(), old.Addr())
	}
}

func TestClusterMasterDies(t *testing.T) {
	t.Parallel()
	c := redistest.StartReplicatedCluster(t, 3, redistest.Password("secret"))
	old := c.Node("k")
	old.Kill()
	if promoted := c.WaitPromoted(old); c.Node("k") != promoted {
		t.Errorf("%s has the slot of a dead master, want its replica", c.Node("k").Addr())
	}
	old.Restart()
	c.WaitOK()
	if c.Node("k") == old {
		t.Error("a master that comes back has its slots again")
	}
}

func TestMoveSlots(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3)
	from := c.Node("{a}")
	for i := range 250 {
		from.Do("SET", fmt.Sprint("{a}", i), i)
	}
	var to *redistest.Server
	for _, node := range c.Nodes {
		if node != from {
			to = node
		}
	}
	subscriber := from.Conn()
	if _, err := subscriber.Do("SSUBSCRIBE", "{a}news"); err != nil {
		t.Fatal(err)
	}
	slot := c.Slot("{a}")
	c.MoveSlot(slot, to)
	if got := c.Node("{a}"); got != to {
		t.Fatalf("%s has the slot, want %s", got.Addr(), to.Addr())
	}
	for i := range 250 {
		if got, want := to.Do("GET", fmt.Sprint("{a}", i)), fmt.Sprint(i); got != want {
			t.Fatalf("GET of what was moved: got %v, want %v", got, want)
		}
	}
	if got, err := subscriber.Receive(); err != nil || fmt.Sprint(got) != "[sunsubscribe {a}news 0]" {
		t.Errorf("a subscriber is told %v, %v, want sunsubscribe", got, err)
	}

	c.MoveSlots([]int{slot, slot, (slot + 1) % 16384, (slot + 2) % 16384}, from)
	if got := c.Owner((slot + 2) % 16384); got != from || c.Owner(slot) != from {
		t.Errorf("%s has the slots, want %s", got.Addr(), from.Addr())
	}
}

func TestSentinelPlannedFailover(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t, 3)
	old := s.Master()
	old.Do("SET", "k", "v")
	promoted := s.PlannedFailover()
	if promoted == old {
		t.Fatal("the master is still the same")
	}
	if got := promoted.Do("GET", "k"); got != "v" {
		t.Errorf("GET from the new master: got %v, want v", got)
	}
	if back := s.PlannedFailover(); back != old {
		t.Errorf("%s is promoted the second time, want %s", back.Addr(), old.Addr())
	}
	s.Failover((*redistest.Server).Kill)
	s.Rejoin(old)
	if got := s.Master(); got != promoted {
		t.Errorf("%s is the master after the old one is back, want %s", got.Addr(), promoted.Addr())
	}
}
