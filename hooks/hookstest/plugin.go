// Package hookstest has plugins without WebAssembly, for tests of what asks and
// tells them:
//
//	p := hookstest.New("censor", map[abi.Hook]hookstest.Func{
//		abi.OnMessage: hookstest.Deny("not that word"),
//	})
//	hs := hookstest.Hooks(t, p)
package hookstest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// Func is what a plugin does when it is called. It is given the verdict
// Continue, and changes that. Continue, Allow, Deny, Replace, Drop and Fail make
// the usual ones.
type Func func(ctx context.Context, e *hooks.Event, v *hooks.Verdict) error

// Call is one call of a plugin.
type Call struct {
	Hook  abi.Hook
	Event hooks.Event // as it was when the call was made
}

// Plugin is a hooks.Plugin that does as it is told, and remembers its calls. It
// may be used concurrently.
type Plugin struct {
	name    string            // static
	handles map[abi.Hook]bool // static

	mu      sync.Mutex // guards what follows
	does    map[abi.Hook]Func
	calls   []Call
	more    chan struct{} // closed, and made anew, with each call
	retired bool
}

var _ hooks.Plugin = (*Plugin)(nil)

// New returns a plugin that has the hooks of does. A Func that is nil continues.
func New(name string, does map[abi.Hook]Func) *Plugin {
	p := &Plugin{name: name, handles: map[abi.Hook]bool{}, does: maps.Clone(does), more: make(chan struct{})}
	for h := range does {
		p.handles[h] = true
	}
	return p
}

// Name implements hooks.Plugin.
func (p *Plugin) Name() string { return p.name }

// Handles implements hooks.Plugin.
func (p *Plugin) Handles(h abi.Hook) bool { return p.handles[h] }

// Call implements hooks.Plugin. A call that finds the plugin retired is not
// remembered: nothing of the plugin has run.
func (p *Plugin) Call(ctx context.Context, h abi.Hook, e *hooks.Event, v *hooks.Verdict) error {
	v.Reset(abi.Continue)
	do, ok := p.note(h, e)
	if !ok {
		return hooks.ErrRetired
	}
	if do == nil {
		return nil
	}
	return do(ctx, e, v)
}

func (p *Plugin) note(h abi.Hook, e *hooks.Event) (do Func, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired {
		return nil, false
	}
	p.calls = append(p.calls, Call{h, *e})
	close(p.more)
	p.more = make(chan struct{})
	return p.does[h], true
}

// Do changes what the plugin does when it is called for h, which must be one of
// those that it has.
func (p *Plugin) Do(h abi.Hook, f Func) {
	if !p.handles[h] {
		panic("hookstest: " + p.name + " does not have " + h.String())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.does[h] = f
}

// Retire makes all later calls fail with hooks.ErrRetired.
func (p *Plugin) Retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
}

// Calls returns the calls that were made so far, in their order.
func (p *Plugin) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

// Wait waits until n calls have been made, and returns all.
func (p *Plugin) Wait(t testing.TB, n int) []Call {
	t.Helper()
	timeout := time.After(patience)
	for {
		p.mu.Lock()
		calls, more := slices.Clone(p.calls), p.more
		p.mu.Unlock()
		if len(calls) >= n {
			return calls
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("plugin %s was called %d times, want %d", p.name, len(calls), n)
		}
	}
}

// patience is how long to wait for what should happen at once.
const patience = time.Minute

// Hooks returns hooks with plugins, in their order, until the test ends. They
// are asked of everything that they have.
func Hooks(t testing.TB, plugins ...hooks.Plugin) *hooks.Hooks {
	t.Helper()
	entries := make([]hooks.Entry, len(plugins))
	for i, p := range plugins {
		entries[i].Plugin = p
	}
	return Entries(t, entries...)
}

// Entries returns hooks with entries, in their order, until the test ends.
func Entries(t testing.TB, entries ...hooks.Entry) *hooks.Hooks {
	t.Helper()
	hs := new(hooks.Hooks)
	hs.Swap(Set(t, entries...))
	t.Cleanup(func() { hs.Swap(nil) })
	return hs
}

// Set returns a set of entries, which logs to the test.
func Set(t testing.TB, entries ...hooks.Entry) *hooks.Set {
	t.Helper()
	members := make([]*hooks.Member, len(entries))
	for i, e := range entries {
		members[i] = hooks.NewMember(e, Logger(t))
	}
	s, err := hooks.NewSet(members...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
