package redis_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// witness is a node with a member in the room, who hears of the others.
type witness struct {
	*redis.Node
	told <-chan presence.Change
}

func (w witness) enter(t *testing.T, user string) {
	t.Helper()
	err := w.Enter(context.Background(), room, user, presence.Member{UserID: user}, 0, func([]presence.Member) {})
	if err != nil {
		t.Fatal(err)
	}
}

// until returns what is told until a user has come, that among it.
func (w witness) until(t *testing.T, user string) string {
	t.Helper()
	limit := time.After(2 * patience)
	var all []string
	for {
		select {
		case c := <-w.told:
			if !c.Came {
				all = append(all, "-"+c.UserID)
				continue
			}
			all = append(all, "+"+c.UserID)
			if c.UserID == user {
				return strings.Join(all, " ")
			}
		case <-limit:
			t.Fatalf("%s has not come, but %v", user, all)
		}
	}
}

// Nobody is told of anybody who never left when Redis has been away for about a lease,
// or its clock has jumped. A node that died meanwhile is reaped all the same.
func TestNobodyDiesWithRedis(t *testing.T) {
	const short, long = lease, 3 * time.Second
	hang := func(d time.Duration) func(*redistest.Server) {
		return func(s *redistest.Server) {
			s.Pause()
			<-time.After(d)
			s.Resume()
		}
	}
	kill := func(d time.Duration) func(*redistest.Server) {
		return func(s *redistest.Server) {
			s.Kill()
			<-time.After(d)
			s.Restart()
		}
	}
	for _, c := range []struct {
		lease  time.Duration
		name   string
		strike func(*redistest.Server)
	}{
		{short, "hung for half a lease", hang(short / 2)},
		{short, "hung for a lease", hang(short)},
		{short, "hung for a lease and a half", hang(3 * short / 2)},
		{short, "hung for three leases", hang(3 * short)},
		{long, "hung for a long lease", hang(long)},
		{short, "killed, and back after two leases", kill(2 * short)},
		{long, "killed, and back after a long lease", kill(long)},
		{short, "put forward", func(s *redistest.Server) { putClock(s, 30*time.Second) }},
		{short, "put back", func(s *redistest.Server) { putClock(s, -time.Hour) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.AOF())
			proxy := redistest.NewProxy(t, s)
			var nodes []witness
			for i := range 5 {
				url := s.URL()
				if i == 4 {
					url = proxy.URL()
				}
				n, told := follow(t, url, c.lease, room)
				nodes = append(nodes, witness{n, told})
			}
			for i, n := range nodes {
				n.enter(t, fmt.Sprint("user-", i))
			}
			nodes[4].enter(t, "last")
			for _, n := range nodes {
				n.until(t, "last")
			}
			eventually(t, "leases are judged", func() bool { return s.Do("EXISTS", redis.ControlKeys+":clock") == int64(1) })
			var names []string
			for _, n := range nodes {
				names = append(names, n.Name())
			}
			proxy.Cut() // for good: it dies with what it has
			c.strike(s)
			eventually(t, "all know that Redis is back", func() bool {
				for _, n := range nodes[:4] {
					if !n.Stats().Up {
						return false
					}
				}
				return true
			})
			eventually(t, "the dead node is reaped", func() bool {
				dead, err := s.Try("HLEN", redis.ControlKeys+":dead")
				left, err2 := s.Try("SCARD", redis.ControlKeys+":reap")
				return err == nil && err2 == nil && dead != int64(0) && left == int64(0)
			})
			nodes[0].enter(t, "after")
			for i, n := range nodes[:4] {
				got := n.until(t, "after")
				if got != "-user-4 -last +after" && got != "-last -user-4 +after" {
					t.Errorf("node %d has told %s", i, got)
				}
				if n.Name() != names[i] {
					t.Errorf("node %d was taken for dead", i)
				}
			}
		})
	}
}

// putClock has Redis find that leases were judged so much earlier, as it does when its
// clock is put forward.
func putClock(s *redistest.Server, by time.Duration) {
	for _, field := range []string{"at", "still"} {
		s.Do("HINCRBY", redis.ControlKeys+":clock", field, -by.Milliseconds())
	}
}
