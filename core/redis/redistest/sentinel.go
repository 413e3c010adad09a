package redistest

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"
)

// MasterName is what sentinels call the master.
const MasterName = "revurb"

// A Sentinel is a master, its replica, and the sentinels that watch both.
type Sentinel struct {
	// Servers are the master, at first, and its replica.
	Servers []*Server
	// Sentinels have no password. With [TLS], clients use TLS for them too.
	Sentinels []*Server

	tb testing.TB
}

// StartSentinel starts a master with a replica, with options, and n sentinels
// that find a master dead after half a second. It returns when they could
// promote the replica.
func StartSentinel(tb testing.TB, n int, options ...Option) *Sentinel {
	tb.Helper()
	require(tb)
	c := newConfig(tb, options)
	username, password := c.login()
	if password != "" {
		c.set("masterauth", password)
	}
	if username != "" {
		c.set("masteruser", username)
	}
	// A master waits 5 s for more replicas before it sends its data.
	c.set("repl-diskless-sync-delay", "0")
	master := start(tb, c)
	host, port := "127.0.0.1", strconv.Itoa(master.port)
	replica := start(tb, c.with("replicaof", host, port))
	s := &Sentinel{tb: tb, Servers: []*Server{master, replica}}
	// A sentinel asks for replicas at once, and then only 10 s later.
	s.wait("the replica follows the master", func() error { return follows(replica, master) })

	watch := config{sentinel: true, tls: c.tls}
	watch.set("sentinel", "monitor", MasterName, host, port, strconv.Itoa(n/2+1))
	watch.set("sentinel", "down-after-milliseconds", MasterName, "500")
	watch.set("sentinel", "failover-timeout", MasterName, "3000")
	if password != "" {
		watch.set("sentinel", "auth-pass", MasterName, password)
	}
	if username != "" {
		watch.set("sentinel", "auth-user", MasterName, username)
	}
	for range n {
		s.Sentinels = append(s.Sentinels, start(tb, watch))
	}
	s.wait("the sentinels know each other", s.ready)
	return s
}

// follows reports whether the master knows that replica has all its data.
func follows(replica, master *Server) error {
	info, err := master.info("replication")
	if err != nil {
		return err
	}
	got, want := info["slave0"], fmt.Sprintf("ip=127.0.0.1,port=%d,state=online", replica.port)
	if len(got) < len(want) || got[:len(want)] != want {
		return fmt.Errorf("the master knows %q", got)
	}
	return nil
}

// ready reports whether every sentinel sees the replica and all others.
func (s *Sentinel) ready() error {
	for _, sentinel := range s.Sentinels {
		v, err := sentinel.Try("SENTINEL", "MASTER", MasterName)
		if err != nil {
			return err
		}
		list, _ := v.([]any)
		fields := map[any]any{}
		for i := 0; i+1 < len(list); i += 2 {
			fields[list[i]] = list[i+1]
		}
		replicas, others := fields["num-slaves"], fields["num-other-sentinels"]
		if replicas != "1" || others != strconv.Itoa(len(s.Sentinels)-1) || fields["flags"] != "master" {
			return fmt.Errorf("sentinel %s sees %v replicas and %v sentinels", sentinel.Addr(), replicas, others)
		}
	}
	return nil
}

// Addrs returns host:port of the sentinels.
func (s *Sentinel) Addrs() []string { return addrs(s.Sentinels) }

// Master returns the server that the sentinels say is the master. The test
// fails if they do not agree.
func (s *Sentinel) Master() *Server {
	s.tb.Helper()
	master, err := s.agreed()
	if err != nil {
		s.tb.Fatal(err)
	}
	return master
}

// agreed returns the master of all sentinels that run.
func (s *Sentinel) agreed() (*Server, error) {
	var master *Server
	for _, sentinel := range s.Sentinels {
		v, err := sentinel.Try("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName)
		if err != nil {
			continue // it was killed
		}
		named, err := s.server(v)
		if err != nil {
			return nil, fmt.Errorf("sentinel %s: %w", sentinel.Addr(), err)
		}
		if master != nil && master != named {
			return nil, errors.New("the sentinels do not agree who is the master")
		}
		master = named
	}
	if master == nil {
		return nil, errors.New("no sentinel answers")
	}
	return master, nil
}

func (s *Sentinel) server(addr any) (*Server, error) {
	if list, ok := addr.([]any); ok && len(list) == 2 {
		for _, server := range s.Servers {
			if list[1] == strconv.Itoa(server.port) {
				return server, nil
			}
		}
	}
	return nil, fmt.Errorf("%v is none of the servers", addr)
}

// Failover does fault to the master, waits until there is another and returns
// that one:
//
//	s.Failover((*redistest.Server).Pause)
func (s *Sentinel) Failover(fault func(*Server)) *Server {
	s.tb.Helper()
	old := s.Master()
	fault(old)
	return s.WaitPromoted(old)
}

// PlannedFailover has the sentinels promote the replica though nothing is wrong,
// as an operator does, and returns the new master. The old one becomes its
// replica, a little later.
func (s *Sentinel) PlannedFailover() *Server {
	s.tb.Helper()
	old := s.Master()
	s.wait("the replica follows the master", func() error { return follows(s.other(old), old) })
	s.wait("a planned failover begins", func() error {
		// A sentinel refuses until it knows of a good replica, and for a while
		// after the failover before.
		_, err := s.Sentinels[0].Try("SENTINEL", "FAILOVER", MasterName)
		return err
	})
	return s.WaitPromoted(old)
}

// other returns the server that is not this one.
func (s *Sentinel) other(not *Server) *Server {
	for _, server := range s.Servers {
		if server != not {
			return server
		}
	}
	return nil
}

// Rejoin starts a master again that was killed, as the replica of the one that
// took its place. Sentinels would have it so, but later.
func (s *Sentinel) Rejoin(old *Server) {
	s.tb.Helper()
	master := s.Master()
	old.Restart()
	old.Do("REPLICAOF", "127.0.0.1", master.port)
	s.wait("the old master follows the new one", func() error { return follows(old, master) })
}

// WaitPromoted waits until all sentinels have another master than old that
// also believes it, and returns it.
func (s *Sentinel) WaitPromoted(old *Server) *Server {
	s.tb.Helper()
	var master *Server
	s.wait("another server is the master", func() (err error) {
		if master, err = s.agreed(); err != nil {
			return err
		}
		if master == old {
			return errors.New("the sentinels keep the old master")
		}
		info, err := master.info("replication")
		if err == nil && info["role"] != "master" {
			err = fmt.Errorf("the new master is a %s", info["role"])
		}
		return err
	})
	return master
}

func (s *Sentinel) wait(what string, check func() error) {
	s.tb.Helper()
	if err := until(2*time.Minute, check); err != nil {
		s.tb.Fatalf("waiting until %s: %v", what, err)
	}
}

func addrs(servers []*Server) []string {
	var list []string
	for _, s := range servers {
		list = append(list, s.Addr())
	}
	return list
}
