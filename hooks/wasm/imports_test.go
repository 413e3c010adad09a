package wasm

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/fuel"
	"github.com/revurb/revurb/hooks/kv"
)

var all = Grants{Log: true, Config: true, KV: true, HMAC: true, Clock: true, Random: true, Publish: []string{"chat-*"}}

// guest is a guest that calls each import with the arguments that it is given.
type guest struct {
	t   testing.TB
	ctx context.Context
	x   *instance
}

func (g *guest) try(name string, args ...uint64) (uint64, error) {
	g.t.Helper()
	results, err := g.x.mod.ExportedFunction(name).Call(g.ctx, args...)
	if len(results) == 0 {
		return 0, err
	}
	return results[0], err
}

// call returns the result of an import as an i32.
func (g *guest) call(name string, args ...uint64) int {
	g.t.Helper()
	n, err := g.try(name, args...)
	if err != nil {
		g.t.Fatalf("%s: %v", name, err)
	}
	return int(int32(n))
}

func (g *guest) write(addr uint32, s string) (uint64, uint64) {
	g.t.Helper()
	if !g.x.mod.Memory().WriteString(addr, s) {
		g.t.Fatal("outside memory")
	}
	return uint64(addr), uint64(len(s))
}

func (g *guest) read(addr uint32, n int) string {
	g.t.Helper()
	b, ok := g.x.mod.Memory().Read(addr, uint32(n))
	if !ok {
		g.t.Fatal("outside memory")
	}
	return string(b)
}

func (g *guest) int(addr uint32) int64 {
	return int64(binary.LittleEndian.Uint64([]byte(g.read(addr, 8))))
}

func open(t testing.TB, o Options, granted Grants) *guest {
	t.Helper()
	ctx := t.Context()
	rt := wazero.NewRuntime(ctx)
	t.Cleanup(func() { rt.Close(context.Background()) })
	p := &Plugin{o: o}
	if err := p.link(ctx, rt, granted); err != nil {
		t.Fatal(err)
	}
	x := &instance{plugin: p, slot: new(slot), budget: time.Minute, event: &hooks.Event{App: "app1"}}
	ctx = &instanceContext{x}
	wasm, err := fuel.Instrument(forwarder(granted), fuel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if x.mod, err = rt.Instantiate(ctx, wasm); err != nil {
		t.Fatal(err)
	}
	return &guest{t: t, ctx: ctx, x: x}
}

// forwarder is a guest with a memory of two pages that exports each function it
// is granted.
func forwarder(granted Grants) []byte {
	m := module{pages: 2}
	add := func(from string, f function) {
		body := []byte{}
		for i := range f.params {
			body = append(append(body, 0x20), uvarint(i)...)
		}
		typ := f.params + ">" + f.results
		m.funcs = append(m.funcs, funcOf{f.name, typ, append(append(body, 0x10), uvarint(len(m.imports))...)})
		m = m.importing(from, f.name, typ)
	}
	for _, f := range functions() {
		if f.granted == nil || f.granted(granted) {
			add(abi.Module, f)
		}
	}
	for _, f := range wasiFunctions() {
		add(wasiModule, f)
	}
	return m.bytes()
}

func TestConfigIsRenderedOnce(t *testing.T) {
	g := open(t, Options{Config: []byte(`{"s":"a\"b","n":1.50,"o":{"x":[1, 2]},"t":true}`)}, all)
	for key, want := range map[string]string{"s": `a"b`, "n": "1.50", "o": `{"x":[1, 2]}`, "t": "true"} {
		p, n := g.write(0, key)
		if got := g.call("config_get", p, n, 100, 50); got != len(want) || g.read(100, len(want)) != want {
			t.Errorf("%s: got %d, %q, want %q", key, got, g.read(100, len(want)), want)
		}
	}
	g.write(0, "missing")
	if got := g.call("config_get", 0, 7, 100, 50); got != abi.ErrNotFound {
		t.Errorf("got %d, want %d", got, abi.ErrNotFound)
	}
}

func TestABufferThatIsTooSmallIsNotWritten(t *testing.T) {
	g := open(t, Options{Config: []byte(`{"k":"value"}`)}, all)
	g.write(0, "k")
	g.write(100, "before")
	if got := g.call("config_get", 0, 1, 100, 4); got != 5 || g.read(100, 6) != "before" {
		t.Errorf("got %d, %q, want 5 and what was there", got, g.read(100, 6))
	}
}

func TestContextFields(t *testing.T) {
	g := open(t, Options{}, all)
	if got := g.call("ctx_get", abi.CtxOrigin, 0, 50); got != abi.ErrNotFound {
		t.Errorf("without a client: got %d, want %d", got, abi.ErrNotFound)
	}
	g.x.event = &hooks.Event{Client: &hooks.Client{Origin: "https://a", RemoteIP: "1.2.3.4", Query: "x=1"}, UserInfo: "{}", Subscribers: 7}
	for field, want := range []string{"https://a", "1.2.3.4", "x=1", "{}", "\x07\x00\x00\x00\x00\x00\x00\x00"} {
		if got := g.call("ctx_get", uint64(field), 0, 50); got != len(want) || g.read(0, len(want)) != want {
			t.Errorf("field %d: got %d, %q, want %q", field, got, g.read(0, len(want)), want)
		}
	}
	if got := g.call("ctx_get", abi.CtxFields, 0, 50); got != abi.ErrArgument {
		t.Errorf("got %d, want %d", got, abi.ErrArgument)
	}
}

func TestHMAC(t *testing.T) {
	sum := func(key, msg string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(msg))
		return hex.EncodeToString(h.Sum(nil))
	}
	secrets := map[string]string{"app1": "s1", "app2": "s2"}
	g := open(t, Options{Host: Host{Secret: func(app string) (string, bool) { s, ok := secrets[app]; return s, ok }}}, all)
	g.write(0, "key")
	msg := strings.Repeat("message", 10_000) // more than one chunk
	p, n := g.write(10, msg)
	check := func(ref uint64, key string) {
		t.Helper()
		if got := g.call("hmac_sha256", ref, 0, 3, p, n, 120_000); got != 0 || hex.EncodeToString([]byte(g.read(120_000, 32))) != sum(key, msg) {
			t.Errorf("ref %d: got %d, %x, want %s", ref, got, g.read(120_000, 32), sum(key, msg))
		}
	}
	for range 2 {
		check(abi.HMACKeyBytes, "key")
		check(abi.HMACAppSecret, "s1")
	}
	g.x.event.App = "app2"
	check(abi.HMACAppSecret, "s2")
	secrets["app2"] = "rotated"
	check(abi.HMACAppSecret, "rotated")
	for i := range 1000 {
		binary.LittleEndian.PutUint16(mustRead(g, 0, 2), uint16(i))
		g.call("hmac_sha256", abi.HMACKeyBytes, 0, 2, p, 3, 120_000)
	}
	if got := len(g.x.side.macs); got > maxMACs {
		t.Errorf("%d keys are kept, want %d at most", got, maxMACs)
	}
	g.x.event.App = "gone"
	if got := g.call("hmac_sha256", abi.HMACAppSecret, 0, 0, p, n, 120_000); got != abi.ErrNotFound {
		t.Errorf("an app that is gone: got %d, want %d", got, abi.ErrNotFound)
	}
	if got := g.call("hmac_sha256", 2, 0, 0, p, n, 120_000); got != abi.ErrArgument {
		t.Errorf("an unknown key: got %d, want %d", got, abi.ErrArgument)
	}
	g.x.event = nil
	if got := g.call("hmac_sha256", abi.HMACAppSecret, 0, 0, p, n, 120_000); got != abi.ErrDenied {
		t.Errorf("without an app: got %d, want %d", got, abi.ErrDenied)
	}
	if bytes.Contains(mustRead(g, 0, 2<<16), []byte("rotated")) {
		t.Error("the secret is in the memory of the guest")
	}
}

