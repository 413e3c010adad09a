package redis_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/broker/brokertest"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/presence/presencetest"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
	"github.com/revurb/revurb/core/user"
	"github.com/revurb/revurb/core/user/usertest"
)

// lease is short, so that tests need not wait for long.
const lease = 600 * time.Millisecond

func config(s *redistest.Server) redis.Config {
	c := redis.DefaultConfig
	c.URL, c.Lease = s.URL(), lease
	return c
}

func logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// open returns a node that nobody has started.
func open(t testing.TB, s *redistest.Server) *redis.Node {
	t.Helper()
	n, err := redis.New(config(s), logger(t))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// start returns a node that runs.
func start(t testing.TB, s *redistest.Server) *redis.Node {
	t.Helper()
	n := open(t, s)
	n.Changes(func(presence.Change) {})
	launch(t, n)
	return n
}

// launch starts a node that nobody has started, until the test ends.
func launch(t testing.TB, n *redis.Node) {
	t.Helper()
	n.Occupancy().Start(occupancy.Change.Settled)
	if err := n.Broker().Start(func(broker.Message) error { return nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestBroker(t *testing.T) {
	s := redistest.Start(t)
	brokertest.Run(t, func(t *testing.T) broker.Broker { return open(t, s).Broker() })
}

func TestMembers(t *testing.T) {
	s := redistest.Start(t)
	presencetest.Run(t, func(t *testing.T) presence.Members {
		s.FlushAll()
		return start(t, s).Members()
	})
}

func TestUsers(t *testing.T) {
	s := redistest.Start(t)
	usertest.Run(t, func(t *testing.T) user.Users {
		s.FlushAll()
		return start(t, s).Users()
	})
}
