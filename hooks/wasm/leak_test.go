package wasm

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"go.uber.org/goleak"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// What plugins that failed have had of the machine is given back.
func TestNothingIsLeftOfGuests(t *testing.T) {
	const rounds = 30
	goroutines := goleak.IgnoreCurrent()
	guests := [][]byte{
		answering(code(i32(200), []byte{0x40, 0, 0x1a, 0x00})...).bytes(), // grows, and traps
		answering(i64(1)...).bytes(),
	}
	run := func(wasm []byte) {
		p, err := Load(t.Context(), wasm, small())
		if err != nil {
			t.Fatal(err)
		}
		var v hooks.Verdict
		_ = p.Call(t.Context(), abi.OnMessage, &event, &v)
		p.Retire()
		if err := p.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for range 5 { // the heap grows to what it needs
		for _, g := range guests {
			run(g)
		}
		runtime.GC()
	}
	before := addressSpace(t)
	for range rounds {
		for _, g := range guests {
			run(g)
		}
		runtime.GC()
	}
	// A memory of 16 MiB for each would be more than 900.
	if grown := addressSpace(t) - before; grown > 300<<20 {
		t.Errorf("%d MiB more are mapped after %d guests", grown>>20, rounds*len(guests))
	}
	goleak.VerifyNone(t, goroutines)
}

// addressSpace is how many bytes the process has mapped, where that can be told.
func addressSpace(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages int
	if _, err := fmt.Sscan(string(b), &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
