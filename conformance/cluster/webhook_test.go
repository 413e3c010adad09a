package cluster_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/core/redis/redistest"
)

// told is an event as a backend has taken it.
type told struct {
	name, channel, user string
	at                  int64 // time_ms
}

// backend takes webhooks, or does not.
type backend struct {
	*httptest.Server

	mu      sync.Mutex
	failing bool
	delay   time.Duration
	refused int
	taken   []told
}

func newBackend(t *testing.T) *backend {
	b := new(backend)
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

// hook has a node tell b, too.
func (b *backend) hook(n *node) { n.more = fmt.Sprintf("[[apps.webhooks]]\nurl = %q\n", b.URL) }

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		TimeMS int64 `json:"time_ms"`
		Events []struct {
			Name, Channel string
			UserID        string `json:"user_id"`
		}
	}
	text, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(text, &body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	delay := b.delay
	b.mu.Unlock()
	<-time.After(delay)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failing {
		b.refused++
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	for _, e := range body.Events {
		b.taken = append(b.taken, told{e.Name, e.Channel, e.UserID, body.TimeMS})
	}
}

// set has b fail, or be slow, from now on.
func (b *backend) set(failing bool, delay time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failing, b.delay = failing, delay
}

func (b *backend) refusals() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused
}

// heard returns what b has taken, without what it was told again, by channel, and how
// much that was.
func (b *backend) heard(prefix string) (by map[string][]told, again int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	by = map[string][]told{}
	seen := map[told]bool{}
	for _, e := range b.taken {
		switch {
		case !strings.HasPrefix(e.channel, prefix):
		case seen[e]:
			again++
		default:
			seen[e] = true
			by[e.channel] = append(by[e.channel], e)
		}
	}
	return by, again
}

// judge says what is out of order in what b was told.
func (b *backend) judge(t *testing.T, prefix string) (events, again int) {
	t.Helper()
	by, again := b.heard(prefix)
	for channel, all := range by {
		there := map[string]bool{}
		for i, e := range all {
			came := e.name == "channel_occupied" || e.name == "member_added"
			if there[e.user] == came {
				t.Errorf("%s: %s %s comes when that was so already, as event %d", channel, e.name, e.user, i)
			}
			there[e.user] = came
			if i > 0 && all[i-1].at > e.at {
				t.Errorf("%s: %s %s comes after %s %s, which was %d ms later", channel, e.name, e.user, all[i-1].name, all[i-1].user, all[i-1].at-e.at)
			}
		}
		events += len(all)
	}
	return events, again
}

// holder returns which node tells backends, and its name.
func (c *nodes) holder(t *testing.T, r *redistest.Server) (int, string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
		keys, _ := r.Do("KEYS", "*}:out").([]any)
		if len(keys) == 0 {
			continue
		}
		name, _ := r.Do("GET", keys[0]).(string)
		i := slices.IndexFunc(c.all, func(n *node) bool { return name != "" && strings.Contains(n.output.String(), name) })
		if i >= 0 {
			return i, name
		}
	}
	t.Fatal("no node tells backends")
	return 0, ""
}

// crowd is users who come into some channels, and then go.
type crowd struct {
	prefix string
	rooms  int
	all    []*conformance.Conn
	want   int // events of their coming, and as many of their going
}

// come has as many users come as make so many events, through the nodes given.
func come(ct *conformance.T, events int, through ...int) *crowd {
	const rooms = 10
	c := &crowd{prefix: ct.Name("presence-"), rooms: rooms, want: events + rooms}
	c.all = make([]*conformance.Conn, events/rooms)
	ct.Concurrently(len(c.all), func(i int) {
		c.all[i] = ct.ConnectTo(conformance.Dialing{Node: through[i%len(through)]})
		for room := range rooms {
			c.all[i].SendPresence(fmt.Sprint(c.prefix, "-", room), fmt.Sprintf(`{"user_id":"user-%d"}`, i))
		}
		for in := 0; in < rooms; { // among those who come meanwhile
			if c.all[i].Next("that a subscription has succeeded").Event == "pusher_internal:subscription_succeeded" {
				in++
			}
		}
	})
	return c
}

// await waits until b has taken as many events of the crowd.
func (c *crowd) await(t *testing.T, b *backend, events int) {
	t.Helper()
	n := 0
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		by, _ := b.heard(c.prefix)
		n = 0
		for _, all := range by {
			n += len(all)
		}
		if n >= events {
			return
		}
	}
	t.Errorf("the backend was told %d events in a minute, want %d", n, events)
}

// many is how many events the tests have told; REVURB_LONG=1 has them tell more.
func many() int {
	if os.Getenv("REVURB_LONG") == "1" {
		return 1000
	}
	return 200
}

func hooked(t *testing.T, prepare ...func(*node)) (*nodes, *backend, *redistest.Server) {
	t.Helper()
	r, b := redistest.Start(t), newBackend(t)
	c := start(t, 3, fmt.Sprintf("url = %q\nlease = \"3s\"", r.URL()), append(prepare, b.hook)...)
	return c, b, r
}

// others are the nodes that are not i.
func others(i int) []int {
	return slices.DeleteFunc([]int{0, 1, 2}, func(n int) bool { return n == i })
}

