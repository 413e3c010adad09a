package clustertest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// place is where the Redis of a run is.
type place interface {
	configure(*redis.Config)
	reached() []*redistest.Server // that nodes connect to
	servers() []*redistest.Server // of them those that have data, or may have
	masters() []*redistest.Server
	master(part string) *redistest.Server // that has the keys of a partition
}

// replicated is a place where another server can take over from a master.
type replicated interface {
	place
	promote(master *redistest.Server) // on purpose
	promoted(old *redistest.Server)   // waits until old, which is dead or hangs, is replaced
	rejoin(old *redistest.Server)     // waits until old, which was killed, is a replica
	returned(old *redistest.Server)   // waits until old, which hung, is a replica
}

// password is that of every Redis. It is short because it is changed at times.
const password = "one"

func newPlace(tb testing.TB, m Mode) place {
	tb.Helper()
	switch m {
	case Sentinel:
		return watched{tb, redistest.StartSentinel(tb, 3, redistest.Password(password))}
	case Cluster:
		return sharded{tb, redistest.StartReplicatedCluster(tb, 3, redistest.Password(password))}
	}
	return single{redistest.Start(tb, redistest.Password(password), redistest.AOF(), redistest.Config("appendfsync", "everysec"))}
}

// single is one server.
type single struct{ server *redistest.Server }

func (p single) configure(c *redis.Config) { c.URL = p.server.URL() }

func (p single) reached() []*redistest.Server { return p.servers() }

func (p single) servers() []*redistest.Server { return []*redistest.Server{p.server} }

func (p single) masters() []*redistest.Server { return p.servers() }

func (p single) master(string) *redistest.Server { return p.server }

// watched is a master and its replica that sentinels watch.
type watched struct {
	tb testing.TB
	*redistest.Sentinel
}

func (p watched) configure(c *redis.Config) {
	c.Sentinels, c.Master, c.Password = p.Addrs(), redistest.MasterName, password
}

func (p watched) reached() []*redistest.Server { return slices.Concat(p.Servers, p.Sentinels) }

func (p watched) servers() []*redistest.Server { return p.Servers }

func (p watched) masters() []*redistest.Server { return []*redistest.Server{p.Master()} }

func (p watched) master(string) *redistest.Server { return p.Master() }

func (p watched) promote(*redistest.Server) { p.PlannedFailover() }

func (p watched) promoted(old *redistest.Server) { p.WaitPromoted(old) }

func (p watched) rejoin(old *redistest.Server) { p.Rejoin(old) }

func (p watched) returned(old *redistest.Server) { follows(p.tb, old) }

// sharded is a Redis Cluster.
type sharded struct {
	tb testing.TB
	*redistest.Cluster
}

func (p sharded) configure(c *redis.Config) { c.Cluster, c.Password = p.Addrs(), password }

func (p sharded) reached() []*redistest.Server { return p.servers() }

func (p sharded) servers() []*redistest.Server { return slices.Concat(p.Nodes, p.Replicas) }

func (p sharded) masters() (all []*redistest.Server) {
	for _, s := range p.servers() {
		if role, err := replication(s, "role"); err == nil && role == "master" {
			all = append(all, s)
		}
	}
	return all
}

func (p sharded) master(part string) *redistest.Server { return p.Node(part) }

func (p sharded) promote(master *redistest.Server) { p.Failover(master) }

func (p sharded) promoted(old *redistest.Server) { p.WaitPromoted(old) }

func (p sharded) rejoin(old *redistest.Server) {
	old.Restart()
	follows(p.tb, old)
	p.WaitOK()
}

func (p sharded) returned(old *redistest.Server) {
	follows(p.tb, old)
	p.WaitOK()
}

// follows waits until a server is a replica that has what its master has.
func follows(tb testing.TB, s *redistest.Server) {
	tb.Helper()
	for limit := time.Now().Add(settle); ; <-time.After(20 * time.Millisecond) {
		up, err := replication(s, "master_link_status")
		switch {
		case err == nil && up == "up":
			return
		case time.Now().After(limit):
			tb.Fatalf("redis-server %s does not become a replica: %v", s.Addr(), errors.Join(err, errors.New("its link is "+up)))
		}
	}
}

// replication is a field of what a server says of its replication.
func replication(s *redistest.Server, field string) (string, error) {
	v, err := s.Try("INFO", "replication")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text(v)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			return value, nil
		}
	}
	return "", nil
}
