package redistest_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/redis/redistest"
)

func TestServerIsEmptyAndAlone(t *testing.T) {
	a, b := redistest.Start(t), redistest.Start(t)
	if got := a.Do("SET", "k", "v"); got != "OK" {
		t.Errorf("SET: got %v, want OK", got)
	}
	if got := a.Do("GET", "k"); got != "v" {
		t.Errorf("GET: got %v, want v", got)
	}
	if got := b.Do("GET", "k"); got != nil {
		t.Errorf("GET from another server: got %v, want nil", got)
	}
	if want := "redis://" + a.Addr() + "/0"; a.URL() != want {
		t.Errorf("URL: got %s, want %s", a.URL(), want)
	}
}

func TestServerEndsWithItsTest(t *testing.T) {
	var addr string
	t.Run("inner", func(t *testing.T) {
		r := redistest.Start(t)
		addr = r.Addr()
		r.Pause()
	})
	if _, err := redistest.Dial(addr, nil); err == nil {
		t.Error("it still takes connections")
	}
}

func TestKillAndRestart(t *testing.T) {
	r := redistest.Start(t)
	r.Do("SET", "k", "v")
	r.Do("SAVE")
	c, addr := r.Conn(), r.Addr()

	r.Kill()
	if _, err := c.Do("PING"); err == nil {
		t.Error("a killed server answers on its old connection")
	}
	if _, err := r.Try("PING"); err == nil {
		t.Error("a killed server answers on a new connection")
	}

	r.Restart()
	if r.Addr() != addr {
		t.Errorf("started again at %s, want %s", r.Addr(), addr)
	}
	if got := r.Do("GET", "k"); got != nil {
		t.Errorf("GET after a restart: got %v, want nil", got)
	}
}

func TestPauseAndResume(t *testing.T) {
	r := redistest.Start(t)
	c := r.Conn()
	r.Pause()
	if err := c.Send("PING"); err != nil {
		t.Fatal(err)
	}
	silent(t, c)
	r.Resume()
	if got, err := c.Receive(); got != "PONG" {
		t.Errorf("after Resume: got %v, %v, want PONG", got, err)
	}
}

func TestKillPubSub(t *testing.T) {
	r := redistest.Start(t)
	subscriber, other := r.Conn(), r.Conn()
	if _, err := subscriber.Do("SUBSCRIBE", "news"); err != nil {
		t.Fatal(err)
	}
	do(t, other, "PONG", "PING")
	if got := r.KillPubSub(); got != 1 {
		t.Errorf("KillPubSub: got %d, want 1", got)
	}
	if got, err := subscriber.Receive(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the subscriber: got %v, %v, want a closed connection", got, err)
	}
	do(t, other, "PONG", "PING")
}

func TestFlushAll(t *testing.T) {
	r := redistest.Start(t)
	c := r.Conn()
	do(t, c, "OK", "SET", "k", "v")
	r.FlushAll()
	do(t, c, nil, "GET", "k")
}

func TestCPU(t *testing.T) {
	r := redistest.Start(t)
	c := r.Conn()
	idle := r.CPU()
	before := r.CPU()
	const script = `for i = 1, 300000 do redis.call('PING') end`
	if _, err := c.Do("EVAL", script, 0); err != nil {
		t.Fatal(err)
	}
	asking, busy := before-idle, r.CPU()-before
	if asking < 0 || busy < 10*asking || busy == 0 {
		t.Errorf("asking cost %v, 300000 PINGs cost %v", asking, busy)
	}
}

