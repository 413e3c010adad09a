package fuel_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/fuel"
	. "github.com/revurb/revurb/hooks/wasm/wasmtest" // an assembler reads best so
)

const slice = 1000

var errEnough = errors.New("enough")

// run instantiates an instrumented guest, calls its function f, and returns how
// often it yielded, what fuel is left, and why it ended. After so many yields
// the host ends the call.
func run(t *testing.T, m *Module, yields int) (yielded int, left int64, err error) {
	t.Helper()
	ctx := t.Context()
	wasm, err := fuel.Instrument(m.Bytes(), fuel.Options{Slice: slice})
	if err != nil {
		t.Fatal(err)
	}
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	_, err = rt.NewHostModuleBuilder(abi.Module).NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(
		func(_ context.Context, m api.Module, _ []uint64) {
			if yielded++; yielded >= yields {
				panic(errEnough)
			}
			m.ExportedGlobal(abi.Fuel).(api.MutableGlobal).Set(slice)
		}), nil, nil).Export(abi.Yield).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	guest, err := rt.Instantiate(ctx, wasm)
	if err != nil {
		return yielded, 0, err
	}
	_, err = guest.ExportedFunction("f").Call(ctx)
	return yielded, int64(guest.ExportedGlobal(abi.Fuel).Get()), err
}

// times is a loop that runs body n times, with local 0 as its counter.
func times(n int32, body ...[]byte) []byte {
	code := append(I32(n), Op(LocalSet, 0, Loop, None)...)
	for _, b := range body {
		code = append(code, b...)
	}
	code = append(code, Op(LocalGet, 0)...)
	code = append(code, I32(1)...)
	return append(code, Op(Sub32, LocalTee, 0, BrIf, 0, End)...)
}

func TestFuelIsCounted(t *testing.T) {
	fill := append(append(append(I32(0), I32(0)...), I32(6400)...), Op(0xfc, 11, 0)...)
	for name, test := range map[string]struct {
		guest *Module
		used  int64
	}{
		"a call takes one":               {guest("", nil), 1},
		"an iteration takes one":         {guest("i", times(10)), 1 + 10},
		"64 bytes that are filled":       {guest("", fill), 1 + 100},
		"a function that is called, too": {called(5), 1 + 5 + 5},
	} {
		t.Run(name, func(t *testing.T) {
			_, left, err := run(t, test.guest, 100)
			if used := slice - left; err != nil || used != test.used {
				t.Errorf("used %d, %v, want %d", used, err, test.used)
			}
		})
	}
}

func guest(locals string, code []byte) *Module {
	m := new(Module).Memory(1, 1)
	m.Func("f", "", "", locals, code)
	return m
}

// called calls a function so often.
func called(n int32) *Module {
	m := new(Module).Memory(1, 1)
	g := m.Func("", "", "", "")
	m.Func("f", "", "", "i", times(n, Op(Call, g)))
	return m
}

func TestGuestsAreStopped(t *testing.T) {
	spin := Op(Loop, None, Br, 0, End)
	fill := append(append(append(I32(0), I32(0)...), I32(64<<10)...), Op(0xfc, 11, 0)...)
	started := guest("", nil)
	started.Start(started.Func("", "", "", "", spin))
	for name, m := range map[string]*Module{
		"an endless loop":                      guest("", spin),
		"calls of calls, without a loop":       exponential(60),
		"a loop of fills":                      guest("i", times(1<<30, fill)),
		"a long line of fills":                 guest("", bytes.Repeat(fill, 100)),
		"a start function":                     started,
		"a recursion that calls itself twice":  twice(),
		"a loop in the middle of other blocks": guest("", Op(Block, None, Block, None, Loop, None, Br, 0, End, End, End)),
	} {
		t.Run(name, func(t *testing.T) {
			const yields = 5
			if n, _, err := run(t, m, yields); !errors.Is(err, errEnough) || n != yields {
				t.Errorf("yielded %d times and ended with %v", n, err)
			}
		})
	}
}

// exponential is functions of which each calls the next one twice.
func exponential(n int) *Module {
	m := new(Module).Memory(1, 1)
	last := m.Func("", "", "", "")
	for range n {
		last = m.Func("", "", "", "", Op(Call, last, Call, last))
	}
	m.Export("f", 0, last)
	return m
}

// twice calls itself twice, to a depth of 60.
func twice() *Module {
	m := new(Module).Memory(1, 1)
	self := byte(0)
	m.Func("", "i", "", "", Op(LocalGet, 0, If, None),
		Op(LocalGet, 0), I32(1), Op(Sub32, Call, self), Op(LocalGet, 0), I32(1), Op(Sub32, Call, self), Op(End))
	m.Func("f", "", "", "", I32(60), Op(Call, self))
	return m
}

