package wasm

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/kv"
)

// patience is how long a test waits for what is to come at once.
const patience = time.Minute

var event = hooks.Event{App: "app1", Channel: "chat-1", SocketID: "1.2", Name: "client-e", Data: "hello", HasData: true}

// A guest that does what it should not is an error of its call. The server goes
// on: its garbage is collected, and other plugins answer meanwhile.
func TestMisbehaviour(t *testing.T) {
	exponential := func() module {
		m := answering(code([]byte{0x10}, uvarint(0), i64(0))...)
		var fs []funcOf
		for i := range 40 { // each calls the next twice
			fs = append(fs, funcOf{name: "f" + string(rune('A'+i)), typ: ">", code: code([]byte{0x10}, uvarint(i+1), []byte{0x10}, uvarint(i+1))})
		}
		return m.with(append(fs, funcOf{name: "last", typ: ">"})...)
	}
	response := func(fields ...[]byte) module {
		frame := abi.Append(nil, fields...)
		m := answering(at(dataAt, uint32(len(frame)))...)
		m.data = string(frame)
		return m
	}
	status := func(s abi.Status) []byte { return abi.Int(uint64(s)) }
	exit := answering(code(i32(3), []byte{0x10, 0}, i64(0))...).importing(wasiModule, "proc_exit", "i>")
	badArgument := answering(code(i32(-1), i32(10), []byte{0x10, 0, 0x1a}, i64(0))...).importing(abi.Module, "kv_del", "ii>i")

	for _, c := range []struct {
		name  string
		guest module
		spins bool   // until the deadline
		want  string // part of the error
	}{
		{"endless loop", answering(forever()...), true, ErrDeadline.Error()},
		{"exponential calls", exponential(), true, ErrDeadline.Error()},
		{"memory.fill of everything", answering(code(i32(200), []byte{0x40, 0, 0x1a}, // memory.grow
			forever(code(i32(0), i32(7), i32(200<<16), []byte{0xfc, 0x0b, 0})...))...), true, ErrDeadline.Error()},
		{"hashes of everything", answering(code(i32(200), []byte{0x40, 0, 0x1a},
			forever(code(i32(0), i32(0), i32(8), i32(0), i32(200<<16), i32(0), []byte{0x10, 0, 0x1a})...))...).
			importing(abi.Module, "hmac_sha256", "iiiiii>i"), true, ErrDeadline.Error()},
		{"random bytes for everything", answering(code(i32(200), []byte{0x40, 0, 0x1a},
			forever(code(i32(0), i32(200<<16), []byte{0x10, 0, 0x1a})...))...).
			importing(wasiModule, "random_get", "ii>i"), true, ErrDeadline.Error()},
		{"recursion", answering(code(i32(0), i32(0), []byte{0x10, 2})...), false, ""},
		{"trap", answering(0x00), false, "unreachable"},
		{"load out of bounds", answering(code(i32(-1), []byte{0x28, 2, 0, 0x1a}, i64(0))...), false, "out of bounds"},
		{"exit", exit, false, "exit(3)"},
		{"argument out of bounds", badArgument, false, "kv_del was called with 10 bytes at address 4294967295"},
		{"response out of bounds", answering(at(1<<31, 100)...), false, ""},
		{"response that ends out of bounds", answering(at(4<<16-8, 16)...), false, ""},
		{"response of 4 GiB", answering(at(dataAt, 0xffffffff)...), false, ""},
		{"response of the whole memory", answering(code(i32(200), []byte{0x40, 0, 0x1a}, at(1, 200<<16))...), false, ""},
		{"response that is no frame", answering(at(dataAt, 40)...), false, ""},
		{"text that is not UTF-8", response(status(abi.Deny), nil, []byte("\xff\xfe")), false, "UTF-8"},
		{"status that there is not", answering(i64(5)...), false, ""},
		{"status of a frame that there is not", response(status(99)), false, ""},
		{"field that the hook may not set", response(status(abi.Replace), nil, nil, nil, nil, nil, []byte("user")), false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := small()
			if c.spins {
				o = hasty()
			}
			p, other := loadWith(t, c.guest.bytes(), o), load(t, answering(i64(uint64(abi.Allow))...).bytes())
			failed := make(chan error, 1)
			go func() {
				var v hooks.Verdict
				failed <- p.Call(t.Context(), abi.OnMessage, &event, &v)
			}()
			if c.spins {
				alive(t, other)
			}
			err := within(t, failed)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			alive(t, other)
		})
	}
}

