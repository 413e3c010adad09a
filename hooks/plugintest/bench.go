package plugintest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/kv"
	"github.com/revurb/revurb/hooks/wasm"
	"github.com/revurb/revurb/hooks/wasm/wasmtest"
)

// Bench is what is measured, and how long.
type Bench struct {
	Hook     abi.Hook
	Event    hooks.Event
	Config   []byte // a JSON object, or nil
	Grants   wasm.Grants
	Duration time.Duration
}

// Speed is how fast a plugin is. Each call is timed, so that two looks at the
// clock are in it.
type Speed struct {
	Calls          int
	Took           time.Duration
	P50, P99, P999 time.Duration
	Fuel           int64   // of a call
	Allocations    float64 // of the host, for a call
	Memory, Growth int64   // bytes of the instance, and how many more than before
}

// PerSecond is how many calls there were in a second.
func (s Speed) PerSecond() float64 { return float64(s.Calls) / s.Took.Seconds() }

// Run measures the plugin, and one that does nothing, turn by turn: a machine
// that slows down is as slow for both.
func (b Bench) Run(ctx context.Context, guest []byte) (plugin, empty Speed, err error) {
	cache, err := os.MkdirTemp("", "revurb-bench-")
	if err != nil {
		return plugin, empty, fmt.Errorf("make a directory for the compiled plugin: %w", err)
	}
	defer func() { _ = os.RemoveAll(cache) }()
	nothing := wasmtest.Guest().Hook(b.Hook, "", wasmtest.I64(0)).Bytes()
	var runs [2]*run
	for i, w := range [][]byte{guest, nothing} {
		if runs[i], err = b.load(ctx, w, cache); err != nil {
			return plugin, empty, err
		}
		defer func() { _ = runs[i].plugin.Drain(ctx) }()
	}
	const turns = 10
	for range turns {
		for _, r := range runs {
			if err := r.turn(ctx, b, b.Duration/(2*turns)); err != nil {
				return plugin, empty, err
			}
		}
	}
	return runs[0].speed(ctx, b), runs[1].speed(ctx, b), nil
}

// run is a plugin that is measured.
type run struct {
	plugin *wasm.Plugin
	memory int64
	times  []time.Duration
	calls  int
	took   time.Duration
	v      hooks.Verdict
}

// maxTimes bounds the memory of what is measured.
const maxTimes = 4 << 20

func (b Bench) load(ctx context.Context, guest []byte, cache string) (*run, error) {
	p, err := wasm.Load(ctx, guest, wasm.Options{
		Name: "plugin", Apps: []string{"*"}, Config: b.Config, HostVersion: "bench", Grants: b.Grants, CacheDir: cache,
		Limits: wasm.Limits{Pool: 1, Call: callTime},
		Host: wasm.Host{
			KV: kv.New(0, nil), Secret: func(string) (string, bool) { return "secret", true },
			Publish: func(context.Context, wasm.Publication) error { return nil },
		},
	})
	if err != nil {
		return nil, err
	}
	r := &run{plugin: p, memory: p.Stats().Memory}
	if !p.Handles(b.Hook) {
		_ = p.Drain(ctx)
		return nil, fmt.Errorf("the plugin does not handle %s", b.Hook)
	}
	for range 100 { // the first calls find nothing in the caches
		if err := p.Call(ctx, b.Hook, &b.Event, &r.v); err != nil {
			_ = p.Drain(ctx)
			return nil, fmt.Errorf("call the plugin: %w", err)
		}
	}
	return r, nil
}

func (r *run) turn(ctx context.Context, b Bench, long time.Duration) error {
	begin := time.Now()
	for last := begin; ; {
		if err := r.plugin.Call(ctx, b.Hook, &b.Event, &r.v); err != nil {
			return fmt.Errorf("call the plugin: %w", err)
		}
		now := time.Now()
		r.calls++
		if len(r.times) < maxTimes {
			r.times = append(r.times, now.Sub(last))
		}
		if now.Sub(begin) >= long {
			r.took += now.Sub(begin)
			return nil
		}
		last = time.Now()
	}
}

func (r *run) speed(ctx context.Context, b Bench) Speed {
	const n = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		_ = r.plugin.Call(ctx, b.Hook, &b.Event, &r.v)
	}
	runtime.ReadMemStats(&after)
	used, err := r.plugin.Measure(ctx, b.Hook, &b.Event, &r.v)
	if err != nil {
		used = 0
	}
	slices.Sort(r.times)
	at := func(permille int) time.Duration { return r.times[(len(r.times)-1)*permille/1000] }
	stats := r.plugin.Stats()
	return Speed{
		Calls: r.calls, Took: r.took, P50: at(500), P99: at(990), P999: at(999), Fuel: used,
		Allocations: float64(after.Mallocs-before.Mallocs) / n, Memory: stats.Memory, Growth: stats.Memory - r.memory,
	}
}
