package wasm

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/fuel"
)

// workloads are what sdk/testdata/bench does in every language: a channel of 100
// bytes and 303 bytes of data.
func workloads() map[string]struct {
	hook  abi.Hook
	event hooks.Event
	want  abi.Status
} {
	channel := "private-chat." + strings.Repeat("x", 100-len("private-chat..user-12345678")) + ".user-12345678"
	data := `{"text":"` + strings.Repeat("lorem ", 40) + `","room":12,"user_id":"user-12345678","ok":true}`
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(`{"sub":"user-12345678","exp":1767229200,"iat":1767225600,"iss":"app"}`))
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write([]byte(token))
	token += "." + encode(mac.Sum(nil))
	type workload = struct {
		hook  abi.Hook
		event hooks.Event
		want  abi.Status
	}
	return map[string]workload{
		"decide":  {abi.OnSubscribe, hooks.Event{App: "app", Channel: channel, SocketID: "1234.5678", Data: data, HasData: true}, abi.Continue},
		"rewrite": {abi.OnMessage, hooks.Event{App: "app", Channel: channel, SocketID: "1234.5678", Name: "client-e", Data: data, HasData: true}, abi.Replace},
		"jwt":     {abi.Authorize, hooks.Event{App: "app", Channel: channel, SocketID: "1234.5678", Auth: token, Flags: abi.Unsigned}, abi.Continue},
	}
}

// benchGuest returns the guest of a language; that of Go is built.
func benchGuest(b *testing.B, language string) []byte {
	b.Helper()
	path := filepath.Join("..", "..", "sdk", "testdata", "bench", language, "bench.wasm")
	if language == "go" {
		path = filepath.Join(b.TempDir(), "bench.wasm")
		cmd := exec.CommandContext(b.Context(), "go", "build", "-buildmode=c-shared", "-o", path, "../../sdk/testdata/bench/go")
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		if said, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("build: %v\n%s", err, said)
		}
	}
	wasm, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return wasm
}

// BenchmarkLanguages measures each workload in each language: bare, the function
// alone in a guest that is not instrumented; fueled, the same in one that is; and
// path, the whole call. The ratios are to bare.
func BenchmarkLanguages(b *testing.B) {
	for _, language := range []string{"c", "rust", "assemblyscript", "go"} {
		wasm := benchGuest(b, language)
		instrumented, err := fuel.Instrument(wasm, fuel.Options{Slice: slice})
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range []string{"decide", "rewrite", "jwt"} {
			w := workloads()[name]
			var bare float64
			prefix := language + "/" + name + "/"
			b.Run(prefix+"bare", func(b *testing.B) {
				bare = alone(b, wasm, w.hook, &w.event)
			})
			b.Run(prefix+"fueled", func(b *testing.B) {
				b.ReportMetric(alone(b, instrumented, w.hook, &w.event)/bare, "x-bare")
			})
			b.Run(prefix+"path", func(b *testing.B) {
				p := load(b, wasm)
				var v hooks.Verdict
				b.ReportAllocs()
				for b.Loop() {
					if err := p.Call(context.Background(), w.hook, &w.event, &v); err != nil || v.Status != w.want {
						b.Fatal(v.Status, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/bare, "x-bare")
			})
		}
	}
}

// alone calls the function of a hook over and over, with nothing around it, and
// returns how many nanoseconds a call takes.
func alone(b *testing.B, wasm []byte, h abi.Hook, e *hooks.Event) float64 {
	b.Helper()
	ctx := context.Background()
	p := newPlugin(small())
	p.runtime = wazero.NewRuntime(ctx)
	defer func() { _ = p.runtime.Close(ctx) }()
	if err := p.link(ctx, p.runtime, p.o.Grants); err != nil {
		b.Fatal(err)
	}
	x := &instance{plugin: p, slot: &p.slots[0], budget: time.Hour, event: e}
	x.ctx = &instanceContext{x}
	var err error
	x.mod, err = p.runtime.InstantiateWithConfig(x.ctx, wasm, wazero.NewModuleConfig().WithStartFunctions(abi.Initialize))
	if err != nil {
		b.Fatal(err)
	}
	x.fuel, _ = x.mod.ExportedGlobal(abi.Fuel).(api.MutableGlobal)
	if x.fuel == nil { // it is not instrumented: the host must not look at the clock for it
		x.side.work = math.MinInt
	}
	x.grow = x.mod.ExportedFunction(abi.Buffer)
	if err := x.reserve(abi.BufferSize); err != nil {
		b.Fatal(err)
	}
	size, err := x.write(e)
	if err != nil {
		b.Fatal(err)
	}
	f := x.mod.ExportedFunction(h.Export())
	for b.Loop() {
		x.stack[0], x.stack[1] = uint64(x.buf), uint64(size)
		if err := f.CallWithStack(x.ctx, x.stack[:]); err != nil {
			b.Fatal(err)
		}
	}
	return float64(b.Elapsed().Nanoseconds()) / float64(b.N)
}

// BenchmarkScaling is the same call by one caller and by one for each processor.
// The ratio is how many times as many calls a second those make; it is to be near
// their number.
func BenchmarkScaling(b *testing.B) {
	wasm := benchGuest(b, "c")
	w := workloads()["decide"]
	p := load(b, wasm)
	call := func(v *hooks.Verdict) {
		if err := p.Call(context.Background(), w.hook, &w.event, v); err != nil {
			b.Error(err)
		}
	}
	var one float64
	b.Run("one", func(b *testing.B) {
		var v hooks.Verdict
		for b.Loop() {
			call(&v)
		}
		one = float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	})
	b.Run("all", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			var v hooks.Verdict
			for pb.Next() {
				call(&v)
			}
		})
		b.ReportMetric(one/(float64(b.Elapsed().Nanoseconds())/float64(b.N)), "x-one")
	})
}
