package redis_test

import (
	"testing"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

var quiet = channel.Topic{App: "app", Channel: "quiet"}

const (
	quietKey   = "app\x00quiet"
	settledKey = ":settled"
)

// say publishes on the quiet topic.
func say(t *testing.T, s *server, text string) {
	t.Helper()
	if err := s.Broker().Publish(t.Context(), broker.Message{Topic: quiet, Frame: frame.Text([]byte(text))}); err != nil {
		t.Fatal(err)
	}
}

// A node that is cut off is reaped before it is back. What was published meanwhile
// on a topic that only it had, and that has no log anymore, is still for it.
func TestReplayOfTopicThatNobodyElseHas(t *testing.T) {
	r := redistest.Start(t)
	proxy := redistest.NewProxy(t, r)
	a, b := serve(t, proxy.URL()), serve(t, r.URL())
	if err := a.Broker().Subscribe(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	a.Count(quiet, 1)
	has := func() bool { return r.Do("HEXISTS", redis.Keys+":tot", quietKey) == int64(1) }
	eventually(t, "Redis knows that somebody has the topic", has)
	r.Do("DEL", redis.Keys+":t:"+quietKey) // as if nothing had been published for long
	r.Do("SET", redis.Keys+settledKey, "0")
	say(t, b, "1")
	r.Do("DEL", redis.Keys+":t:"+quietKey)

	proxy.Cut()
	eventually(t, "the node is reaped", func() bool { return !has() })
	say(t, b, "2")
	proxy.Heal()
	eventually(t, "what was published meanwhile is heard", func() bool { return a.heard(&a.frames) == "1 2" })
}

// Who has come just before a failover, or just before Redis was killed, may be
// unknown to what comes after.
func TestNothingIsSkippedOnAnotherServer(t *testing.T) {
	r := redistest.Start(t, redistest.AOF())
	b := serve(t, r.URL())
	kept := func() bool { return r.Do("EXISTS", redis.Keys+":t:"+quietKey) == int64(1) }
	say(t, b, "nobody knows yet who has what")
	if !kept() {
		t.Error("what is published first is not kept")
	}
	settle := func() {
		since, _ := r.Do("GET", redis.Keys+settledKey).(string)
		r.Do("SET", redis.Keys+settledKey, "0"+since[len("1700000000000"):])
		r.Do("DEL", redis.Keys+":t:"+quietKey)
	}
	settle()
	say(t, b, "nobody has the topic")
	if kept() {
		t.Error("what nobody hears is kept")
	}
	r.Kill()
	r.Restart()
	say(t, b, "somebody may have it")
	if !kept() {
		t.Error("on another server it is not kept")
	}
}
