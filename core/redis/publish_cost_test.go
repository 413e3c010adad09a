package redis_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// BenchmarkPublish is how much of its processor Redis takes for an event of 200
// bytes: with its log, and as a bare PUBLISH of the same events in the same batches,
// both heard by one connection. Of a lone publisher each event is a batch.
func BenchmarkPublish(b *testing.B) {
	for _, c := range []struct {
		name            string
		topics, callers int
	}{
		{"one channel", 1, 64},
		{"a thousand channels", 1000, 64},
		{"one channel, a lone publisher", 1, 1},
	} {
		b.Run(c.name+"/bare", func(b *testing.B) {
			s := redistest.Start(b)
			cost(b, s, c.callers, bare(b, s, c.topics, c.callers))
		})
		b.Run(c.name+"/with its log", func(b *testing.B) {
			s := redistest.Start(b)
			cost(b, s, c.callers, logging(b, s, c.topics, redis.DefaultConfig))
		})
	}
	b.Run("nobody there/with its log", func(b *testing.B) {
		s := redistest.Start(b)
		c := redis.DefaultConfig
		c.ReplayFor = time.Millisecond // so that Redis soon knows that nobody is
		publish := logging(b, s, 0, c)
		for begun := time.Now(); time.Since(begun) < 100*time.Millisecond; {
			publish(0)
		}
		cost(b, s, 64, publish)
	})
}

// BenchmarkLogMemory is how much memory of Redis the logs of channels take, each with
// a hundred events of 200 bytes, or with none.
func BenchmarkLogMemory(b *testing.B) {
	for _, events := range []int{0, 100} {
		b.Run(fmt.Sprint(events, " events"), func(b *testing.B) {
			const topics = 1000
			s := redistest.Start(b)
			before := memory(b, s)
			publish := logging(b, s, topics, redis.DefaultConfig)
			for b.Loop() {
				for i := range topics * events {
					publish(i)
				}
			}
			b.ReportMetric(float64(memory(b, s)-before)/topics, "B/channel")
		})
	}
}

func memory(b *testing.B, s *redistest.Server) int {
	b.Helper()
	text, _ := s.Do("INFO", "memory").(string)
	_, text, _ = strings.Cut(text, "used_memory:")
	text, _, _ = strings.Cut(text, "\r")
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// cost has callers do something b.N times, and reports what Redis took for it.
func cost(b *testing.B, s *redistest.Server, callers int, do func(i int)) {
	b.Helper()
	before := s.CPU()
	var wg sync.WaitGroup
	for w := range callers {
		wg.Go(func() {
			for i := w; i < b.N; i += callers {
				do(i)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64((s.CPU()-before).Nanoseconds())/float64(b.N)/1000, "redis-µs/op")
}

// logging returns a publisher on a node that listens to so many topics.
func logging(b *testing.B, s *redistest.Server, topics int, c redis.Config) func(i int) {
	b.Helper()
	c.URL = s.URL()
	n, err := redis.New(c, logger(b))
	if err != nil {
		b.Fatal(err)
	}
	launch(b, n)
	topic := func(i int) channel.Topic { return channel.Topic{App: "app", Channel: fmt.Sprint("news-", i)} }
	for i := range topics {
		if err := n.Broker().Subscribe(b.Context(), topic(i)); err != nil {
			b.Fatal(err)
		}
	}
	return func(i int) {
		m := broker.Message{Topic: topic(i % max(1, topics)), Frame: frame.Text(make([]byte, 200))}
		if err := n.Broker().Publish(b.Context(), m); err != nil {
			b.Error(err)
		}
	}
}

// bare returns a publisher that has the library publish so many at once.
func bare(b *testing.B, s *redistest.Server, topics, batch int) func(int) {
	b.Helper()
	o, err := goredis.ParseURL(s.URL())
	if err != nil {
		b.Fatal(err)
	}
	client := goredis.NewClient(o)
	b.Cleanup(func() { _ = client.Close() })
	names := make([]string, topics)
	for i := range names {
		names[i] = fmt.Sprint("revurb:2:{0}:t:app-news-", i)
	}
	sub := client.Subscribe(b.Context(), names...)
	b.Cleanup(func() { _ = sub.Close() })
	go func() {
		for {
			if _, err := sub.Receive(b.Context()); err != nil {
				return
			}
		}
	}()
	var mu sync.Mutex
	queued := 0
	pipe := client.Pipeline()
	return func(i int) {
		mu.Lock()
		defer mu.Unlock()
		pipe.Publish(b.Context(), names[i%topics], make([]byte, 200))
		if queued++; queued == batch {
			queued = 0
			if _, err := pipe.Exec(b.Context()); err != nil {
				b.Error(err)
			}
		}
	}
}