// alive checks that garbage is collected and that the plugin answers.
func alive(t *testing.T, p *Plugin) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.GC()
		var v hooks.Verdict
		err := p.Call(context.Background(), abi.OnMessage, &event, &v)
		if err == nil && v.Status != abi.Allow {
			err = errors.New("the other plugin says " + v.Status.String())
		}
		done <- err
	}()
	if err := within(t, done); err != nil {
		t.Errorf("the other plugin: %v", err)
	}
}

func within(t *testing.T, c <-chan error) error {
	t.Helper()
	select {
	case err := <-c:
		return err
	case <-time.After(patience):
		t.Fatal("nothing has come")
		return nil
	}
}

func TestMemoryEndsAtTheLimit(t *testing.T) {
	// It grows page by page until it is refused, and says how far it got: the
	// status is 1 if that was more than the limit of 16 MiB.
	grow := code([]byte{0x03, 0x40}, i32(1), []byte{0x40, 0}, i32(-1), []byte{0x47, 0x0d, 0, 0x0b}, // loop while memory.grow(1) != -1
		[]byte{0x3f, 0}, i32(256), []byte{0x4b, 0xad}) // memory.size > 256, as an i64
	p := load(t, answering(grow...).bytes())
	var v hooks.Verdict
	if err := p.Call(t.Context(), abi.OnMessage, &event, &v); err != nil || v.Status != abi.Continue {
		t.Errorf("got %v, %v", v.Status, err)
	}
}

// What is wrong with a guest as such is refused when it is loaded.
func TestRefusedGuests(t *testing.T) {
	good := answering(i64(0)...)
	spinning := func(name, typ string) module {
		m := good
		m.funcs = append([]funcOf{{name, typ, forever()}}, m.funcs...)
		if name == abi.Buffer {
			m.funcs = []funcOf{m.funcs[0], m.funcs[1], m.funcs[3]}
		}
		return m
	}
	start := spinning("begin", ">")
	start.start = "begin"
	large, table, forged := good, good, good
	large.pages, table.table, forged.globals = 5000, 100_000_000, abi.Fuel
	for _, c := range []struct {
		name  string
		guest module
		want  string
	}{
		{"start function that spins", start, ErrDeadline.Error()},
		{"_initialize that spins", spinning(abi.Initialize, ">"), ErrDeadline.Error()},
		{"revurb_buffer that spins", spinning(abi.Buffer, "i>i"), ErrDeadline.Error()},
		{"memory above the limit", large, "5000"},
		{"table of 100 million elements", table, "100000000"},
		{"forged fuel", forged, abi.Fuel},
		{"forged yield", good.importing(abi.Module, abi.Yield, ">"), abi.Yield},
		{"import that is not granted", good.importing(abi.Module, "now_ms", ">I"), `"clock"`},
		{"import that there is not", good.importing(abi.Module, "http_fetch", "ii>i"), "http_fetch"},
		{"import of another module", good.importing("env", "abort", "iiii>"), "env.abort"},
		{"WASI function that there is not", good.importing(wasiModule, "fd_dance", ">i"), "fd_dance"},
		{"import of another type", good.importing(wasiModule, "fd_write", ">i"), "fd_write"},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := make(chan error, 1)
			go func() { done <- refused(t.Context(), c.guest.bytes()) }()
			err := within(t, done)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestTruncatedGuestsAreRefused(t *testing.T) {
	whole := answering(i64(0)...).bytes()
	load(t, whole)
	for n := range len(whole) {
		if err := refused(t.Context(), whole[:n]); err == nil {
			t.Errorf("%d bytes of %d are loaded", n, len(whole))
		}
	}
}

// A few bytes that say they are billions of things take no memory for them.
func TestGuestsThatBoastAreRefused(t *testing.T) {
	const billions = "\xff\xff\xff\xff\x0f"
	before := new(runtime.MemStats)
	runtime.ReadMemStats(before)
	for id := byte(0); id <= 12; id++ {
		for _, content := range []string{
			billions,                          // of what the section has
			"\x01" + billions,                 // one, of so many parts
			"\x01\x00\x41\x00\x0b" + billions, // one, at an address
			"\x01" + billions + "\x60",
			"\x04name\x01\x06" + billions, // names
			"\x04name\x02\x07\x01\x00" + billions,
		} {
			wasm := "\x00asm\x01\x00\x00\x00" + string(id) + string(rune(len(content))) + content
			if id == 10 { // which comes after the types of its functions
				wasm = "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a" + string(rune(len(content))) + content
			}
			if refused(t.Context(), []byte(wasm)) == nil {
				t.Errorf("%x is loaded", wasm)
			}
		}
	}
	after := new(runtime.MemStats)
	runtime.ReadMemStats(after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Errorf("they took %d MiB", took>>20)
	}
}

func TestRandomBytesAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		b := make([]byte, r.IntN(300))
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		if i%2 == 0 {
			b = append([]byte("\x00asm\x01\x00\x00\x00"), b...)
		}
		if len(b) > 8 && refused(t.Context(), b) == nil {
			t.Errorf("% x is loaded", b)
		}
	}
}

