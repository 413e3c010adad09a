package redis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/broker/brokertest"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// What a node could not hear is read from the log, in its order, and once.
func TestReplayAfterConnectionIsLost(t *testing.T) {
	r := redistest.Start(t)
	a, b := serve(t, r.URL()), serve(t, r.URL())
	if err := b.Broker().Subscribe(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	var want string
	for i := range 300 {
		if i%50 == 25 {
			r.KillPubSub()
		}
		err := a.Broker().Publish(t.Context(), broker.Message{Topic: room, Frame: frame.Text(fmt.Append(nil, i))})
		if err != nil {
			t.Fatal(err)
		}
		want += fmt.Sprint(" ", i)
	}
	eventually(t, "all is heard", func() bool { return " "+b.heard(&b.frames) == want })
}

// keeping opens nodes that keep what they are told, each with keys of its own.
func keeping(t *testing.T, c redis.Config) func(*testing.T, broker.Retention) brokertest.Logged {
	t.Helper()
	others := 0
	return func(t *testing.T, r broker.Retention) brokertest.Logged {
		others++
		c := c
		c.Prefix = fmt.Sprint(c.Prefix, "-log-", others)
		c.ReplayFor, c.ReplayEvents, c.ReplayBytes = r.For, r.Events, r.Bytes
		n, err := redis.New(c, logger(t))
		if err != nil {
			t.Fatal(err)
		}
		return n.Broker()
	}
}

func TestLog(t *testing.T) {
	brokertest.RunLog(t, keeping(t, config(redistest.Start(t))))
}

func TestLogOfRedisCluster(t *testing.T) {
	c := redis.DefaultConfig
	c.Cluster, c.Lease = redistest.StartCluster(t, 3).Addrs(), lease
	brokertest.RunLog(t, keeping(t, c))
}

func TestLogWithSentinel(t *testing.T) {
	c := redis.DefaultConfig
	c.Sentinels, c.Master, c.Lease = redistest.StartSentinel(t, 3).Addrs(), redistest.MasterName, lease
	brokertest.RunLog(t, keeping(t, c))
}

// What Redis accepts and loses is counted by who should have had it, once: not by
// who came later, nor by who has had it.
func TestLostEventsAreCounted(t *testing.T) {
	r := redistest.Start(t)
	a, b := serve(t, r.URL()), serve(t, r.URL())
	for _, s := range []*server{a, b} {
		if err := s.Broker().Subscribe(t.Context(), room); err != nil {
			t.Fatal(err)
		}
	}
	publish := func(text string) {
		if err := a.Broker().Publish(t.Context(), broker.Message{Topic: room, Frame: frame.Text([]byte(text))}); err != nil {
			t.Fatal(err)
		}
	}
	publish("1")
	eventually(t, "it is old enough not to be from before they came", func() bool {
		publish("2")
		return len(strings.Fields(b.heard(&b.frames))) > 500
	})
	const lost = 1 << 40
	a.Accept(room.App+"\x00"+room.Channel, lost)
	for _, s := range []*server{a, b} {
		eventually(t, "the event is counted", func() bool { return s.Stats().LostEvents > 0 })
		if n := s.Stats().LostEvents; n != 1 {
			t.Errorf("%d events are counted, want 1", n)
		}
	}
}

// Who has published nothing for long is forgotten, and who has is not.
func TestIdleProducersAreForgotten(t *testing.T) {
	r := redistest.Start(t)
	a := serve(t, r.URL())
	if err := a.Broker().Publish(t.Context(), broker.Message{Topic: room, Frame: frame.Text([]byte("1"))}); err != nil {
		t.Fatal(err)
	}
	key := redis.Keys + ":producers"
	r.Do("HSET", key, "gone", "7 9 1700000000000")
	if err := a.AuditOnce(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if n, has := r.Do("HLEN", key), r.Do("HEXISTS", key, "gone"); n != int64(1) || has != int64(0) {
		t.Errorf("%v producers are known, the idle one among them: %v", n, has)
	}
}

// Logs that are over, because nothing was published for long, are not read when a
// connection is made anew: busy topics would wait for all of them.
func TestQuietLogsAreNotRead(t *testing.T) {
	r := redistest.Start(t)
	a := serve(t, r.URL())
	publish := func(i int) {
		topic := channel.Topic{App: "app", Channel: fmt.Sprint("quiet-", i)}
		if err := a.Broker().Publish(t.Context(), broker.Message{Topic: topic, Frame: frame.Text(fmt.Append(nil, i))}); err != nil {
			t.Fatal(err)
		}
	}
	const topics = 50
	var want []string
	for i := range topics {
		if err := a.Broker().Subscribe(t.Context(), channel.Topic{App: "app", Channel: fmt.Sprint("quiet-", i)}); err != nil {
			t.Fatal(err)
		}
		publish(i)
		want = append(want, fmt.Sprint(i))
	}
	eventually(t, "all is heard", func() bool { return a.heard(&a.frames) == strings.Join(want, " ") })
	for i := range topics {
		r.Do("DEL", redis.Keys+":t:app\x00quiet-"+fmt.Sprint(i))
	}
	read := r.Calls("lrange")
	r.KillPubSub()
	exist := func() (n int64) {
		for i := range topics {
			is, _ := r.Do("EXISTS", redis.Keys+":t:app\x00quiet-"+fmt.Sprint(i)).(int64)
			n += is
		}
		return n
	}
	eventually(t, "the node has asked where the logs are", func() bool { return exist() == topics })
	for i := range topics {
		publish(i)
		want = append(want, fmt.Sprint(i))
	}
	eventually(t, "all is heard again", func() bool { return a.heard(&a.frames) == strings.Join(want, " ") })
	if n := r.Calls("lrange") - read; n > 0 {
		t.Errorf("%d logs were read", n)
	}
}

// An attempt that Redis refuses has had no log last on: the next one has.
func TestLogLastsOnAfterRefusal(t *testing.T) {
	r := redistest.Start(t)
	a := serve(t, r.URL())
	if err := a.Broker().Subscribe(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	const soon = 20_000
	key := redis.Keys + ":t:" + quietKey
	r.Do("PEXPIRE", key, soon)
	r.Do("CONFIG", "SET", "maxmemory", "1")
	m := broker.Message{Topic: quiet, Frame: frame.Text([]byte("x"))}
	if err := a.Broker().Publish(t.Context(), m); err == nil {
		t.Fatal("Redis takes an event without memory for it")
	}
	r.Do("CONFIG", "SET", "maxmemory", "0")
	if err := a.Broker().Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if ttl, _ := r.Do("PTTL", key).(int64); ttl <= soon {
		t.Errorf("the log lasts for %d ms more", ttl)
	}
}
