package wasm

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

func publication(app, channel, event, data, except string) string {
	field := func(s string) []byte {
		if s == "" {
			return nil
		}
		return []byte(s)
	}
	return string(abi.Append(nil, field(app), field(channel), field(except), nil, field(event), field(data)))
}

func TestPublishWaitsForTheHook(t *testing.T) {
	var got []Publication
	host := Host{Publish: func(_ context.Context, p Publication) error {
		got = append(got, p)
		return errors.New("one that fails does not keep the next from being published")
	}}
	g := open(t, Options{Name: "echo", Apps: []string{"app1", "app2"}, Host: host}, all)
	p, n := g.write(0, publication("", "chat-1", "e", "data", "1.2"))
	if got := g.call("publish", p, n); got != 0 {
		t.Fatalf("got %d", got)
	}
	p, n = g.write(0, publication("app2", "chat-2", "e2", "", ""))
	if got := g.call("publish", p, n); got != 0 {
		t.Fatalf("got %d", got)
	}
	g.write(0, strings.Repeat("x", 100)) // it keeps a copy
	if len(got) > 0 {
		t.Error("it is published before the hook has returned")
	}
	g.x.flush(t.Context())
	g.x.flush(t.Context())
	want := []Publication{
		{Plugin: "echo", App: "app1", Channel: "chat-1", Event: "e", Data: []byte("data"), Except: "1.2"},
		{Plugin: "echo", App: "app2", Channel: "chat-2", Event: "e2", Data: []byte{}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatMayBePublished(t *testing.T) {
	long := strings.Repeat("x", maxName+1)
	for _, c := range []struct {
		name, frame string
		want        int
	}{
		{"a channel that is granted", publication("app1", "chat-1", "e", "d", ""), 0},
		{"another channel", publication("app1", "private-1", "e", "d", ""), abi.ErrDenied},
		{"another app", publication("app9", "chat-1", "e", "d", ""), abi.ErrDenied},
		{"no channel", publication("", "", "e", "d", ""), abi.ErrArgument},
		{"a channel that is none", publication("", "chat- 1", "e", "d", ""), abi.ErrArgument},
		{"a channel that is too long", publication("", "chat-"+long, "e", "d", ""), abi.ErrArgument},
		{"no event", publication("", "chat-1", "", "d", ""), abi.ErrArgument},
		{"an event that is too long", publication("", "chat-1", long, "d", ""), abi.ErrArgument},
		{"data that is not UTF-8", publication("", "chat-1", "e", "\xff", ""), abi.ErrArgument},
		{"a frame that is none", "frame", abi.ErrArgument},
	} {
		g := open(t, Options{Apps: []string{"app1"}, Host: Host{Publish: func(context.Context, Publication) error { return nil }}}, all)
		p, n := g.write(0, c.frame)
		if got := g.call("publish", p, n); got != c.want || len(g.x.published) != map[bool]int{true: 1}[c.want == 0] {
			t.Errorf("%s: got %d, %d queued, want %d", c.name, got, len(g.x.published), c.want)
		}
	}
}

func TestPublishIsLimited(t *testing.T) {
	g := open(t, Options{Apps: []string{"app1"}, Host: Host{Publish: func(context.Context, Publication) error { return nil }}}, all)
	g.x.event = &hooks.Event{} // of a tick: the app is the one that there is
	p, n := g.write(0, publication("", "chat-1", "e", "", ""))
	for range 2 {
		for range maxPublications {
			if got := g.call("publish", p, n); got != 0 {
				t.Fatalf("got %d", got)
			}
		}
		if got := g.call("publish", p, n); got != abi.ErrQuota {
			t.Errorf("got %d, want %d", got, abi.ErrQuota)
		}
		g.x.flush(t.Context())
	}
	g.x.event = nil
	if got := g.call("publish", p, n); got != abi.ErrDenied {
		t.Errorf("outside a hook: got %d, want %d", got, abi.ErrDenied)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"chat-*", "chat-1", true},
		{"chat-*", "chat-", true},
		{"chat-*", "chat", false},
		{"chat-*", "private-chat-1", false},
		{"*", "anything", true},
		{"one", "one", true},
		{"one", "ones", false},
		{"a*b*c", "a1b2c", true},
		{"a*b*c", "abc", true},
		{"a*b*c", "acb", false},
		{"ab*ba", "aba", false}, // the ends do not overlap
		{"a**", "abc", true},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("%s, %s: got %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}
