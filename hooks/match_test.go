package hooks_test

import (
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

// asked reports whether a plugin with patterns is asked of a message in channel.
func asked(t *testing.T, channel string, patterns ...string) bool {
	t.Helper()
	p := message("a", nil)
	hs := hookstest.Entries(t, hooks.Entry{Plugin: p, Channels: patterns})
	if _, err := hs.Ask(t.Context(), abi.OnMessage, &hooks.Event{App: "app", Channel: channel}); err != nil {
		t.Fatal(err)
	}
	return len(p.Calls()) == 1
}

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		patterns []string
		channel  string
		want     bool
	}{
		{nil, "room", true},
		{[]string{"*"}, "room", true},
		{[]string{"**"}, "room", true},
		{[]string{"room"}, "room", true},
		{[]string{"room"}, "room1", false},
		{[]string{"room"}, "aroom", false},
		{[]string{"room"}, "Room", false},
		{[]string{"x", "room"}, "room", true},
		{[]string{"private-*"}, "private-", true},
		{[]string{"private-*"}, "private-a", true},
		{[]string{"private-*"}, "a-private-b", false},
		{[]string{"*-room"}, "a-room", true},
		{[]string{"*-room"}, "-room", true},
		{[]string{"*-room"}, "a-room-b", false},
		{[]string{"a*a"}, "a", false},
		{[]string{"a*a"}, "aa", true},
		{[]string{"a*b*c"}, "a-b-c", true},
		{[]string{"a*b*c"}, "abbc", true},
		{[]string{"a*b*c"}, "ac", false},
		{[]string{"a*b*bc"}, "abc", false},
		{[]string{"*b*"}, "abc", true},
		{[]string{"*b*"}, "ac", false},
		{[]string{"a**c"}, "ac", true},
		{[]string{"a.c", "a?c", "[a]bc"}, "abc", false},
		{[]string{"x*", "*-y", "z"}, "a-y", true},
		{[]string{"日*"}, "日本", true},
	} {
		if got := asked(t, test.channel, test.patterns...); got != test.want {
			t.Errorf("%q with the patterns %q: got %v, want %v", test.channel, test.patterns, got, test.want)
		}
	}
}

// naive is a glob in the simplest way that there is.
func naive(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		for i := range len(s) + 1 {
			if naive(pattern[1:], s[i:]) {
				return true
			}
		}
		return false
	default:
		return s != "" && s[0] == pattern[0] && naive(pattern[1:], s[1:])
	}
}

func FuzzPatterns(f *testing.F) {
	for _, pattern := range []string{"*", "a", "a*", "*a", "a*a", "a*b*a", "**a", "*ab*ab", "", "ab*abab*b"} {
		for _, s := range []string{"a", "aa", "aba", "abab", "ababab"} {
			f.Add(pattern, s)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, channel string) {
		if channel == "" || len(pattern) > 16 || len(channel) > 32 {
			return // no channel is no matter of patterns, and naive takes exponential time
		}
		if got, want := asked(t, channel, pattern), naive(pattern, channel); got != want {
			t.Errorf("%q with the pattern %q: got %v, want %v", channel, pattern, got, want)
		}
	})
}
