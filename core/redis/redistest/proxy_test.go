package redistest_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// moment is how long a test looks for what must not come.
const moment = 100 * time.Millisecond

func dial(t *testing.T, p *redistest.Proxy) *redistest.Conn {
	t.Helper()
	c, err := redistest.Dial(p.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func do(t *testing.T, c *redistest.Conn, want any, args ...any) {
	t.Helper()
	if got, err := c.Do(args...); err != nil || got != want {
		t.Fatalf("%v: got %v, %v, want %v", args, got, err, want)
	}
}

// silent fails the test if anything comes from c within a moment.
func silent(t *testing.T, c *redistest.Conn) {
	t.Helper()
	defer func(before time.Duration) { c.Timeout = before }(c.Timeout)
	c.Timeout = moment
	if got, err := c.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, %v, want silence", got, err)
	}
}

func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !check(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after 10s: %s", what)
		}
	}
}

func TestProxyPasses(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	if want := "redis://" + p.Addr() + "/0"; p.URL() != want {
		t.Errorf("URL: got %s, want %s", p.URL(), want)
	}
	c := dial(t, p)
	big := strings.Repeat("0123456789abcdef", 1<<19) // 8 MiB, more than a pipe holds
	do(t, c, "OK", "SET", "big", big)
	do(t, c, big, "GET", "big")
	if got := p.Conns(); got != 1 {
		t.Errorf("Conns: got %d, want 1", got)
	}
	_ = c.Close()
	eventually(t, "Redis and the proxy see the client go", func() bool {
		clients := r.Do("CLIENT", "LIST").(string)
		return p.Conns() == 0 && strings.Count(clients, "\n") == 1
	})
}

func TestProxyTellsThatRedisDied(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	c := dial(t, p)
	do(t, c, "PONG", "PING")
	r.Kill()
	if got, err := c.Receive(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, %v, want a closed connection", got, err)
	}
	r.Restart()
	do(t, dial(t, p), "PONG", "PING")
}

func TestProxyLatency(t *testing.T) {
	p := redistest.NewProxy(t, redistest.Start(t))
	c := dial(t, p)
	do(t, c, "PONG", "PING")

	const d = 60 * time.Millisecond
	p.Latency(d)
	began := time.Now()
	for i := range 500 { // all on their way at once, and in order
		if err := c.Send("ECHO", i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 500 {
		if got, err := c.Receive(); err != nil || got != fmt.Sprint(i) {
			t.Fatalf("got %v, %v, want %d", got, err, i)
		}
		if took := time.Since(began); took < d {
			t.Fatalf("reply %d after %v, want at least %v", i, took, d)
		}
	}
	if took := time.Since(began); took > 250*d {
		t.Errorf("500 commands took %v: they waited for each other", took)
	}
}

func TestProxyHang(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	old := dial(t, p)
	do(t, old, "PONG", "PING")

	p.Hang()
	late := dial(t, p)
	for i, c := range []*redistest.Conn{old, late} {
		if err := c.Send("SADD", "set", i); err != nil {
			t.Fatal(err)
		}
		silent(t, c)
	}
	if got := r.Do("SCARD", "set"); got != int64(0) {
		t.Errorf("Redis got %d commands while the network hung", got)
	}

	p.Heal()
	for _, c := range []*redistest.Conn{old, late} {
		if got, err := c.Receive(); got != int64(1) {
			t.Errorf("after Heal: got %v, %v, want 1", got, err)
		}
	}
}

func TestProxyHangHidesTheEnd(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	c := dial(t, p)
	if _, err := c.Do("SUBSCRIBE", "news"); err != nil {
		t.Fatal(err)
	}
	p.Hang()
	_ = c.Close()
	if got := r.Do("PUBLISH", "news", "x"); got != int64(1) {
		t.Errorf("while it hangs: %v receivers, want 1", got)
	}
	p.Heal()
	eventually(t, "Redis sees that the subscriber went", func() bool {
		return r.Do("PUBLISH", "news", "x") == int64(0)
	})
}

func TestProxyOneWay(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	old := dial(t, p)
	do(t, old, "PONG", "PING")

	p.OneWay()
	late := dial(t, p)
	for i, c := range []*redistest.Conn{old, late} {
		if err := c.Send("SADD", "set", i); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "Redis gets the commands", func() bool { return r.Do("SCARD", "set") == int64(2) })
	silent(t, old)
	silent(t, late)

	p.Heal()
	for _, c := range []*redistest.Conn{old, late} {
		if got, err := c.Receive(); got != int64(1) {
			t.Errorf("after Heal: got %v, %v, want 1", got, err)
		}
	}
}

func TestProxyCut(t *testing.T) {
	p := redistest.NewProxy(t, redistest.Start(t))
	c := dial(t, p)
	do(t, c, "PONG", "PING")

	p.Cut()
	if _, err := c.Receive(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("an old connection: got %v, want %v", err, syscall.ECONNRESET)
	}
	if _, err := redistest.Dial(p.Addr(), nil); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection: got %v, want %v", err, syscall.ECONNREFUSED)
	}
	if got := p.Conns(); got != 0 {
		t.Errorf("Conns: got %d, want 0", got)
	}

	p.Heal()
	do(t, dial(t, p), "PONG", "PING")
}

// A subscriber that does not read fills every buffer on the way. Hang must not
// wait for it, and what it has not read yet is not lost.
func TestProxyHangsOnAFullPipe(t *testing.T) {
	r := redistest.Start(t, redistest.Config("client-output-buffer-limit", "pubsub", "0", "0", "0"))
	p := redistest.NewProxy(t, r)
	c := dial(t, p)
	if _, err := c.Do("SUBSCRIBE", "news"); err != nil {
		t.Fatal(err)
	}
	const messages = 40
	text := strings.Repeat("x", 1<<20)
	for i := range messages {
		if got := r.Do("PUBLISH", "news", fmt.Sprint(i, " ", text)); got != int64(1) {
			t.Fatalf("%v receivers, want 1", got)
		}
	}
	p.Hang()
	p.Heal()
	for i := range messages {
		got, err := c.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := got.([]any)[2], fmt.Sprint(i, " ", text); got != want {
			t.Fatalf("message %d is not what was sent", i)
		}
	}
}

// Whatever happens to many clients at once, a reply is either right or missing.
func TestProxyUnderManyFaults(t *testing.T) {
	p := redistest.NewProxy(t, redistest.Start(t))
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for n := range 8 {
		clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				c, err := redistest.Dial(p.Addr(), nil)
				if err != nil {
					if op := new(net.OpError); !errors.As(err, &op) {
						t.Errorf("dial: %v", err)
					}
					continue
				}
				c.Timeout = 50 * time.Millisecond
				for range 20 {
					want := fmt.Sprint(n, "-", i)
					got, err := c.Do("ECHO", want)
					if err != nil {
						break
					}
					if got != want {
						t.Errorf("got %v, want %s", got, want)
					}
				}
				_ = c.Close()
			}
		})
	}
	for range 20 {
		for _, fault := range []func(){
			p.Hang, p.OneWay, p.Cut, p.Heal,
			func() { p.Latency(2 * time.Millisecond) },
		} {
			fault()
		}
		do(t, dial(t, p), "PONG", "PING")
	}
	close(stop)
	clients.Wait()
	p.Heal()
	eventually(t, "no connection left but the twenty of the test", func() bool { return p.Conns() <= 20 })
}

