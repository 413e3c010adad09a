package redis_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
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

// buffer is a log that is read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// logged starts a node with a log of its own.
func logged(t *testing.T, c redis.Config) (*redis.Node, *buffer) {
	t.Helper()
	log := &buffer{}
	n, err := redis.New(c, slog.New(slog.NewTextHandler(io.MultiWriter(log, t.Output()), nil)))
	if err != nil {
		t.Fatal(err)
	}
	n.Changes(func(presence.Change) {})
	n.Occupancy().Start(func(occupancy.Change) {})
	if err := n.Broker().Start(func(broker.Message) error { return nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n, log
}

func waitLog(t *testing.T, log *buffer, text string) {
	t.Helper()
	eventually(t, "the log says "+text, func() bool { return strings.Contains(log.String(), text) })
}

// What a node has joined is said in one line, and a policy that loses members in
// another.
func TestRedisIsLookedAt(t *testing.T) {
	for policy, warns := range map[string]bool{"noeviction": false, "allkeys-lru": true, "volatile-ttl": true} {
		t.Run(policy, func(t *testing.T) {
			s := redistest.Start(t, redistest.Config("maxmemory-policy", policy))
			_, log := logged(t, config(s))
			waitLog(t, log, "joined the cluster")
			if text := log.String(); !strings.Contains(text, "version=") || !strings.Contains(text, "maxmemory_policy="+policy) {
				t.Errorf("got %s, want the version and the policy", text)
			}
			if got := strings.Count(log.String(), "Redis may evict keys"); got != map[bool]int{true: 1}[warns] {
				t.Errorf("it is warned of eviction %d times:\n%s", got, log)
			}
		})
	}
}

// Another Redis at the same place is looked at, too, when it is connected to.
func TestRedisIsLookedAtAgain(t *testing.T) {
	s := redistest.Start(t)
	n, log := logged(t, config(s))
	waitLog(t, log, "joined the cluster")
	s.Restart()
	s.Do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	waitLog(t, log, "connected to another Redis than before")
	s.Restart()
	eventually(t, "the node is ready", n.Ready)
	for _, once := range []string{"joined the cluster", "cannot check"} {
		if got := strings.Count(log.String(), once); got > 1 {
			t.Errorf("%q was logged %d times", once, got)
		}
	}
}

// A user who may not use INFO is told so, once, and the node joins.
func TestRedisThatCannotBeLookedAt(t *testing.T) {
	s := redistest.Start(t, redistest.User("revurb", "canary", "~revurb:*", "&revurb:*", "+@all", "-info"))
	_, log := logged(t, config(s))
	waitLog(t, log, "joined the cluster")
	waitLog(t, log, "cannot check how Redis is set up")
	s.Kill()
	waitLog(t, log, "Redis does not answer")
	s.Restart()
	waitLog(t, log, "Redis is usable again")
	if got := strings.Count(log.String(), "cannot check how Redis is set up"); got != 1 {
		t.Errorf("it is said %d times that Redis cannot be looked at, want once", got)
	}
	if strings.Contains(log.String(), "canary") {
		t.Errorf("the log has the password:\n%s", log)
	}
}

// A Redis that is too old is not joined and nothing is published in it, which is
// said once; when it has been updated, the node joins.
func TestOldRedis(t *testing.T) {
	for name, rules := range map[string][]string{"by INFO": nil, "by HELLO": {"~*", "&*", "+@all", "-info"}} {
		t.Run(name, func(t *testing.T) {
			s := redistest.Start(t, redistest.User("revurb", "p", rules...))
			real := version(t, s)
			old := disguise(t, s.Addr(), real, "6.0."+strings.Repeat("1", len(real)-4))
			c := config(s)
			c.URL, c.PublishWait = strings.Replace(s.URL(), s.Addr(), old.addr(), 1), 50*time.Millisecond
			n, log := logged(t, c)
			waitLog(t, log, "is too old: 6.2 or later is needed")
			err := n.Broker().Publish(t.Context(), broker.Message{Topic: channel.Topic{App: "a", Channel: "c"}, Frame: frame.Text([]byte("x"))})
			if err == nil || n.Ready() || n.Stats().Up {
				t.Errorf("publish: %v, ready %v, up %v; want an error and neither", err, n.Ready(), n.Stats().Up)
			}
			tries := old.count()
			eventually(t, "it tries again", func() bool { return old.count() > tries+5 })
			if got := strings.Count(log.String(), "cannot join the cluster"); got != 1 {
				t.Errorf("it is said %d times, want once:\n%s", got, log)
			}
			if keys := s.Do("DBSIZE"); keys != int64(0) {
				t.Errorf("it has written %v keys", keys)
			}
			old.update()
			eventually(t, "the node is ready", n.Ready)
			waitLog(t, log, "joined the cluster")
		})
	}
}

func version(t *testing.T, s *redistest.Server) string {
	t.Helper()
	for line := range strings.Lines(s.Do("INFO", "server").(string)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "redis_version:"); ok {
			return v
		}
	}
	t.Fatal("Redis has no version")
	return ""
}

// disguised passes bytes to a Redis and back, and says another version in its
// place, of the same length.
type disguised struct {
	listener net.Listener

	mu       sync.Mutex // guards what follows
	old, new string
	conns    []net.Conn
}

func disguise(t *testing.T, addr, real, version string) *disguised {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &disguised{listener: l, old: real, new: version}
	t.Cleanup(func() {
		_ = l.Close()
		d.update()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.conns = append(d.conns, c)
			d.mu.Unlock()
			go d.pass(c, addr)
		}
	}()
	return d
}

func (d *disguised) addr() string { return d.listener.Addr().String() }

func (d *disguised) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.conns)
}

// update says the true version from now on, to new connections.
func (d *disguised) update() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.new = d.old
	for _, c := range d.conns {
		_ = c.Close()
	}
}

func (d *disguised) pass(c net.Conn, addr string) {
	defer c.Close()
	r, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer r.Close()
	go func() {
		_, _ = io.Copy(r, c)
		_ = r.Close()
	}()
	b := make([]byte, 64<<10) // an answer is smaller, and comes in one piece
	for {
		n, err := r.Read(b)
		if err != nil {
			return
		}
		d.mu.Lock()
		old, version := d.old, d.new
		d.mu.Unlock()
		if _, err := c.Write(bytes.ReplaceAll(b[:n], []byte(old), []byte(version))); err != nil {
			return
		}
	}
}
