package redis

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// A sentinel that was away for long says who the master was before the failovers
// that it has missed. Nobody goes back there, unless all say so.
func TestSentinelThatWasAway(t *testing.T) {
	c := DefaultConfig
	c.Sentinels, c.Master = []string{"127.0.0.1:1", "127.0.0.1:2"}, "m"
	n, err := New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	m := &n.masters
	is := func(want string) {
		t.Helper()
		if got, err := m.current(t.Context()); got != want || err != nil {
			t.Errorf("the master is %s, %v, want %s", got, err, want)
		}
	}
	m.told("first", "old", 3)
	m.told("second", "old", 3)
	m.told("first", "new", 4)
	is("new")
	m.left["old"] = time.Now().Add(-2 * leftFor) // the failover was long ago
	m.told("second", "old", 3)
	is("new")
	m.told("first", "old", 3)
	is("old")
}

// What is asked after a failover is asked of the new master at once: no connection
// to the old one is used again.
func TestNoCallFailsAfterSwitch(t *testing.T) {
	was, is := redistest.Start(t), redistest.Start(t)
	c := DefaultConfig
	c.Sentinels, c.Master = []string{"127.0.0.1:1"}, "m"
	n, err := New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.state.Close() })
	n.masters.told("sentinel", was.Addr(), 1)
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for range 50 {
				if err := n.state.Ping(t.Context()).Err(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	calls.Wait()
	n.masters.told("sentinel", is.Addr(), 2)
	for range 16 {
		if err := n.state.Ping(t.Context()).Err(); err != nil {
			t.Error(err)
		}
	}
}