// A connection is one of a subscriber once it has subscribed, however the
// command comes.
func TestProxyBlackHole(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	subscriber, other := dial(t, p), dial(t, p)
	do(t, other, "PONG", "PING")
	do(t, subscriber, "OK", "SET", "k", "SUBSCRIBE\r\n$9\r\nSUBSCRIBE")
	p.BlackHole()
	do(t, subscriber, "PONG", "PING") // it only spoke of it
	if _, err := subscriber.Do("ssubscribe", "news"); err != nil {
		t.Fatal(err)
	}
	p.BlackHole()
	if got := r.Do("SPUBLISH", "news", "x"); got != int64(1) {
		t.Errorf("SPUBLISH: got %v receivers, want 1", got)
	}
	silent(t, subscriber)
	do(t, other, "PONG", "PING")
	fresh := dial(t, p)
	if _, err := fresh.Do("SUBSCRIBE", "news"); err != nil {
		t.Errorf("a new subscriber is in the black hole: %v", err)
	}
	p.Heal()
	if got, err := subscriber.Receive(); err != nil || fmt.Sprint(got) != "[smessage news x]" {
		t.Errorf("got %v, %v, want the message", got, err)
	}
}

func TestProxyBlackHoleSubscribers(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	p.BlackHoleSubscribers()
	subscriber, other := dial(t, p), dial(t, p)
	if err := subscriber.Send("SUBSCRIBE", "news"); err != nil {
		t.Fatal(err)
	}
	silent(t, subscriber)
	do(t, other, int64(0), "PUBLISH", "news", "x")
	p.Heal()
	if got, err := subscriber.Receive(); err != nil || fmt.Sprint(got) != "[subscribe news 1]" {
		t.Errorf("got %v, %v, want the subscription", got, err)
	}
}

func TestProxyOneWayBack(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	c := dial(t, p)
	if _, err := c.Do("SUBSCRIBE", "news"); err != nil {
		t.Fatal(err)
	}
	p.OneWayBack()
	if err := c.Send("PING"); err != nil {
		t.Fatal(err)
	}
	silent(t, c)
	if got := r.Do("PUBLISH", "news", "x"); got != int64(1) {
		t.Errorf("PUBLISH: got %v receivers, want 1", got)
	}
	if got, err := c.Receive(); err != nil || fmt.Sprint(got) != "[message news x]" {
		t.Errorf("got %v, %v, want the message", got, err)
	}
	p.Heal()
	if got, err := c.Receive(); err != nil || fmt.Sprint(got) != "[pong ]" {
		t.Errorf("got %v, %v, want what was held up", got, err)
	}
}

// What is sent takes at least as long as its bytes do.
func TestProxyBandwidth(t *testing.T) {
	r := redistest.Start(t)
	p := redistest.NewProxy(t, r)
	c := dial(t, p)
	c.Timeout = 30 * time.Second
	do(t, c, "PONG", "PING")
	p.Bandwidth(100_000)
	value := strings.Repeat("x", 50_000)
	begun := time.Now()
	do(t, c, "OK", "SET", "k", value)
	do(t, c, value, "GET", "k")
	if took := time.Since(begun); took < 800*time.Millisecond {
		t.Errorf("100 kB at 100 kB/s took %v, want a second", took)
	}
	p.Heal()
	do(t, c, value, "GET", "k")
}