func mustRead(g *guest, addr, n uint32) []byte {
	b, ok := g.x.mod.Memory().Read(addr, n)
	if !ok {
		g.t.Fatal("outside memory")
	}
	return b
}

func TestKV(t *testing.T) {
	g := open(t, Options{Host: Host{KV: kv.New(64<<10, nil)}}, all)
	g.write(0, "key")
	g.write(10, "value")
	hour := uint64(time.Hour / time.Millisecond)
	step := func(want int, name string, args ...uint64) {
		t.Helper()
		if got := g.call(name, args...); got != want {
			t.Errorf("%s%v: got %d, want %d", name, args, got, want)
		}
	}
	step(abi.ErrNotFound, "kv_get", 0, 3, 100, 50)
	step(0, "kv_set", 0, 3, 10, 5, hour)
	step(5, "kv_get", 0, 3, 100, 50)
	if g.read(100, 5) != "value" {
		t.Errorf("got %q", g.read(100, 5))
	}
	step(5, "kv_get", 0, 3, 200, 4)
	step(abi.ErrArgument, "kv_incr", 0, 3, 1, hour, 300)
	step(0, "kv_del", 0, 3)
	step(abi.ErrNotFound, "kv_del", 0, 3)
	step(0, "kv_incr", 0, 3, ^uint64(1), hour, 300)
	step(0, "kv_incr", 0, 3, ^uint64(2), hour, 300)
	if got := g.int(300); got != -5 {
		t.Errorf("the sum is %d, want -5", got)
	}
	step(abi.ErrArgument, "kv_set", 0, 3, 10, 5, 0)
	step(abi.ErrArgument, "kv_set", 0, 3, 10, 5, ^uint64(0))
	step(abi.ErrArgument, "kv_set", 0, 3, 10, 5, 1<<62)
	step(abi.ErrTooLarge, "kv_set", 0, 300, 10, 5, hour)
	step(abi.ErrTooLarge, "kv_set", 0, 3, 10, 70_000, hour)
	step(abi.ErrQuota, "kv_set", 0, 3, 10, 65_536, hour)
}

