package redis_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// resident is a node with a member of its own and one that all nodes have, in a
// channel that is its own and one that all nodes have.
type resident struct {
	*redis.Node
	t    *testing.T
	name string

	mu   sync.Mutex
	told []string
}

var (
	hall = channel.Topic{App: "app", Channel: "presence-hall"}
	news = channel.Topic{App: "app", Channel: "news"}
)

func (r *resident) heard() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.told, " ")
}

func (r *resident) own() channel.Topic { return channel.Topic{App: "app", Channel: "own-" + r.name} }

func (r *resident) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = nil
}

// reside starts one that compares often what it has with Redis.
func reside(t *testing.T, url, name string) *resident {
	return resideAuditing(t, url, name, 100*time.Millisecond)
}

// resideAuditing starts one that compares so often.
func resideAuditing(t *testing.T, url, name string, every time.Duration) *resident {
	return resideWith(t, url, name, func(n *redis.Node) { n.AuditEvery(every) })
}

// resideWith starts one that has been prepared.
func resideWith(t *testing.T, url, name string, prepare func(*redis.Node)) *resident {
	t.Helper()
	c := redis.DefaultConfig
	c.URL, c.Lease = url, 2*time.Second
	return resideIn(t, c, name, prepare)
}

// resideIn starts one in a cluster.
func resideIn(t *testing.T, c redis.Config, name string, prepare func(*redis.Node)) *resident {
	t.Helper()
	n, err := redis.New(c, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	prepare(n)
	r := &resident{Node: n, t: t, name: name}
	n.Changes(func(c presence.Change) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told = append(r.told, map[bool]string{true: "+", false: "-"}[c.Came]+c.UserID)
	})
	n.Occupancy().Start(func(occupancy.Change) {})
	if err := n.Broker().Start(func(broker.Message) error { return nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	if err := n.Broker().Subscribe(t.Context(), hall); err != nil {
		t.Fatal(err)
	}
	n.Count(hall, 2)
	n.Count(news, 3)
	n.Count(r.own(), 1)
	r.come(name)
	r.come("both")
	return r
}

// come and leave are a user's coming to the hall on this node, and going.
func (r *resident) come(user string) {
	r.t.Helper()
	err := r.Enter(context.Background(), hall, r.name+user, presence.Member{UserID: user, Info: []byte(`"` + user + `"`)}, 0, func([]presence.Member) {})
	if err != nil {
		r.t.Fatal(err)
	}
}

// fill lets a user come to a channel for two, which is full.
func (r *resident) fill(user string) {
	r.t.Helper()
	err := r.Enter(context.Background(), hall, user, presence.Member{UserID: user}, 2, func([]presence.Member) {})
	if !errors.Is(err, presence.ErrFull) {
		r.t.Errorf("%s is let in: %v", user, err)
	}
}

func (r *resident) leave(user string) { r.Depart(context.Background(), hall, r.name+user, user) }

// wrong says what a node says that is not so, or nothing.
func (r *resident) wrong(t *testing.T, counts map[channel.Topic]int, users ...string) string {
	for topic, want := range counts {
		if n, err := r.Subscriptions(t.Context(), topic); err != nil || n != want {
			return fmt.Sprintf("%d subscriptions of %s, want %d (%v)", n, topic.Channel, want, err)
		}
	}
	list, err := r.Members().List(t.Context(), hall)
	if err != nil {
		return err.Error()
	}
	var got []string
	for _, m := range list {
		if string(m.Info) != `"`+m.UserID+`"` {
			return m.UserID + " has lost the info"
		}
		got = append(got, m.UserID)
	}
	if slices.Sort(got); !slices.Equal(got, users) {
		return fmt.Sprintf("the members are %v, want %v", got, users)
	}
	return ""
}

// ledger is what nodes have said in Redis, without the order in which members came.
func ledger(s *redistest.Server) map[string]string {
	all := map[string]string{}
	for _, key := range keysOf(s) {
		_, name, _ := strings.Cut(key, "}:")
		kind, _, _ := strings.Cut(name, ":")
		switch kind {
		case "tot", "n", "m", "p", "nodes":
		default:
			continue
		}
		for field, value := range hashOf(s, key) {
			switch {
			case field == "v":
				continue
			case kind == "nodes":
				value = ""
			case strings.HasPrefix(field, "i\x00"):
				_, value, _ = strings.Cut(value, ":")
			}
			all[name+" "+field] = value
		}
	}
	return all
}

func keysOf(s *redistest.Server) (keys []string) {
	list, _ := s.Do("KEYS", "revurb:*").([]any)
	for _, key := range list {
		keys = append(keys, fmt.Sprint(key))
	}
	slices.Sort(keys)
	return keys
}

func hashOf(s *redistest.Server, key string) map[string]string {
	reply, _ := s.Try("HGETALL", key) // it may be none, or gone by now
	list, _ := reply.([]any)
	fields := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		fields[fmt.Sprint(list[i])] = fmt.Sprint(list[i+1])
	}
	return fields
}

// What Redis loses of what the nodes have, whatever it is, comes back, and nobody
// hears of members who have not gone. Who goes then has gone once.
func TestLostKeysHeal(t *testing.T) {
	s := redistest.Start(t)
	a, b := reside(t, s.URL(), "a"), reside(t, s.URL(), "b")
	counts := map[channel.Topic]int{hall: 4, news: 6, a.own(): 1, b.own(): 1}
	wrong := func() string {
		return a.wrong(t, counts, "a", "b", "both") + b.wrong(t, counts, "a", "b", "both")
	}
	eventually(t, "both are there", func() bool { return wrong() == "" && strings.HasSuffix(a.heard(), "+b") })
	a.forget()
	b.forget()
	whole := ledger(s)

	heals := func(what string, counted bool, lose func()) {
		t.Run(what, func(t *testing.T) {
			repairs := a.Stats().Repairs + b.Stats().Repairs
			lose()
			eventually(t, "Redis has all again", func() bool { return wrong() == "" && maps.Equal(whole, ledger(s)) })
			if got := a.heard() + b.heard(); got != "" {
				t.Errorf("%s is told of, who was there all the time", got)
			}
			if counted && a.Stats().Repairs+b.Stats().Repairs == repairs {
				t.Error("nobody has counted what was put right")
			}
			a.leave("a")
			eventually(t, "b hears that a has gone", func() bool { return b.heard() == "-a" })
			a.come("a")
			eventually(t, "b hears that a is back", func() bool { return b.heard() == "-a +a" })
			a.forget()
			b.forget()
		})
	}
	for _, key := range keysOf(s) {
		_, name, _ := strings.Cut(key, "}:")
		sum := slices.Contains([]string{"tot", "n", "m", "p"}, strings.Split(name, ":")[0])
		heals("key "+name, sum, func() { s.Do("DEL", key) })
		for field := range hashOf(s, key) {
			heals("field "+field+" of "+name, sum && field != "v", func() { s.Do("HDEL", key, field) })
		}
	}
}

// What happens before a loss is found makes it known: it is put right then, and
// told of as it is.
func TestChangeAfterALoss(t *testing.T) {
	p := redis.Keys + ":p:app\x00presence-hall"
	for _, c := range []struct {
		name  string
		lose  []any
		then  func(a, b *resident) // a has a and both, b has b and both
		told  string               // at b; what a tells itself it does not tell twice
		users []string

		audited bool // it comes right only when the nodes compare what they have
	}{
		{"all members, then one comes", []any{"DEL", p}, func(a, _ *resident) { a.come("new") }, "+new", []string{"a", "b", "both", "new"}, false},
		{"all members, then one goes", []any{"DEL", p}, func(a, _ *resident) { a.leave("a") }, "-a", []string{"b", "both"}, false},
		{"all members, then one goes here and stays elsewhere", []any{"DEL", p}, func(a, _ *resident) { a.leave("both") }, "", []string{"a", "b", "both"}, true},
		{"on how many nodes one is, then he goes on one", []any{"HDEL", p, "c\x00both"}, func(a, _ *resident) { a.leave("both") }, "", []string{"a", "b", "both"}, true},
		{"on how many nodes one is, then he goes", []any{"HDEL", p, "c\x00a"}, func(a, _ *resident) { a.leave("a") }, "-a", []string{"b", "both"}, false},
		{"the version, then one comes", []any{"HDEL", p, "v"}, func(a, _ *resident) { a.come("new") }, "+new", []string{"a", "b", "both", "new"}, false},
		{"the epoch, then one comes", []any{"DEL", redis.Keys + ":epoch"}, func(a, _ *resident) { a.come("new") }, "+new", []string{"a", "b", "both", "new"}, false},
		{"the last version, then one goes", []any{"HDEL", redis.Keys + ":epoch", "v"}, func(a, _ *resident) { a.leave("a") }, "-a", []string{"b", "both"}, false},
		{"whom a node has, then one goes", []any{"DEL", redis.Keys + ":m:"}, func(a, _ *resident) { a.leave("a") }, "-a", []string{"b", "both"}, false},
		{"whom a node has, then one goes who stays elsewhere", []any{"DEL", redis.Keys + ":m:"}, func(a, _ *resident) { a.leave("both") }, "", []string{"a", "b", "both"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := redistest.Start(t)
			every := time.Hour
			if c.audited {
				every = 100 * time.Millisecond
			}
			a, b := resideAuditing(t, s.URL(), "a", every), resideAuditing(t, s.URL(), "b", every)
			eventually(t, "both are there", func() bool {
				return b.wrong(t, nil, "a", "b", "both") == "" && strings.HasSuffix(a.heard(), "+b")
			})
			b.forget()
			if c.lose[1] == redis.Keys+":m:" {
				c.lose[1] = redis.Keys + ":m:" + a.Name()
			}
			s.Do(c.lose...)
			c.then(a, b)
			eventually(t, "the list is right", func() bool { return a.wrong(t, nil, c.users...) == "" })
			b.come("end")
			eventually(t, "b hears of what comes last", func() bool { return strings.HasSuffix(b.heard(), "+end") })
			if got, want := b.heard(), strings.TrimSpace(c.told+" +end"); got != want {
				t.Errorf("b is told %q, want %q", got, want)
			}
		})
	}
}

// What Redis has and no node has goes.
func TestGhostsGo(t *testing.T) {
	s := redistest.Start(t)
	a, b := reside(t, s.URL(), "a"), reside(t, s.URL(), "b")
	counts := map[channel.Topic]int{hall: 4, news: 6, a.own(): 1, b.own(): 1}
	wrong := func() string {
		return a.wrong(t, counts, "a", "b", "both") + b.wrong(t, counts, "a", "b", "both")
	}
	eventually(t, "both are there", func() bool { return wrong() == "" && strings.HasSuffix(a.heard(), "+b") })
	a.forget()
	b.forget()
	whole := ledger(s)
	const hall, other = "app\x00presence-hall", "app\x00presence-other"
	for _, ghost := range [][]any{
		{"HSET", redis.Keys + ":tot", "app\x00ghost", 3},
		{"HSET", redis.Keys + ":tot", hall, 9},
		{"HSET", redis.Keys + ":tot", hall, 1},
		{"HSET", redis.Keys + ":tot", hall, "nonsense"},
		{"HSET", redis.Keys + ":n:" + a.Name(), "app\x00ghost", 3},
		{"HSET", redis.Keys + ":n:" + a.Name(), hall, 7},
		{"HSET", redis.Keys + ":m:" + a.Name(), hall + "\x00ghost", 1},
		{"HSET", redis.Keys + ":m:" + a.Name(), other + "\x00ghost", 1},
		{"HSET", redis.Keys + ":p:" + hall, "c\x00ghost", 1, "i\x00ghost", "1:{}"},
		{"HSET", redis.Keys + ":p:" + hall, "i\x00ghost", "1:{}"},
		{"HSET", redis.Keys + ":p:" + hall, "c\x00both", 5},
		{"HSET", redis.Keys + ":p:" + other, "c\x00ghost", 1, "i\x00ghost", "1:{}", "v", 1},
	} {
		t.Run(fmt.Sprintf("%q", ghost[1:]), func(t *testing.T) {
			repairs := a.Stats().Repairs + b.Stats().Repairs
			s.Do(ghost...)
			eventually(t, "it is gone", func() bool { return wrong() == "" && maps.Equal(whole, ledger(s)) })
			if got := a.heard() + b.heard(); got != "" {
				t.Errorf("%s is told of", got)
			}
			if a.Stats().Repairs+b.Stats().Repairs == repairs {
				t.Error("nobody has counted it")
			}
		})
	}
}

// In a Redis Cluster keys heal in all of its partitions.
func TestLostKeysHealInARedisCluster(t *testing.T) {
	s := redistest.StartCluster(t, 3)
	c := redis.DefaultConfig
	c.Cluster, c.Lease = s.Addrs(), 5*time.Second
	often := func(n *redis.Node) { n.AuditEvery(time.Second) }
	a, b := resideIn(t, c, "a", often), resideIn(t, c, "b", often)
	counts := map[channel.Topic]int{hall: 4, news: 6, a.own(): 1, b.own(): 1}
	right := func() bool {
		return a.wrong(t, counts, "a", "b", "both") == "" && b.wrong(t, counts, "a", "b", "both") == ""
	}
	eventually(t, "both are there", func() bool { return right() && strings.HasSuffix(a.heard(), "+b") })
	a.forget()
	b.forget()
	for topic := range counts {
		for _, key := range []string{"tot", "n:" + a.Name(), "m:" + b.Name(), "p:app\x00" + topic.Channel} {
			if err := a.Lose(topic, key); err != nil {
				t.Fatal(err)
			}
			eventually(t, key+" has healed", right)
		}
	}
	b.leave("b")
	eventually(t, "a hears that b has gone", func() bool { return strings.HasSuffix(a.heard(), "-b") })
	if got := a.heard(); got != "-b" && got != "-b +b -b" { // what is lost again and again may be told for a moment
		t.Errorf("a hears %s", got)
	}
}
