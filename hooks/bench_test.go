package hooks_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// silent is a plugin that continues, and remembers nothing.
type silent string

func (s silent) Name() string          { return string(s) }
func (s silent) Handles(abi.Hook) bool { return true }

func (s silent) Call(_ context.Context, _ abi.Hook, _ *hooks.Event, v *hooks.Verdict) error {
	v.Reset(abi.Continue)
	return nil
}

// silence returns hooks with plugins that continue, of which one filters.
func silence(t testing.TB) *hooks.Hooks {
	log := slog.New(slog.DiscardHandler)
	s, err := hooks.NewSet(
		hooks.NewMember(hooks.Entry{Plugin: silent("a")}, log),
		hooks.NewMember(hooks.Entry{Plugin: silent("b"), Apps: []string{"app"}, Channels: []string{"x", "private-*"}}, log),
	)
	if err != nil {
		t.Fatal(err)
	}
	hs := new(hooks.Hooks)
	hs.Swap(s)
	t.Cleanup(func() { hs.Swap(nil) })
	return hs
}

func BenchmarkHasWithoutPlugin(b *testing.B) {
	for name, hs := range map[string]*hooks.Hooks{"nil": nil, "zero": new(hooks.Hooks)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if hs.Has(abi.OnMessage) {
					b.Fatal("it has none")
				}
			}
		})
	}
}

func BenchmarkAskTwoPlugins(b *testing.B) {
	hs := silence(b)
	e := hooks.Event{App: "app", Channel: "private-a"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hs.Ask(b.Context(), abi.OnMessage, &e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAskTwoPluginsParallel(b *testing.B) {
	hs := silence(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		e := hooks.Event{App: "app", Channel: "private-a"}
		for pb.Next() {
			if _, err := hs.Ask(b.Context(), abi.OnMessage, &e); err != nil {
				b.Error(err)
			}
		}
	})
}
