package fuel_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/fuel"
)

// script is one file of the specification's tests, as wast2json writes it.
type script struct {
	Commands []command `json:"commands"`
}

type command struct {
	Type     string `json:"type"`
	Line     int    `json:"line"`
	Filename string `json:"filename"`
	Name     string `json:"name"`
	As       string `json:"as"`
	Action   action `json:"action"`
}

type action struct {
	Type   string `json:"type"`
	Module string `json:"module"`
	Field  string `json:"field"`
	Args   []arg  `json:"args"`
}

type arg struct {
	Type     string          `json:"type"`
	LaneType string          `json:"lane_type"`
	Value    json.RawMessage `json:"value"`
}

// TestSpecificationHasTheSameResults plays the specification's tests twice, with
// the modules as they are and instrumented, and compares what every call
// returns, or traps with.
func TestSpecificationHasTheSameResults(t *testing.T) {
	calls := 0
	for _, path := range files(t, ".json", 100) {
		dir := proposal(path)
		if slices.Contains(beyond, dir) {
			continue
		}
		t.Run(dir+"/"+strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			calls += play(t, path)
		})
	}
	t.Logf("%d calls compared", calls)
	if calls < 30_000 {
		t.Errorf("only %d calls were compared", calls)
	}
}

// side is one of the two plays.
type side struct {
	rt     wazero.Runtime
	change func([]byte) ([]byte, error)
	named  map[string]api.Module
	last   api.Module
}

func newSide(t *testing.T, config wazero.RuntimeConfig, change func([]byte) ([]byte, error)) *side {
	t.Helper()
	ctx := context.Background()
	s := &side{rt: wazero.NewRuntimeWithConfig(ctx, config), change: change, named: map[string]api.Module{}}
	t.Cleanup(func() { _ = s.rt.Close(ctx) })
	wasm, err := os.ReadFile(filepath.Join(corpus(t), "testdata", "spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.rt.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig()); err != nil {
		t.Fatal(err)
	}
	_, err = s.rt.NewHostModuleBuilder(abi.Module).NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(refill), nil, nil).
		Export(abi.Yield).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// refill is a host that lets guests go on.
func refill(_ context.Context, m api.Module, _ []uint64) {
	m.ExportedGlobal(abi.Fuel).(api.MutableGlobal).Set(fuel.DefaultSlice)
}

func play(t *testing.T, path string) (calls int) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s script
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	config := wazero.NewRuntimeConfig().WithCoreFeatures(features)
	plain := newSide(t, config, func(b []byte) ([]byte, error) { return b, nil })
	changed := newSide(t, config, func(b []byte) ([]byte, error) {
		return fuel.Instrument(b, fuel.Lax(fuel.Options{MaxTable: 1 << 20}))
	})
	for i, c := range s.Commands {
		switch c.Type {
		case "assert_invalid", "assert_malformed", "register", "assert_exhaustion": // the last with another depth
			continue
		}
		if next := i + 1; c.Type == "module" && next < len(s.Commands) && s.Commands[next].Type == "register" {
			c.As = s.Commands[next].As // the engine names a module when it makes it
		}
		want, got := plain.do(t, filepath.Dir(path), c), changed.do(t, filepath.Dir(path), c)
		if got != want {
			t.Errorf("line %d: %s %s: got %s, want %s", c.Line, c.Type, c.Action.Field, got, want)
		}
		if c.Action.Type == "invoke" {
			calls++
		}
	}
	return calls
}

// do does one command, and returns what came of it.
func (s *side) do(t *testing.T, dir string, c command) string {
	ctx := context.Background()
	switch c.Type {
	case "module", "assert_unlinkable", "assert_uninstantiable":
		wasm, err := os.ReadFile(filepath.Join(dir, c.Filename))
		if err != nil {
			t.Fatal(err)
		}
		if wasm, err = s.change(wasm); err != nil {
			return "refused: " + err.Error()
		}
		m, err := s.rt.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName(c.As))
		if err != nil {
			return "no instance"
		}
		if s.last = m; c.Name != "" {
			s.named[c.Name] = m
		}
		return "instance"
	}
	m := s.last
	if c.Action.Module != "" {
		m = s.named[c.Action.Module]
	}
	if m == nil {
		return "no module"
	}
	if c.Action.Type == "get" {
		return fmt.Sprint(m.ExportedGlobal(c.Action.Field).Get())
	}
	return call(ctx, m.ExportedFunction(c.Action.Field), c.Action.Args)
}

func call(ctx context.Context, f api.Function, args []arg) string {
	if f == nil {
		return "no function"
	}
	var params []uint64
	for _, a := range args {
		params = append(params, a.words()...)
	}
	results, err := f.Call(ctx, params...)
	if err != nil {
		trap, _, _ := strings.Cut(err.Error(), "\n")
		return "trap: " + trap
	}
	for i, typ := range f.Definition().ResultTypes() {
		if i < len(results) && typ != api.ValueTypeI32 && typ != api.ValueTypeI64 && typ != api.ValueTypeF32 && typ != api.ValueTypeF64 && typ != 0x7b {
			results[i] = min(results[i], 1) // an address, which differs
		}
	}
	return fmt.Sprint(results)
}

// words returns a as the engine takes it.
func (a arg) words() []uint64 {
	if a.Type == "v128" {
		var lanes []string
		_ = json.Unmarshal(a.Value, &lanes)
		bits := map[string]int{"i8": 8, "i16": 16, "i32": 32, "f32": 32, "i64": 64, "f64": 64}[a.LaneType]
		var words [2]uint64
		for i, lane := range lanes {
			n, _ := strconv.ParseUint(lane, 10, 64)
			at := i * bits
			words[at/64] |= n << (at % 64)
		}
		return words[:]
	}
	var text string
	_ = json.Unmarshal(a.Value, &text)
	n, _ := strconv.ParseUint(text, 10, 64)
	if a.Type == "externref" && text != "null" {
		n++ // 0 would be null
	}
	return []uint64{n}
}
