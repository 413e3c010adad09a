package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestInbox(t *testing.T) {
	i := newInbox()
	i.put(Message{Text: "1"})
	i.put(Message{Text: "2"})
	first, _ := i.next(t.Context(), time.Minute)
	i.put(Message{Text: "3"})
	i.unread([]Message{first})
	i.end()
	got := ""
	for {
		m, problem := i.next(t.Context(), time.Minute)
		if problem != "" {
			if problem != "the connection has ended" {
				t.Errorf("got %q at the end", problem)
			}
			break
		}
		got += m.Text
	}
	if got != "123" {
		t.Errorf("got %s, want what was put back first, and all of it before the end", got)
	}
}

func TestInboxWakes(t *testing.T) {
	i := newInbox()
	go i.put(Message{Text: "late"})
	if m, problem := i.next(t.Context(), time.Minute); m.Text != "late" {
		t.Errorf("got %+v, %q", m, problem)
	}
	if _, problem := i.next(t.Context(), time.Millisecond); problem != "nothing came in 1ms" {
		t.Errorf("got %q", problem)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("enough"))
	if _, problem := i.next(ctx, time.Minute); !strings.Contains(problem, "enough") {
		t.Errorf("got %q", problem)
	}
}
