package hooks

import (
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/revurb/revurb/core/limit"
	"github.com/revurb/revurb/hooks/abi"
)

// MaxChain is how many plugins may be asked of one event.
const MaxChain = 8

// Policy is what happens where a plugin fails to decide.
type Policy uint8

// The policies.
const (
	FailDeny  Policy = iota // as if it had denied
	FailAllow               // as if it had allowed
	FailSkip                // as if it had no opinion
)

// Source is where the messages come from that a plugin is asked of.
type Source uint8

// The sources.
const (
	AllMessages Source = iota
	ClientMessages
	APIMessages
)

// Entry is a plugin, and what it is asked of and told.
type Entry struct {
	Plugin   Plugin
	Hooks    []abi.Hook // of those that it has; none is all of them
	Apps     []string   // IDs; none, or "*", is all
	Channels []string   // patterns, in which * is any text; none is all
	Messages Source
	OnError  [abi.OnMessage + 1]Policy

	// Replace says that the plugin's yes to Authorize stands in place of the
	// signature.
	Replace bool
}

// Member is an Entry that is, or was, in a Set, and how it fares.
type Member struct {
	Entry // static

	hooks    uint32 // a bit each
	apps     matcher
	channels matcher
	log      *slog.Logger
	lines    *limit.Rate   // of the log, for failures
	unlogged atomic.Uint64 // failures since the last line
	breaker  breaker
	skipped  atomic.Uint64 // calls that the breaker has not let through
	worker   worker
}

// NewMember returns a member of sets to come.
func NewMember(e Entry, log *slog.Logger) *Member {
	m := &Member{
		Entry: e, log: log.With("plugin", e.Plugin.Name()), lines: limit.PerSecond(1),
		apps: newMatcher(e.Apps), channels: newMatcher(e.Channels),
	}
	for h := range abi.Hooks {
		if e.Plugin.Handles(h) && (len(e.Hooks) == 0 || slices.Contains(e.Hooks, h)) {
			m.hooks |= 1 << h
		}
	}
	m.worker.member = m
	return m
}

// has reports whether the plugin is asked of, or told, h.
func (m *Member) has(h abi.Hook) bool { return m.hooks&(1<<h) != 0 }

// concerns reports whether the plugin is asked of, or told, e.
func (m *Member) concerns(h abi.Hook, e *Event) bool {
	if !m.apps.matches(e.App) || e.Channel != "" && !m.channels.matches(e.Channel) {
		return false
	}
	if h != abi.OnMessage || m.Messages == AllMessages {
		return true
	}
	return (m.Messages == APIMessages) == (e.Flags&abi.FromAPI != 0)
}

// Stats are how a member fares.
type Stats struct {
	Breaker BreakerState
	Skipped uint64 // calls that were not made because the breaker is open
	Queued  int    // notifications that wait
	Dropped uint64 // notifications that found the queue full
}

// Stats returns how m fares.
func (m *Member) Stats() Stats {
	return Stats{
		Breaker: m.breaker.State(), Skipped: m.skipped.Load(),
		Queued: m.worker.waiting(), Dropped: m.worker.dropped.Load(),
	}
}

// Set is the plugins at one moment, in the order in which they are asked. It
// never changes.
type Set struct {
	members []*Member
	chains  [abi.Hooks][]*Member
	mask    uint32
}

// NewSet returns the set of members, in their order.
func NewSet(members ...*Member) (*Set, error) {
	s := new(Set)
	for _, m := range members {
		if s.named(m.Plugin.Name()) != nil {
			return nil, fmt.Errorf("two plugins are called %s", m.Plugin.Name())
		}
		if m.Replace && m.OnError[abi.Authorize] == FailAllow {
			return nil, fmt.Errorf("plugin %s replaces the signature, and would let everyone in whenever it fails: its on_error for authorize may be deny or skip", m.Plugin.Name())
		}
		s.members = append(s.members, m)
		s.mask |= m.hooks
		for h := range abi.Hooks {
			if m.has(h) {
				s.chains[h] = append(s.chains[h], m)
			}
		}
	}
	for h, chain := range s.chains {
		if len(chain) > MaxChain {
			return nil, fmt.Errorf("%d plugins have %s, of at most %d", len(chain), abi.Hook(h), MaxChain)
		}
	}
	return s, nil
}

// named returns the member whose plugin has that name, or nil.
func (s *Set) named(name string) *Member {
	for _, m := range s.members {
		if m.Plugin.Name() == name {
			return m
		}
	}
	return nil
}