// refused loads a guest, and drains it again if there is nothing to refuse.
func refused(ctx context.Context, wasm []byte) error {
	p, err := Load(ctx, wasm, hasty())
	if err != nil {
		return err
	}
	p.Retire()
	return p.Drain(ctx)
}

func load(t testing.TB, wasm []byte) *Plugin {
	t.Helper()
	return loadWith(t, wasm, small())
}

func loadWith(t testing.TB, wasm []byte, o Options) *Plugin {
	t.Helper()
	p, err := Load(t.Context(), wasm, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Retire()
		if err := p.Drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

// hasty is small for a guest that may run forever.
func hasty() Options {
	o := small()
	o.Limits = DefaultLimits()
	return o
}

// small is the options of a guest that is expected to do harm, but comes to an end.
// It has all the time that it takes on a busy machine.
func small() Options {
	limits := DefaultLimits()
	limits.Call, limits.Start = patience, patience
	return Options{Name: "test", Limits: limits, Apps: []string{"*"}, Grants: Grants{KV: true, HMAC: true}, Host: Host{KV: kv.New(0, nil), Secret: func(string) (string, bool) { return "secret", true }}}
}

// FuzzLoad changes a byte, or a few, of a guest that can be loaded.
func FuzzLoad(f *testing.F) {
	whole := answering(i64(0)...).importing(wasiModule, "proc_exit", "i>").bytes()
	f.Add(0, byte(0), 0, byte(0))
	for i := range len(whole) {
		f.Add(i, whole[i]^0x41, i+1, byte(0xff))
	}
	f.Fuzz(func(t *testing.T, i int, a byte, j int, b byte) {
		wasm := append([]byte(nil), whole...)
		wasm[uint(i)%uint(len(wasm))], wasm[uint(j)%uint(len(wasm))] = a, b
		done := make(chan error, 1)
		go func() {
			p, err := Load(t.Context(), wasm, hasty())
			if err == nil {
				var v hooks.Verdict
				_ = p.Call(t.Context(), abi.OnMessage, &event, &v) // it may well fail
				p.Retire()
				err = p.Drain(t.Context())
			} else {
				err = nil
			}
			done <- err
		}()
		if err := within2(done); err != nil {
			t.Errorf("% x: %v", wasm, err)
		}
	})
}

func within2(c <-chan error) error {
	select {
	case err := <-c:
		return err
	case <-time.After(patience):
		return errors.New("nothing has come")
	}
}
