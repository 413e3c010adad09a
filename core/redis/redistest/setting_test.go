package redistest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

func TestAOFKeepsWhatWasAnswered(t *testing.T) {
	r := redistest.Start(t, redistest.AOF())
	r.Do("SET", "k", "v")
	r.Restart()
	if got := r.Do("GET", "k"); got != "v" {
		t.Errorf("GET after a restart: got %v, want v", got)
	}
	r.RestartEmpty()
	if got := r.Do("GET", "k"); got != nil {
		t.Errorf("GET after its disk was lost: got %v, want nil", got)
	}
}

func TestBusy(t *testing.T) {
	r := redistest.Start(t)
	c := r.Conn()
	wait := r.Busy(300 * time.Millisecond)
	if err := c.Send("PING"); err != nil {
		t.Fatal(err)
	}
	silent(t, c)
	wait()
	if got, err := c.Receive(); got != "PONG" {
		t.Errorf("after the script: got %v, %v, want PONG", got, err)
	}
}

func TestSetPasswordCutsEverybodyOff(t *testing.T) {
	for name, option := range map[string]redistest.Option{
		"of the default user": redistest.Password("old"),
		"of another user":     redistest.User("revurb", "old"),
	} {
		t.Run(name, func(t *testing.T) {
			r := redistest.Start(t, option)
			client, subscriber := r.Conn(), r.Conn()
			if _, err := subscriber.Do("SUBSCRIBE", "news"); err != nil {
				t.Fatal(err)
			}
			r.SetPassword("new")
			for _, c := range []*redistest.Conn{client, subscriber} {
				if v, err := c.Do("PING"); err == nil {
					t.Errorf("a client from before is told %v, want a closed connection", v)
				}
			}
			if !strings.Contains(r.URL(), ":new@") {
				t.Errorf("the URL is %s, want the new password", r.URL())
			}
			c, err := redistest.Dial(r.Addr(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			user := "default"
			if strings.Contains(r.URL(), "revurb") {
				user = "revurb"
			}
			if _, err := c.Do("AUTH", user, "old"); err == nil {
				t.Error("the old password still lets in")
			}
			do(t, c, "OK", "AUTH", user, "new")
			r.Restart()
			if got := r.Do("PING"); got != "PONG" {
				t.Errorf("PING after a restart: got %v", got)
			}
		})
	}
}

func TestLimitClients(t *testing.T) {
	r := redistest.Start(t)
	c := r.Conn()
	lift := r.LimitClients()
	if _, err := c.Do("PING"); err == nil {
		t.Error("a client from before is still there")
	}
	if _, err := r.Try("PING"); err == nil || !strings.Contains(err.Error(), "max number of clients") {
		t.Errorf("a new client: got %v, want a refusal", err)
	}
	lift()
	if got := r.Do("PING"); got != "PONG" {
		t.Errorf("PING after the limit is lifted: got %v", got)
	}
}

func TestRefusedWrites(t *testing.T) {
	r := redistest.Start(t)
	for kind, f := range map[string]func(int){"NOREPLICAS": r.RequireReplicas, "OOM": r.LimitMemory} {
		f(1)
		if _, err := r.Try("SET", "k", "v"); err == nil || !strings.HasPrefix(err.Error(), kind) {
			t.Errorf("SET: got %v, want %s", err, kind)
		}
		f(0)
		if got := r.Do("SET", "k", "v"); got != "OK" {
			t.Errorf("SET afterwards: got %v, want OK", got)
		}
	}
}
