package channel_test

import (
	"strings"
	"testing"

	"github.com/revurb/revurb/core/channel"
)

func TestKindOf(t *testing.T) {
	tests := []struct {
		name   string
		prefix string
	}{
		{"chat", ""},
		{"private-chat", "private-"},
		{"presence-cache-chat", "presence-cache-"},
		{"private-encrypted-chat", "private-encrypted-"},
		{"privately", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := channel.KindOf(tt.name).Prefix; got != tt.prefix {
				t.Errorf("KindOf(%q).Prefix = %q, want %q", tt.name, got, tt.prefix)
			}
		})
	}
}

// A row below a shorter prefix of itself would never be found.
func TestKindsOrder(t *testing.T) {
	for i, k := range channel.Kinds {
		for _, before := range channel.Kinds[:i] {
			if strings.HasPrefix(k.Prefix, before.Prefix) {
				t.Errorf("row %d, %q, is hidden by %q above it", i, k.Prefix, before.Prefix)
			}
		}
	}
}

func TestKindString(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range channel.Kinds {
		if s := k.String(); s == "" || seen[s] {
			t.Errorf("kind %q is called %q, like another", k.Prefix, s)
		}
		seen[k.String()] = true
	}
}

func TestValidName(t *testing.T) {
	tests := []struct {
		name   string
		valid  bool // may be subscribed to
		target bool // may be published to
	}{
		{"chat", true, true},
		{"foo-bar_1234@=,.;", true, true},
		{strings.Repeat("x", 200), true, true},
		{strings.Repeat("x", 201), false, false},
		{"", false, false},
		{"a b", false, false},
		{"a#b", false, false},
		{"#x", false, false},
		{"ä", false, false},
		{"a/b", false, false},
		{"a:b", false, false},
		{"a!b", false, false},
		{"a\r\nb", false, false},
		{"a\x00", false, false},
		{"#server-to-user-1", false, true},
		{"#server-to-user-", false, false},
		{"#server-to-user-a b", false, false},
	}
	for _, tt := range tests {
		if got := channel.ValidName(tt.name, 200); got != tt.valid {
			t.Errorf("ValidName(%q) = %v, want %v", tt.name, got, tt.valid)
		}
		if got := channel.ValidTarget(tt.name, 200); got != tt.target {
			t.Errorf("ValidTarget(%q) = %v, want %v", tt.name, got, tt.target)
		}
	}
	if long := strings.Repeat("x", 10_000); !channel.ValidName(long, 0) {
		t.Error("without a limit, a long name is not valid")
	}
}
