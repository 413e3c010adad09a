package wasm

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

func TestTheClockIsFrozenUnlessGranted(t *testing.T) {
	now := time.UnixMilli(1_234_567_890_123)
	o := Options{Host: Host{Now: func() time.Time { return now }}}
	read := func(g *guest, id uint64) int64 {
		t.Helper()
		if got := g.call("clock_time_get", id, 0, 0); got != 0 {
			t.Fatalf("got %d", got)
		}
		return g.int(0)
	}
	frozen := open(t, o, Grants{})
	for _, id := range []uint64{clockRealtime, clockMonotonic} {
		first := read(frozen, id)
		if second := read(frozen, id); time.Duration(second-first) != tick || time.Duration(first) > frozenAt+time.Minute {
			t.Errorf("clock %d shows %d and then %d", id, first, second)
		}
	}
	granted := open(t, o, Grants{Clock: true})
	if got := read(granted, clockRealtime); got != now.UnixNano() {
		t.Errorf("got %d, want the time", got)
	}
	before := read(granted, clockMonotonic)
	now = now.Add(time.Second)
	if got := read(granted, clockMonotonic); time.Duration(got-before) != time.Second {
		t.Errorf("a second took %v", time.Duration(got-before))
	}
	if got := granted.call("clock_time_get", 2, 0, 0); got != wasiInvalid {
		t.Errorf("got %d, want %d", got, wasiInvalid)
	}
}

func TestWaitingIsOverAtOnce(t *testing.T) {
	for name, granted := range map[string]Grants{"frozen": {}, "granted": {Clock: true}} {
		g := open(t, Options{Host: Host{Now: func() time.Time { return time.Unix(1, 0) }}}, granted)
		g.call("clock_time_get", clockMonotonic, 0, 0)
		before := g.int(0)
		sub := make([]byte, 2*48)
		binary.LittleEndian.PutUint64(sub, 77)
		binary.LittleEndian.PutUint32(sub[16:], clockMonotonic)
		binary.LittleEndian.PutUint64(sub[24:], uint64(30*time.Second))
		copy(sub[48:], sub[:48])
		binary.LittleEndian.PutUint64(sub[48:], 78)
		sub[56] = 2 // a file
		g.write(100, string(sub))
		if got := g.call("poll_oneoff", 100, 300, 2, 500); got != 0 || uint32(g.int(500)) != 2 || g.int(300) != 77 || g.int(332) != 78 {
			t.Errorf("%s: got %d, %d events, of %d and %d", name, got, g.int(500), g.int(300), g.int(332))
		}
		if e := g.read(340, 3); e != "\x00\x00\x02" {
			t.Errorf("%s: the second event is % x", name, e)
		}
		g.call("clock_time_get", clockMonotonic, 0, 0)
		if got := time.Duration(g.int(0) - before); got < 30*time.Second || got > 31*time.Second {
			t.Errorf("%s: the guest believes that it took %v", name, got)
		}
		// Until then, in the way of clock_nanosleep with TIMER_ABSTIME.
		binary.LittleEndian.PutUint64(sub[24:], uint64(g.int(0))+uint64(time.Minute))
		binary.LittleEndian.PutUint16(sub[40:], 1)
		g.write(100, string(sub[:48]))
		g.call("poll_oneoff", 100, 300, 1, 500)
		g.call("clock_time_get", clockMonotonic, 0, 0)
		if got := time.Duration(g.int(0) - before); got < 90*time.Second || got > 91*time.Second {
			t.Errorf("%s: the guest believes that it took %v", name, got)
		}
		if got := g.call("poll_oneoff", 100, 300, 0, 500); got != wasiInvalid {
			t.Errorf("%s: of nothing: got %d, want %d", name, got, wasiInvalid)
		}
	}
}

func TestThereIsNoOperatingSystem(t *testing.T) {
	g := open(t, Options{}, Grants{})
	for name, args := range map[string][]uint64{
		"fd_prestat_get": {3, 0},
		"fd_fdstat_get":  {0, 0},
		"fd_read":        {0, 0, 0, 0},
		"path_open":      {3, 0, 0, 0, 0, 0, 0, 0, 0},
		"sock_send":      {3, 0, 0, 0, 0},
		"fd_close":       {1},
	} {
		if got := g.call(name, args...); got != wasiBadFile {
			t.Errorf("%s: got %d, want %d", name, got, wasiBadFile)
		}
	}
	if g.call("args_sizes_get", 0, 4); g.int(0) != 0 {
		t.Error("there are arguments")
	}
	g.call("environ_sizes_get", 0, 4)
	if got := g.int(0); got != 1|int64(len(environ))<<32 {
		t.Errorf("%x are the sizes of the environment", got)
	}
	g.call("environ_get", 0, 100)
	if g.int(0)&0xffffffff != 100 || g.read(100, len(environ)) != "GOGC=25\x00" {
		t.Errorf("the environment is %q, at %d", g.read(100, len(environ)), g.int(0))
	}
	if got := g.call("random_get", 200, 64); got != 0 || g.read(200, 32) == g.read(232, 32) {
		t.Errorf("got %d, %x", got, g.read(200, 64))
	}
}

func TestExitIsATrap(t *testing.T) {
	g := open(t, Options{}, Grants{})
	_, err := g.try("proc_exit", 3)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("got %v, want an ExitError", err)
	}
	if g.x.mod.IsClosed() {
		t.Error("only its owner may close an instance")
	}
}

// What toolchains import is what others have, too.
func TestWASIHasEveryFunctionOfPreview1(t *testing.T) {
	rt := wazero.NewRuntime(t.Context())
	defer rt.Close(t.Context())
	other, err := wasi_snapshot_preview1.NewBuilder(rt).Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours := wasiFunctions()
	for name, def := range other.ExportedFunctions() {
		f, ok := byName(ours, name)
		if !ok {
			t.Errorf("%s is missing", name)
			continue
		}
		if !slices.Equal(types(f.params), def.ParamTypes()) || !slices.Equal(types(f.results), def.ResultTypes()) {
			t.Errorf("%s is %s", name, signature(f.params, f.results))
		}
	}
	if len(ours) != len(other.ExportedFunctions()) {
		t.Errorf("%d functions, want %d", len(ours), len(other.ExportedFunctions()))
	}
}
