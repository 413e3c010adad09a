package redistest_test

import (
	"testing"

	"github.com/revurb/revurb/core/redis/redistest"
)

func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*redistest.Server){
		"hung master": (*redistest.Server).Pause,
		"dead master": (*redistest.Server).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.StartSentinel(t, 3, redistest.Password("secret"))
			if got := len(s.Addrs()); got != 3 {
				t.Fatalf("got %d sentinels, want 3", got)
			}
			old := s.Master()
			if old != s.Servers[0] {
				t.Error("the master is not the server that was started as one")
			}
			old.Do("SET", "k", "v")
			if got := old.Do("WAIT", 1, 5000); got != int64(1) {
				t.Fatalf("WAIT: got %v replicas, want 1", got)
			}

			promoted := s.Failover(fault)
			if promoted == old || promoted != s.Master() {
				t.Errorf("%s is promoted, and %s the master", promoted.Addr(), s.Master().Addr())
			}
			if got := promoted.Do("GET", "k"); got != "v" {
				t.Errorf("GET from the new master: got %v, want v", got)
			}
			if got := promoted.Do("SET", "k", "w"); got != "OK" {
				t.Errorf("SET on the new master: got %v, want OK", got)
			}
		})
	}
}

func TestSentinelOptions(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t, 3, redistest.TLS(), redistest.User("revurb", "secret"))
	if s.Servers[0].CAFile() != s.Sentinels[0].CAFile() {
		t.Error("servers and sentinels have different certificates")
	}
	if promoted := s.Failover((*redistest.Server).Kill); promoted != s.Servers[1] {
		t.Errorf("%s is promoted, want the replica", promoted.Addr())
	}
}