func TestPassword(t *testing.T) {
	const password = `a"b\ c@:/d`
	r := redistest.Start(t, redistest.Password(password))
	if got := r.Do("PING"); got != "PONG" {
		t.Errorf("PING: got %v, want PONG", got)
	}
	u, err := url.Parse(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := u.User.Password(); got != password {
		t.Errorf("password of the URL: got %q, want %q", got, password)
	}
	refuses(t, r, "NOAUTH", "PING")
	refuses(t, r, "WRONGPASS", "AUTH", "wrong")
}

func TestUser(t *testing.T) {
	r := redistest.Start(t, redistest.User("revurb", "secret", "~rv1:*", "+get"))
	r.Do("SET", "elsewhere", "v") // we may
	u, err := url.Parse(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := u.User.String(), "revurb:secret"; got != want {
		t.Errorf("user of the URL: got %s, want %s", got, want)
	}
	refuses(t, r, "NOAUTH", "PING")
	refuses(t, r, "WRONGPASS", "AUTH", "secret")

	c, err := redistest.Dial(r.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	do(t, c, "OK", "AUTH", "revurb", "secret")
	do(t, c, nil, "GET", "rv1:k")
	for _, args := range [][]any{{"GET", "elsewhere"}, {"SET", "rv1:k", "v"}} {
		if _, err := c.Do(args...); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v: got %v, want NOPERM", args, err)
		}
	}
}

// refuses checks that r answers a stranger with an error of that kind.
func refuses(t *testing.T, r *redistest.Server, kind string, args ...any) {
	t.Helper()
	c, err := redistest.Dial(r.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Do(args...)
	if reply := redistest.Error(""); !errors.As(err, &reply) || !strings.HasPrefix(err.Error(), kind) {
		t.Errorf("%v: got %v, want %s", args, err, kind)
	}
}

func TestTLS(t *testing.T) {
	r := redistest.Start(t, redistest.TLS(), redistest.Password("secret"))
	if want := "rediss://:secret@" + r.Addr() + "/0"; r.URL() != want {
		t.Errorf("URL: got %s, want %s", r.URL(), want)
	}
	if got := r.Do("PING"); got != "PONG" {
		t.Errorf("PING: got %v, want PONG", got)
	}
	if pem, err := os.ReadFile(r.CAFile()); err != nil || !strings.Contains(string(pem), "BEGIN CERTIFICATE") {
		t.Errorf("CAFile: got %.30q, %v, want a certificate", pem, err)
	}

	stranger := r.TLSConfig()
	stranger.RootCAs = nil
	if _, err := redistest.Dial(r.Addr(), stranger); err == nil {
		t.Error("a client that does not know the certificate trusts it")
	}
	plain, err := redistest.Dial(r.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if got, err := plain.Do("PING"); err == nil {
		t.Errorf("without TLS: got %v, want an error", got)
	}

	p := redistest.NewProxy(t, r)
	c, err := redistest.Dial(p.Addr(), r.TLSConfig())
	if err != nil {
		t.Fatalf("through a proxy: %v", err)
	}
	defer c.Close()
	do(t, c, "OK", "AUTH", "secret")
}

func TestConfig(t *testing.T) {
	r := redistest.Start(t, redistest.Config("client-output-buffer-limit", "pubsub", "256mb", "64mb", "60"))
	want := "pubsub 268435456 67108864 60"
	if got := r.Do("CONFIG", "GET", "client-output-buffer-limit").([]any)[1].(string); !strings.Contains(got, want) {
		t.Errorf("got %s, want %s in it", got, want)
	}
}

func TestWithoutRedis(t *testing.T) {
	for require, want := range map[string]string{"": "skip", "1": "fatal"} {
		t.Setenv("PATH", t.TempDir())
		t.Setenv("REVURB_REQUIRE_ALL", require)
		var tb verdict
		done := make(chan struct{})
		go func() {
			defer close(done)
			redistest.Start(&tb)
		}()
		<-done
		if tb.kind != want || !strings.Contains(tb.message, "apt-get install redis-server") {
			t.Errorf("REVURB_REQUIRE_ALL=%s: got %s: %q, want %s, and how to install it", require, tb.kind, tb.message, want)
		}
	}
}

func TestServerThatCannotStart(t *testing.T) {
	tb := verdict{dir: t.TempDir()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		redistest.Start(&tb, redistest.Config("no-such-directive", "1"))
	}()
	<-done
	if tb.kind != "fatal" || !strings.Contains(tb.message, "no-such-directive") {
		t.Errorf("got %s: %q, want fatal, and what redis-server said", tb.kind, tb.message)
	}
	if _, err := os.Stat(filepath.Join(tb.dir, "redis.conf")); err != nil {
		t.Error(err)
	}
}
