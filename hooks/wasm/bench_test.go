package wasm

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// BenchmarkEmpty is a hook that does nothing: the floor is the bare call of a
// function with two parameters, in the same run.
func BenchmarkEmpty(b *testing.B) {
	wasm := answering(i64(0)...).bytes()
	var floor float64
	b.Run("floor", func(b *testing.B) { floor = bare(b, wasm) })
	b.Run("path", func(b *testing.B) {
		p := load(b, wasm)
		var v hooks.Verdict
		b.ReportAllocs()
		for b.Loop() {
			if err := p.Call(context.Background(), abi.OnMessage, &event, &v); err != nil {
				b.Fatal(err)
			}
		}
		if floor > 0 {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/floor, "x-floor")
		}
	})
	b.Run("parallel", func(b *testing.B) {
		p := load(b, wasm)
		b.RunParallel(func(pb *testing.PB) {
			var v hooks.Verdict
			for pb.Next() {
				if err := p.Call(context.Background(), abi.OnMessage, &event, &v); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// bare calls a guest that is not instrumented, without any of the host, and
// returns the nanoseconds that it takes.
func bare(b *testing.B, wasm []byte) float64 {
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	defer func() { _ = rt.Close(ctx) }()
	m, err := rt.Instantiate(ctx, wasm)
	if err != nil {
		b.Fatal(err)
	}
	f := m.ExportedFunction(abi.OnMessage.Export())
	var stack [2]uint64
	for b.Loop() {
		if err := f.CallWithStack(ctx, stack[:]); err != nil {
			b.Fatal(err)
		}
	}
	return float64(b.Elapsed().Nanoseconds()) / float64(b.N)
}