// TestWebhooksOfADeadNode has the backend fail for 3 s, and kills the node that tells
// it meanwhile: nothing is lost, and nothing out of order.
func TestWebhooksOfADeadNode(t *testing.T) {
	t.Parallel()
	c, b, r := hooked(t)
	play(t, c.target(t), func(ct *conformance.T) {
		holder, _ := c.holder(t, r)
		b.set(true, 0)
		begun := time.Now()
		users := come(ct, many(), others(holder)...)
		ct.Eventually("the backend has refused something", func() bool { return b.refusals() > 0 })
		if err := c.all[holder].kill(); err != nil {
			t.Fatal(err)
		}
		ct.Pass(time.Until(begun.Add(3 * time.Second)))
		b.set(false, 0)
		users.await(t, b, users.want)
		for _, u := range users.all {
			u.Drop()
		}
		users.await(t, b, 2*users.want)
		events, again := b.judge(t, users.prefix)
		t.Logf("%d events, of which %d were told again", events, again)
	})
}

// TestWebhooksOfAPausedNode stops the node that tells the backend for longer than its
// lease, and lets it go on: it tells nothing of what it had, which others have told.
func TestWebhooksOfAPausedNode(t *testing.T) {
	t.Parallel()
	c, b, r := hooked(t)
	play(t, c.target(t), func(ct *conformance.T) {
		holder, name := c.holder(t, r)
		b.set(true, 0)
		users := come(ct, many(), others(holder)...)
		ct.Eventually("the backend has refused something", func() bool { return b.refusals() > 0 })
		if err := c.all[holder].signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		ct.Eventually("another node tells the backend", func() bool {
			keys, _ := r.Do("KEYS", "*}:out").([]any)
			return len(keys) == 1 && r.Do("GET", keys[0]) != nil && r.Do("GET", keys[0]) != name
		})
		b.set(false, 0)
		users.await(t, b, users.want)
		_, before := b.judge(t, users.prefix)
		if err := c.all[holder].signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		for _, u := range users.all {
			u.Drop()
		}
		users.await(t, b, 2*users.want)
		ct.Eventually("the node knows that it was away", func() bool {
			return strings.Contains(c.all[holder].output.String(), "could not renew its hold on the webhooks")
		})
		if _, again := b.judge(t, users.prefix); again != before {
			t.Errorf("%d events were told again by the node that was away", again-before)
		}
		awaitTaken(ct, r)
	})
}

// awaitTaken waits until Redis has nothing for backends anymore.
func awaitTaken(ct *conformance.T, r *redistest.Server) {
	ct.Eventually("nothing waits in Redis", func() bool {
		keys, _ := r.Do("KEYS", "*}:ev").([]any)
		n, _ := r.Do("XLEN", keys[0]).(int64)
		return n == 0
	})
}

// TestWebhooksOfANodeThatStops stops the node that tells the backend, as one should,
// while the backend fails: the next node tells what it could not.
func TestWebhooksOfANodeThatStops(t *testing.T) {
	t.Parallel()
	c, b, r := hooked(t)
	play(t, c.target(t), func(ct *conformance.T) {
		holder, _ := c.holder(t, r)
		b.set(true, 0)
		users := come(ct, many(), others(holder)...)
		ct.Eventually("the backend has refused something", func() bool { return b.refusals() > 0 })
		if err := c.all[holder].end(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if log := c.all[holder].output.String(); !strings.Contains(log, "webhooks are left to be sent by another node") {
			t.Errorf("the node does not say that it has left webhooks:\n%s", log)
		}
		b.set(false, 0)
		users.await(t, b, users.want)
		if _, again := b.judge(t, users.prefix); again > 0 {
			t.Errorf("%d events were told again, though nobody has died", again)
		}
		awaitTaken(ct, r)
	})
}

// TestWebhooksInOrder leaves channels at one node and takes them again at another just
// after the grace, with a backend that is slow.
func TestWebhooksInOrder(t *testing.T) {
	t.Parallel()
	const channels, rounds, grace = 30, 6, 500 * time.Millisecond
	c, b, r := hooked(t, func(n *node) { n.hooks = fmt.Sprintf("grace = %q", grace) })
	play(t, c.target(t), func(ct *conformance.T) {
		c.holder(t, r)
		b.set(false, 30*time.Millisecond)
		prefix := ct.Name("")
		ct.Concurrently(channels, func(i int) {
			channel := fmt.Sprint(prefix, "-", i)
			var at [3]*conformance.Conn
			for node := range at {
				at[node] = ct.ConnectTo(conformance.Dialing{Node: node})
			}
			for round := range rounds {
				conn := at[(i+round)%len(at)]
				conn.Subscribe(channel)
				conn.Unsubscribe(channel)
				ct.Pass(grace + time.Duration(i)*25*time.Millisecond) // and up to a sweep later
			}
		})
		ct.Eventually("the backend was told that all were left", func() bool {
			by, _ := b.heard(prefix)
			for _, all := range by {
				if all[len(all)-1].name != "channel_vacated" {
					return false
				}
			}
			return len(by) == channels
		})
		awaitTaken(ct, r)
		events, again := b.judge(t, prefix)
		if again > 0 {
			t.Errorf("%d events were told again, though nobody has died", again)
		}
		t.Logf("%d events", events)
	})
}
