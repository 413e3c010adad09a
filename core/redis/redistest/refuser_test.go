package redistest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

func refuser(t *testing.T, options ...redistest.Option) (*redistest.Refuser, func() *redistest.Conn) {
	t.Helper()
	r := redistest.NewRefuser(t, redistest.Start(t, options...))
	return r, func() *redistest.Conn {
		t.Helper()
		c, err := redistest.Dial(r.Addr(), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

func refusedWith(t *testing.T, c *redistest.Conn, want string, args ...any) {
	t.Helper()
	if v, err := c.Do(args...); err == nil || err.Error() != want {
		t.Errorf("%v: got %v, %v, want %s", args, v, err, want)
	}
}

func TestRefuserRefusesWhatItIsTold(t *testing.T) {
	r, dial := refuser(t)
	if want := "redis://" + r.Addr() + "/0"; r.URL() != want {
		t.Errorf("URL: got %s, want %s", r.URL(), want)
	}
	before := dial()
	do(t, before, "OK", "SELECT", 0)
	r.Refuse("ERR DB index is out of range", "select", "CLIENT SETNAME")
	if _, err := before.Do("PING"); err == nil {
		t.Error("a connection from before is still there")
	}
	c := dial()
	refusedWith(t, c, "ERR DB index is out of range", "SELECT", 0)
	refusedWith(t, c, "ERR DB index is out of range", "client", "setname", "x")
	do(t, c, nil, "CLIENT", "GETNAME")
	if got := r.Refused(); got != 2 {
		t.Errorf("Refused: got %d, want 2", got)
	}
	r.RefuseKept("NOPERM this user", "GET")
	do(t, c, "OK", "SELECT", 0)
	refusedWith(t, c, "NOPERM this user", "GET", "k")
	r.Allow()
	do(t, c, nil, "GET", "k")
}

func TestRefuserRefusesConnections(t *testing.T) {
	r, dial := refuser(t)
	r.Refuse("ERR max number of clients reached")
	c := dial()
	if v, err := c.Receive(); err == nil || err.Error() != "ERR max number of clients reached" {
		t.Errorf("got %v, %v, want a refusal", v, err)
	}
	if v, err := c.Receive(); err == nil {
		t.Errorf("got %v, want the end", v)
	}
	r.Allow()
	do(t, dial(), "PONG", "PING")
}

// A refusal has its place among the replies of a pipeline, whatever they are.
func TestRefuserKeepsTheOrderOfReplies(t *testing.T) {
	r, dial := refuser(t)
	r.Refuse("NOAUTH", "SELECT")
	c := dial()
	do(t, c, "OK", "SET", "k", strings.Repeat("a\r\n$5\r\n", 20_000))
	for i := range 100 {
		for _, args := range [][]any{{"ECHO", i}, {"SELECT", 0}, {"MGET", "k", "none", "k"}} {
			if err := c.Send(args...); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := c.Receive(); got != fmt.Sprint(i) {
			t.Fatalf("ECHO: got %v, %v, want %d", got, err, i)
		}
		if _, err := c.Receive(); err == nil || err.Error() != "NOAUTH" {
			t.Fatalf("SELECT: got %v, want NOAUTH", err)
		}
		if v, err := c.Receive(); err != nil || len(v.([]any)) != 3 {
			t.Fatalf("MGET: got %.40v, %v", v, err)
		}
	}
}

func TestRefuserAndSubscriptions(t *testing.T) {
	r, dial := refuser(t)
	c, publisher := dial(), dial()
	if _, err := c.Do("SUBSCRIBE", "a", "b"); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Receive(); err != nil || fmt.Sprint(v) != "[subscribe b 2]" {
		t.Fatalf("got %v, %v", v, err)
	}
	r.RefuseKept("NOPERM", "SUBSCRIBE")
	refusedWith(t, c, "NOPERM", "SUBSCRIBE", "c")
	do(t, publisher, int64(1), "PUBLISH", "b", "x")
	if v, err := c.Receive(); err != nil || fmt.Sprint(v) != "[message b x]" {
		t.Errorf("got %v, %v, want the message", v, err)
	}
}

// A command that blocks does not hold up other connections, nor does a client
// that goes leave anything behind.
func TestRefuserAndClientsThatGo(t *testing.T) {
	r, dial := refuser(t)
	blocked := dial()
	if err := blocked.Send("BLPOP", "list", 0); err != nil {
		t.Fatal(err)
	}
	do(t, dial(), "PONG", "PING")
	_ = blocked.Close()
	r.Cut()
	c := dial()
	c.Timeout = 10 * time.Second
	do(t, c, "PONG", "PING")
}