func TestInstrumentRefuses(t *testing.T) {
	forged := new(Module).Memory(1, 1)
	forged.Func(abi.Fuel, "", "", "")
	yields := new(Module)
	yields.Import(abi.Module, abi.Yield, "", "")
	atomic := guest("", Op(0xfe, 3, 0))
	for name, test := range map[string]struct {
		wasm []byte
		want string
	}{
		"nothing":                   {nil, "no WebAssembly module"},
		"a component":               {[]byte("\x00asm\x0d\x00\x01\x00"), "no WebAssembly module"},
		"its own fuel":              {forged.Bytes(), "exports revurb_fuel"},
		"its own yield":             {yields.Bytes(), "imports revurb_v1.yield"},
		"too much memory":           {new(Module).Memory(257, 0).Bytes(), "257 pages of 64 KiB, of at most 256"},
		"too large a table":         {guest("", nil).Table(65_537).Bytes(), "65537 elements, of at most 65536"},
		"threads":                   {atomic.Bytes(), "0xfe"},
		"a global that it lacks":    {guest("", Op(GlobalGet, 0, Drop)).Bytes(), "global 0, of 0"},
		"a local that it lacks":     {guest("", Op(LocalGet, 0, Drop)).Bytes(), "local 0, of 0"},
		"half of a module":          {guest("", nil).Bytes()[:39], "truncated"},
		"a section that is unknown": {append(guest("", nil).Bytes(), 99, 0), "section 99"},
		"an imported memory": {
			[]byte("\x00asm\x01\x00\x00\x00\x02\x08\x01\x01a\x01b\x02\x00\x01"), "imports a.b, a memory",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fuel.Instrument(test.wasm, fuel.Options{})
			var e *fuel.Error
			if !errors.As(err, &e) || !strings.Contains(e.Reason, test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
}

func TestMaximaAreLowered(t *testing.T) {
	wasm, err := fuel.Instrument(new(Module).Memory(1, 4096).Bytes(), fuel.Options{MaxPages: 16})
	if err != nil {
		t.Fatal(err)
	}
	m, err := fuel.Inspect(wasm)
	if err != nil || m.Memory == nil || *m.Memory != (fuel.Memory{Min: 1, Max: 16}) {
		t.Errorf("memory = %v, %v, want 1 to 16 pages", m.Memory, err)
	}
}

func TestInspect(t *testing.T) {
	g := new(Module)
	g.Import(abi.Module, "kv_del", "ii", "i")
	g.Memory(2, 0)
	g.Func("f", "iI", "I", "", I64(0))
	m, err := fuel.Inspect(g.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Imports) != 1 || m.Imports[0].Name != "kv_del" || m.Imports[0].Type.String() != "(i32, i32) -> i32" {
		t.Errorf("imports = %+v", m.Imports)
	}
	if len(m.Exports) != 2 || m.Exports[1].Name != "f" || m.Exports[1].Type.String() != "(i32, i64) -> i64" {
		t.Errorf("exports = %+v", m.Exports)
	}
	if m.Memory == nil || m.Memory.Min != 2 {
		t.Errorf("memory = %+v", m.Memory)
	}
}

// A trap says where it was, so that an author finds it.
func TestTrapsKeepTheirNames(t *testing.T) {
	named := guest("", Op(Unreachable)).Bytes()
	names := []byte("\x04name\x01\x08\x01\x00\x05crash")
	named = append(append(named, 0, byte(len(names))), names...)
	ctx := t.Context()
	wasm, err := fuel.Instrument(named, fuel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	_, err = rt.NewHostModuleBuilder(abi.Module).NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(refill), nil, nil).
		Export(abi.Yield).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, err := rt.Instantiate(ctx, wasm)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ExportedFunction("f").Call(ctx); err == nil || !strings.Contains(err.Error(), ".crash()") {
		t.Errorf("got %v, want a trap in crash", err)
	}
}

func FuzzInstrument(f *testing.F) {
	f.Add(guest("i", times(10)).Bytes())
	f.Add(exponential(3).Table(4).Data(0, []byte("abc")).Bytes())
	f.Add(Guest().Hook(abi.OnMessage, "", I64(2)).Bytes())
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		out, err := fuel.Instrument(wasm, fuel.Options{})
		_, _ = fuel.Inspect(wasm)
		if err != nil || valid(ctx, rt, wasm) != nil {
			return
		}
		if err := valid(ctx, rt, out); err != nil {
			t.Errorf("%x: not valid anymore: %v", wasm, err)
		}
	})
}
