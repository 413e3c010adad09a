package redis

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// What goes wrong in the background is said once, again when it is another thing,
// and once a minute; not at all if it is over in a moment.
func TestComplaints(t *testing.T) {
	const doing = "tell backends what has changed"
	unknown, group := reply("ERR unknown command"), reply("ERR no such group")
	now := time.Now()
	n, err := New(Config{Host: "h"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	n.health.saw(nil)
	for i, step := range []struct {
		after time.Duration
		doing string
		err   error
		want  string // "" is nothing
	}{
		{0, doing, unknown, "does not know a command"},
		{time.Second, doing, unknown, ""},
		{0, "take what a dead node had", unknown, "does not know a command"},
		{0, doing, group, "Redis refused a command"},
		{0, doing, unknown, ""},
		{0, doing, nil, ""},
		{0, doing, unknown, ""}, // it comes and goes
		{time.Minute, doing, unknown, "does not know a command"},
		{0, doing, nil, ""},
		{0, doing, reply("READONLY You can't write"), ""},
		{4 * time.Second, doing, reply("READONLY You can't write"), ""},
		{0, doing, nil, ""}, // the failover is over
		{4 * time.Second, doing, reply("READONLY You can't write"), ""},
		{6 * time.Second, doing, reply("READONLY You can't write"), "Redis is read-only"},
		{0, doing, io.EOF, "does not answer"}, // as only one master of several may
		{time.Minute, doing, context.Canceled, ""},
	} {
		now = now.Add(step.after)
		if d, ok := n.complaints.due(step.doing, step.err, now); ok != (step.want != "") || !strings.Contains(d.what, step.want) {
			t.Errorf("step %d: %v: got %+v, %v; want %q", i, step.err, d, ok, step.want)
		}
	}
}

// Of a Redis that is away one line is enough, and health has it.
func TestComplaintsOfRedisAway(t *testing.T) {
	var log bytes.Buffer
	n, err := New(Config{Host: "h"}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	n.health.saw(errors.New("no"))
	log.Reset()
	n.complain("tell backends what has changed", reply("ERR x"))
	if log.Len() > 0 {
		t.Errorf("got %q, want nothing", log.String())
	}
	n.health.saw(nil)
	log.Reset()
	n.complain("tell backends what has changed", reply("OOM x"))
	if got := log.String(); !strings.Contains(got, "cannot tell backends what has changed: Redis is out of memory") || !strings.Contains(got, "hint=") {
		t.Errorf("got %q, want what is wrong and what to do", got)
	}
}
