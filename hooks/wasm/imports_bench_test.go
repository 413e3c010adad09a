package wasm

import (
	"testing"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/kv"
)

// BenchmarkImports is each function as a guest has it: from the call of the
// guest, which calls the host, to its return.
func BenchmarkImports(b *testing.B) {
	hour := uint64(time.Hour / time.Millisecond)
	for _, c := range []struct {
		name, function string
		args           []uint64
	}{
		{"nothing", "sched_yield", nil},
		{"config_get", "config_get", []uint64{0, 3, 1000, 50}},
		{"ctx_get", "ctx_get", []uint64{abi.CtxRemoteIP, 1000, 50}},
		{"now_ms", "now_ms", nil},
		{"hmac_sha256/137B", "hmac_sha256", []uint64{abi.HMACAppSecret, 0, 0, 0, 137, 1000}},
		{"kv_get/100B", "kv_get", []uint64{0, 3, 1000, 100}},
		{"kv_set/100B", "kv_set", []uint64{0, 3, 200, 100, hour}},
		{"kv_incr", "kv_incr", []uint64{0, 2, 1, hour, 1000}},
	} {
		b.Run(c.name, func(b *testing.B) {
			store := kv.New(0, nil)
			if err := store.Set([]byte("key"), make([]byte, 100), time.Hour); err != nil {
				b.Fatal(err)
			}
			g := open(b, Options{
				Config: []byte(`{"key":"value"}`),
				Host:   Host{KV: store, Secret: func(string) (string, bool) { return "secret", true }},
			}, all)
			g.x.event.Client = &hooks.Client{RemoteIP: "192.0.2.1"}
			g.write(0, "key")
			f, stack := g.x.mod.ExportedFunction(c.function), make([]uint64, 8)
			b.ReportAllocs()
			for b.Loop() {
				copy(stack, c.args)
				if err := f.CallWithStack(g.ctx, stack); err != nil {
					b.Fatal(err)
				}
			}
			if int32(stack[0]) < 0 {
				b.Fatalf("it returned %d", int32(stack[0]))
			}
		})
	}
}
