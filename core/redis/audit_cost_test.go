package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// BenchmarkAudit is how much of its processor Redis takes for a node that compares
// once what it has: 10,000 subscriptions, on one of three nodes.
func BenchmarkAudit(b *testing.B) {
	for _, c := range []struct {
		name string
		have func(n *redis.Node, i int) error
	}{
		{"10,000 channels", func(n *redis.Node, i int) error {
			n.Count(channel.Topic{App: "app", Channel: fmt.Sprint("private-user-", i)}, 1)
			return nil
		}},
		{"10,000 members of 1,000 channels", func(n *redis.Node, i int) error {
			t := channel.Topic{App: "app", Channel: fmt.Sprint("presence-room-", i%1000)}
			if i < 1000 {
				if err := n.Broker().Subscribe(context.Background(), t); err != nil {
					return err
				}
			}
			n.Count(t, i/1000+1)
			return n.Enter(context.Background(), t, fmt.Sprint(i), presence.Member{UserID: fmt.Sprint("user-", i)}, 0, func([]presence.Member) {})
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := redistest.Start(b)
			nodes := []*redis.Node{open(b, s), open(b, s), open(b, s)}
			for i, n := range nodes {
				n.AuditEvery(time.Hour)
				n.Changes(func(presence.Change) {})
				launch(b, n)
				if i > 0 {
					continue
				}
				for i := range 10_000 {
					if err := c.have(n, i); err != nil {
						b.Fatal(err)
					}
				}
			}
			for _, lead := range []bool{false, true} {
				b.Run(map[bool]string{false: "its own", true: "and the sums"}[lead], func(b *testing.B) {
					before := s.CPU()
					for range b.N {
						if err := nodes[0].AuditOnce(b.Context(), lead); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64((s.CPU()-before)/time.Microsecond)/float64(b.N)/1000, "redis-ms/op")
				})
			}
			if r := nodes[0].Stats().Repairs; r > 0 {
				b.Errorf("%d entries were repaired, of which none was wrong", r)
			}
		})
	}
}
