package redis_test

import (
	"fmt"
	"testing"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// What somebody else has written where a log should be holds up no other topic, and
// its own only for so long.
func TestGarbledLogs(t *testing.T) {
	garble := map[string]func(*redistest.Server, string){
		"not-a-list": func(r *redistest.Server, key string) { r.Do("SET", key, "x") },
		"no-head":    func(r *redistest.Server, key string) { r.Do("LPUSH", key, "x") },
		"empty-head": func(r *redistest.Server, key string) { r.Do("LPUSH", key, "") },
		"last-entry": func(r *redistest.Server, key string) { r.Do("RPUSH", key, "x") },
		"last-empty": func(r *redistest.Server, key string) { r.Do("RPUSH", key, "") },
	}
	for name, garble := range garble {
		t.Run(name, func(t *testing.T) {
			r := redistest.Start(t)
			a := serve(t, r.URL())
			odd := channel.Topic{App: "app", Channel: name}
			publish := func(topic channel.Topic, text string) {
				if err := a.Broker().Publish(t.Context(), broker.Message{Topic: topic, Frame: frame.Text([]byte(text))}); err != nil {
					t.Error(err)
				}
			}
			for _, topic := range []channel.Topic{odd, quiet} {
				if err := a.Broker().Subscribe(t.Context(), topic); err != nil {
					t.Fatal(err)
				}
				publish(topic, "1")
			}
			key := redis.Keys + ":t:app\x00" + name
			if name == "not-a-list" {
				r.Do("DEL", key)
			}
			garble(r, key)
			before := a.Stats().Resubs
			r.KillPubSub()
			eventually(t, "the connection is made anew", func() bool { return a.Stats().Resubs > before })
			publish(quiet, "2")
			eventually(t, "another topic is heard", func() bool { return a.heard(&a.frames) == "1 1 2" })
			want := "1 1 2"
			for i := range 100 {
				publish(odd, fmt.Sprint("odd-", i))
				want += fmt.Sprint(" odd-", i)
			}
			eventually(t, "its own is heard, too", func() bool { return a.heard(&a.frames) == want })
		})
	}
}