func TestWithoutAHostImportsAreDenied(t *testing.T) {
	g := open(t, Options{Apps: []string{"*"}}, all)
	frame := abi.Append(nil, nil, []byte("chat-1"), nil, nil, []byte("e"), []byte("d"))
	p, n := g.write(0, string(frame))
	for name, got := range map[string]int{
		"kv_get":      g.call("kv_get", 0, 1, 0, 0),
		"kv_set":      g.call("kv_set", 0, 1, 0, 0, 1),
		"kv_incr":     g.call("kv_incr", 0, 1, 1, 1, 0),
		"kv_del":      g.call("kv_del", 0, 1),
		"hmac_sha256": g.call("hmac_sha256", abi.HMACAppSecret, 0, 0, 0, 0, 0),
		"publish":     g.call("publish", p, n),
	} {
		if got != abi.ErrDenied {
			t.Errorf("%s: got %d, want %d", name, got, abi.ErrDenied)
		}
	}
	if _, err := g.try("log", 1, 0, 1); err != nil {
		t.Error(err)
	}
}

func TestClockAndRandom(t *testing.T) {
	now := time.UnixMilli(1_234_567_890_123)
	g := open(t, Options{Host: Host{Now: func() time.Time { return now }, Random: strings.NewReader("0123456789")}}, all)
	if got, err := g.try("now_ms"); err != nil || got != 1_234_567_890_123 {
		t.Errorf("got %d, %v", got, err)
	}
	if got := g.call("random", 0, 6); got != 0 || g.read(0, 6) != "012345" {
		t.Errorf("got %d, %q", got, g.read(0, 6))
	}
	if _, err := g.try("random", 0, 6); err == nil {
		t.Error("a guest goes on without random bytes")
	}
}

func TestAnAddressOutsideTheMemoryIsATrap(t *testing.T) {
	store := kv.New(0, nil)
	g := open(t, Options{Host: Host{KV: store, Log: slog.New(slog.DiscardHandler)}, Config: []byte(`{"k":"v"}`)}, all)
	const end = 2 << 16
	g.write(0, "k")
	if err := store.Set([]byte("k"), []byte("v"), time.Hour); err != nil {
		t.Fatal(err)
	}
	g.x.event.UserInfo = "{}"
	for _, c := range []struct {
		name string
		args []uint64
	}{
		{"log", []uint64{1, end, 1}},
		{"log", []uint64{1, 0xffffffff, 0xffffffff}},
		{"config_get", []uint64{end, 1, 0, 1}},
		{"config_get", []uint64{0, 1, end, 1}},
		{"ctx_get", []uint64{abi.CtxUserInfo, end - 1, 2}},
		{"random", []uint64{end - 5, 6}},
		{"hmac_sha256", []uint64{0, end, 1, 0, 1, 0}},
		{"hmac_sha256", []uint64{0, 0, 1, end, 1, 0}},
		{"hmac_sha256", []uint64{0, 0, 1, 0, 1, end - 31}},
		{"kv_get", []uint64{end, 1, 0, 1}},
		{"kv_get", []uint64{0, 1, end, 1}},
		{"kv_set", []uint64{end, 1, 0, 1, 1}},
		{"kv_set", []uint64{0, 1, end, 1, 1}},
		{"kv_incr", []uint64{end, 1, 1, 1, 0}},
		{"kv_incr", []uint64{0, 1, 1, 1, end - 7}},
		{"kv_del", []uint64{end, 1}},
		{"publish", []uint64{end, 1}},
		{"environ_get", []uint64{end, 0}},
		{"clock_time_get", []uint64{0, 0, end}},
		{"poll_oneoff", []uint64{end - 47, 0, 1, 0}},
		{"fd_write", []uint64{1, end, 1, 0}},
		{"random_get", []uint64{end, 1}},
	} {
		_, err := g.try(c.name, c.args...)
		var trap *MemoryError
		if !errors.As(err, &trap) || trap.Function != c.name {
			t.Errorf("%s%v: got %v, want a MemoryError of it", c.name, c.args, err)
		}
	}
}

func TestHotImportsAllocateNothing(t *testing.T) {
	g := open(t, Options{
		Config: []byte(`{"k":"value"}`),
		Host:   Host{KV: kv.New(0, nil), Secret: func(string) (string, bool) { return "secret", true }},
	}, all)
	g.x.event.UserInfo = "{}"
	g.write(0, "k")
	g.call("kv_set", 0, 1, 0, 100, 1000_000)
	for name, args := range map[string][]uint64{
		"config_get":  {0, 1, 100, 50},
		"ctx_get":     {abi.CtxUserInfo, 100, 50},
		"kv_get":      {0, 1, 200, 150},
		"kv_set":      {0, 1, 0, 100, 1000_000},
		"now_ms":      {},
		"random":      {100, 32},
		"hmac_sha256": {abi.HMACAppSecret, 0, 0, 0, 137, 300},
	} {
		f, stack := g.x.mod.ExportedFunction(name), make([]uint64, 8)
		if n := testing.AllocsPerRun(100, func() {
			copy(stack, args)
			if err := f.CallWithStack(g.ctx, stack); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
