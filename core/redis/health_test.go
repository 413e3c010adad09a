package redis

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A node is ready once it has joined, and not before: clients of one that never
// has would be alone. What it logs is one line for each change.
func TestReadiness(t *testing.T) {
	var log bytes.Buffer
	n, err := New(Config{Host: "h", Password: "canary"}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		err       error
		ready, up bool
		logged    string // "" is nothing
	}{
		{errors.New("no"), false, false, "does not answer"},
		{errors.New("no"), false, false, ""},
		{nil, true, true, "joined the cluster"},
		{nil, true, true, ""},
		{errors.New("no"), true, false, "does not answer"},
		{nil, true, true, "usable again"},
	} {
		log.Reset()
		n.health.saw(step.err)
		if n.Ready() != step.ready || n.Stats().Up != step.up {
			t.Errorf("step %d: ready %v and up %v, want %v and %v", i, n.Ready(), n.Stats().Up, step.ready, step.up)
		}
		lines := strings.Count(log.String(), "\n")
		if want := min(1, len(step.logged)); lines != want || !strings.Contains(log.String(), step.logged) || strings.Contains(log.String(), "canary") {
			t.Errorf("step %d: logged %q, want %q", i, log.String(), step.logged)
		}
	}
}

// What lasts is said again once a minute, and at once when it is something else;
// with how long it has lasted, in a unit.
func TestWhatLastsIsSaidAgain(t *testing.T) {
	var log bytes.Buffer
	n, err := New(Config{Host: "h"}, slog.New(slog.NewJSONHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	n.health.saw(nil)
	now := time.Now()
	password, memory := reply("WRONGPASS invalid"), reply("OOM command not allowed")
	for i, step := range []struct {
		after  time.Duration
		err    error
		logged string // "" is nothing
	}{
		{0, password, "Redis refused the password; publishes are refused with 503 until that is over"},
		{500 * time.Millisecond, password, ""},
		{58 * time.Second, password, ""},
		{2 * time.Second, password, `"away":"1m0.5s"`},
		{time.Second, password, ""},
		{0, memory, "Redis is out of memory"},
		{time.Second, password, ""},
		{time.Second, memory, ""},
		{time.Minute, memory, "Redis is out of memory"},
	} {
		now = now.Add(step.after)
		log.Reset()
		n.health.sawBad(step.err, now)
		if lines := strings.Count(log.String(), "\n"); lines != min(1, len(step.logged)) || !strings.Contains(log.String(), step.logged) {
			t.Errorf("step %d: logged %q, want %q", i, log.String(), step.logged)
		}
	}
	log.Reset()
	n.health.saw(nil)
	if !strings.Contains(log.String(), `"msg":"Redis is usable again","away":"`) {
		t.Errorf("got %s, want how long it was away, with a unit", log.String())
	}
}

func TestPlace(t *testing.T) {
	for want, c := range map[string]Config{
		"h:1":                       {Host: "h", Port: 1, Password: "canary"},
		"[::1]:1":                   {Host: "::1", Port: 1},
		"r:6379":                    {URL: "rediss://u:canary@r/2"},
		"/run/redis.sock":           {URL: "unix://u:canary@/run/redis.sock"},
		"m, as a:1 and b:2 know it": {Sentinels: []string{"a:1", "b:2"}, Master: "m", SentinelPassword: "canary"},
		"the cluster of a:1, b:2":   {Cluster: []string{"a:1", "b:2"}},
		"":                          {},
	} {
		if got := c.Place(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
