package redis_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis/redistest"
)

// BenchmarkCost is how much of its processor Redis takes for what nodes do, of
// 64 callers at once. Members leave whom the benchmark before has let join.
func BenchmarkCost(b *testing.B) {
	s := redistest.Start(b)
	n := start(b, s)
	topic := func(i int) channel.Topic {
		return channel.Topic{App: "app", Channel: fmt.Sprintf("presence-%d", i%100)}
	}
	for _, c := range []struct {
		name string
		do   func(b *testing.B, i int)
	}{
		{"publish, nobody there", func(b *testing.B, i int) {
			m := broker.Message{Topic: channel.Topic{App: "app", Channel: "news"}, Frame: frame.Text(make([]byte, 200))}
			if err := n.Broker().Publish(b.Context(), m); err != nil {
				b.Error(err)
			}
		}},
		{"publish, one node", func(b *testing.B, i int) {
			m := broker.Message{Topic: channel.Topic{App: "app", Channel: "here"}, Frame: frame.Text(make([]byte, 200))}
			if err := n.Broker().Publish(b.Context(), m); err != nil {
				b.Error(err)
			}
		}},
		{"subscription counted", func(b *testing.B, i int) {
			n.Count(channel.Topic{App: "app", Channel: fmt.Sprint("c-", i)}, 1)
		}},
		{"client comes and goes", func(b *testing.B, i int) {
			if n.Admit(b.Context(), "app", 0) {
				n.Release("app")
			}
		}},
		{"client comes and goes, with a limit", func(b *testing.B, i int) {
			if n.Admit(b.Context(), "limited", 1000) {
				n.Release("limited")
			}
		}},
		{"member joins", func(b *testing.B, i int) {
			err := n.Enter(b.Context(), topic(i), fmt.Sprint(i), presence.Member{UserID: fmt.Sprint(i)}, 0, func([]presence.Member) {})
			if err != nil {
				b.Error(err)
			}
		}},
		{"member leaves", func(b *testing.B, i int) {
			n.Depart(b.Context(), topic(i), fmt.Sprint(i), fmt.Sprint(i))
		}},
	} {
		if err := n.Broker().Subscribe(b.Context(), channel.Topic{App: "app", Channel: "here"}); err != nil {
			b.Fatal(err)
		}
		for i := range 100 {
			if err := n.Broker().Subscribe(b.Context(), topic(i)); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(c.name, func(b *testing.B) {
			before := s.CPU()
			var wg sync.WaitGroup
			const callers = 64
			for w := range callers {
				wg.Go(func() {
					for i := w; i < b.N; i += callers {
						c.do(b, i)
					}
				})
			}
			wg.Wait()
			if _, err := n.Subscriptions(b.Context(), topic(0)); err != nil { // all has been said
				b.Fatal(err)
			}
			b.ReportMetric(float64((s.CPU()-before)/time.Nanosecond)/float64(b.N)/1000, "redis-µs/op")
		})
	}
}
