package redis_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

const patience = time.Minute

var room = channel.Topic{App: "app", Channel: "presence-room"}

// server is a node, and what it has heard.
type server struct {
	*redis.Node
	t *testing.T

	mu      sync.Mutex
	changes []string // of members, as "+amy"
	frames  []string
}

// backends is what the nodes of a test have told backends, in order.
type backends struct {
	mu   sync.Mutex
	told []string
}

func (b *backends) note(c occupancy.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	sign := "-"
	if c.Came {
		sign = "+"
	}
	b.told = append(b.told, strings.TrimSpace(sign+c.Channel+" "+c.UserID))
	c.Settled()
}

func (b *backends) heard() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.told, ", ")
}

// serve starts a node whose Redis is at url.
func serve(t *testing.T, url string) *server { return serveFor(t, url, new(backends)) }

// serveFor is serve for a node that tells backends.
func serveFor(t *testing.T, url string, b *backends) *server {
	t.Helper()
	c := redis.DefaultConfig
	c.URL, c.Lease = url, lease
	n, err := redis.New(c, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Node: n, t: t}
	note := func(to *[]string, what string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		*to = append(*to, what)
	}
	sign := map[bool]string{true: "+", false: "-"}
	n.Changes(func(c presence.Change) { note(&s.changes, sign[c.Came]+c.UserID) })
	n.Occupancy().Start(b.note)
	if err := n.Broker().Start(func(m broker.Message) error { note(&s.frames, string(m.Frame.Payload())); return nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return s
}

func (s *server) heard(of *[]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(*of, " ")
}

// enter puts a user into the room, with the subscription that goes with it.
func (s *server) enter(user string, subscriptions int) (list []string) {
	s.t.Helper()
	if err := s.Broker().Subscribe(s.t.Context(), room); err != nil {
		s.t.Fatal(err)
	}
	s.Count(room, subscriptions)
	err := s.Enter(s.t.Context(), room, user+"-socket", presence.Member{UserID: user}, 0, func(all []presence.Member) {
		for _, m := range all {
			list = append(list, m.UserID)
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

func TestMembersOfTwoNodes(t *testing.T) {
	r := redistest.Start(t)
	a, b := serve(t, r.URL()), serve(t, r.URL())
	a.enter("amy", 1)
	if got := b.enter("bob", 1); !slices.Equal(got, []string{"amy", "bob"}) {
		t.Errorf("bob is greeted with %v", got)
	}
	eventually(t, "a hears of bob", func() bool { return a.heard(&a.changes) == "+bob" })
	b.Depart(t.Context(), room, "bob-socket", "bob")
	eventually(t, "a hears that bob has gone", func() bool { return a.heard(&a.changes) == "+bob -bob" })
}

// Who is in the same channel through two nodes comes and goes once.
func TestUserOfTwoNodes(t *testing.T) {
	r := redistest.Start(t)
	a, b := serve(t, r.URL()), serve(t, r.URL())
	a.enter("amy", 1)
	if err := b.Broker().Subscribe(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	if err := b.Enter(t.Context(), room, "other", presence.Member{UserID: "amy"}, 0, func([]presence.Member) {}); err != nil {
		t.Fatal(err)
	}
	b.Depart(t.Context(), room, "other", "amy")
	a.enter("zoe", 2) // so that there is something to wait for
	eventually(t, "a hears of zoe", func() bool { return strings.HasSuffix(a.heard(&a.changes), "+zoe") })
	if got := a.heard(&a.changes); got != "+zoe" {
		t.Errorf("a has heard %s", got)
	}
}

// A node that is cut off for longer than its lease is taken for dead: its members
// have gone, once. When it is back they come again, once, and it hears what has
// changed meanwhile.
func TestZombie(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	a, z := serve(t, r.URL()), serve(t, p.URL())
	a.enter("amy", 1)
	z.enter("zed", 1)
	eventually(t, "both are there", func() bool { return a.heard(&a.changes) == "+zed" })
	p.Hang()
	eventually(t, "zed has gone", func() bool { return a.heard(&a.changes) == "+zed -zed" })
	a.enter("bob", 2)
	p.Heal()
	eventually(t, "zed has come again", func() bool { return a.heard(&a.changes) == "+zed -zed +bob +zed" })
	eventually(t, "the zombie hears of bob", func() bool { return strings.Contains(z.heard(&z.changes), "+bob") })
	list, err := a.Members().List(t.Context(), room)
	if err != nil || len(list) != 3 {
		t.Errorf("the members are %v, %v", list, err)
	}
	n, err := a.Subscriptions(t.Context(), room)
	if err != nil || n != 3 {
		t.Errorf("there are %d subscriptions, %v", n, err)
	}
}

// A Redis that hangs delays what is published, or refuses it, and sends nothing
// twice.
func TestHangingRedis(t *testing.T) {
	r := redistest.Start(t)
	a, b := serve(t, r.URL()), serve(t, r.URL())
	news := channel.Topic{App: "app", Channel: "news"}
	if err := b.Broker().Subscribe(t.Context(), news); err != nil {
		t.Fatal(err)
	}
	publish := func(i int) error {
		return a.Broker().Publish(t.Context(), broker.Message{Topic: news, Frame: frame.Text(fmt.Append(nil, i))})
	}
	if err := publish(0); err != nil {
		t.Fatal(err)
	}
	r.Pause()
	var refused int
	for i := range 3 {
		if publish(i+1) != nil {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("%d of 3 were refused while Redis hung", refused)
	}
	r.Resume()
	last := 10
	eventually(t, "something is delivered again", func() bool {
		last++
		return publish(last) == nil && strings.Contains(b.heard(&b.frames), fmt.Sprint(last-1))
	})
	seen := map[string]int{}
	for _, f := range strings.Fields(b.heard(&b.frames)) {
		seen[f]++
		if seen[f] > 1 {
			t.Errorf("%s has come twice", f)
		}
	}
}

// Redis comes back empty: everything is said again, and nobody hears of what has
// not happened.
func TestRedisLosesEverything(t *testing.T) {
	for _, how := range []string{"restarted", "flushed"} {
		t.Run(how, func(t *testing.T) {
			r := redistest.Start(t)
			a, b := serve(t, r.URL()), serve(t, r.URL())
			a.enter("amy", 1)
			b.enter("bob", 1)
			eventually(t, "both are there", func() bool { return a.heard(&a.changes) == "+bob" })
			if how == "flushed" {
				r.FlushAll()
			} else {
				r.Kill()
				r.Restart()
			}
			eventually(t, "the members are back", func() bool {
				list, err := a.Members().List(t.Context(), room)
				n, err2 := a.Subscriptions(t.Context(), room)
				return err == nil && err2 == nil && len(list) == 2 && n == 2
			})
			b.enter("cid", 2)
			eventually(t, "what happens now is heard", func() bool { return strings.HasSuffix(a.heard(&a.changes), "+cid") })
			if got := a.heard(&a.changes); got != "+bob +cid" {
				t.Errorf("a has heard %s", got)
			}
			if a.Stats().Lost+b.Stats().Lost == 0 {
				t.Error("nobody has counted the loss")
			}
		})
	}
}

// What nodes are sent that no node sends is ignored, and counted.
func TestGarbage(t *testing.T) {
	r := redistest.Start(t)
	a := serve(t, r.URL())
	if err := a.Broker().Subscribe(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	name := "revurb:2:{0}:t:" + room.App + "\x00" + room.Channel
	for _, text := range []string{"", "x", "m", "m3:ab", "m999999999999:", "c1:a1:1", "m0:0:1:xy", "c1:e1:x1:+1:u3:1:{0:"} {
		r.Do("PUBLISH", name, text)
	}
	eventually(t, "all of it is counted", func() bool { return a.Stats().Garbage == 8 })
	if err := a.Broker().Publish(t.Context(), broker.Message{Topic: room, Frame: frame.Text([]byte("sound"))}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what is sound is heard", func() bool { return a.heard(&a.frames) == "sound" })
}

// Backends are told once of what happens on several nodes, also of a node that
// has died, and in order.
func TestBackendsAreToldOnce(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	told := new(backends)
	a, b := serveFor(t, r.URL(), told), serveFor(t, p.URL(), told)
	a.enter("amy", 1)
	b.enter("amy", 1)
	came := "+presence-room, +presence-room amy"
	eventually(t, "that amy is there", func() bool { return told.heard() == came })
	a.Depart(t.Context(), room, "amy-socket", "amy")
	a.Count(room, 0)
	p.Cut() // and with it the last of amy
	eventually(t, "that amy has gone", func() bool {
		return told.heard() == came+", -presence-room amy, -presence-room"
	})
}
