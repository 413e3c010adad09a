package wasm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// 200 times a plugin is replaced under callers that never rest. None of them
// sees an error other than that it is to ask the successor, and none of the
// memory stays.
func TestReloadUnderLoad(t *testing.T) {
	const reloads, callers = 200, 4
	wasm := answering(i64(uint64(abi.Allow))...).bytes()
	o := small()
	o.CacheDir = t.TempDir()
	load := func() *Plugin {
		p, err := Load(t.Context(), wasm, o)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var current atomic.Pointer[Plugin]
	current.Store(load())
	var stop atomic.Bool
	var calls atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			var v hooks.Verdict
			for !stop.Load() {
				err := current.Load().Call(context.Background(), abi.OnMessage, &event, &v)
				switch {
				case errors.Is(err, hooks.ErrRetired):
				case err != nil || v.Status != abi.Allow:
					t.Errorf("got %v, %v", v.Status, err)
					return
				default:
					calls.Add(1)
				}
			}
		})
	}
	for range reloads {
		old := current.Swap(load())
		if err := old.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		if s := old.Stats(); s.Live != 0 || s.Memory != 0 {
			t.Errorf("%d instances and %d bytes are left", s.Live, s.Memory)
		}
	}
	stop.Store(true)
	wg.Wait()
	if calls.Load() == 0 {
		t.Error("nobody has called")
	}
	if err := current.Load().Drain(context.Background()); err != nil {
		t.Error(err)
	}
}

// An instance that fails is not used again: another is made in its place.
func TestAFailedInstanceIsReplaced(t *testing.T) {
	o := small()
	o.Limits.Pool = 1
	p := loadWith(t, answering(0x00).bytes(), o)
	var v hooks.Verdict
	for range 5 {
		var trap *Trap
		if err := p.Call(t.Context(), abi.OnMessage, &event, &v); !errors.As(err, &trap) {
			t.Fatalf("got %v, want a trap", err)
		}
	}
	if s := p.Stats(); s.Respawns != 5 || s.Calls[abi.OnMessage][Failed] != 5 {
		t.Errorf("got %d respawns and %d failures, want 5", s.Respawns, s.Calls[abi.OnMessage][Failed])
	}
}

func TestBusy(t *testing.T) {
	o := small()
	o.Limits.Pool = 1
	o.Limits.Call = 5 * time.Millisecond
	p := loadWith(t, answering(i64(0)...).bytes(), o)
	x, err := p.acquire(new(int))
	if err != nil {
		t.Fatal(err)
	}
	var v hooks.Verdict
	if err := p.Call(t.Context(), abi.OnMessage, &event, &v); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	if n := p.Stats().Busy; n != 1 {
		t.Errorf("%d calls were counted as busy, want 1", n)
	}
	p.release(x)
	if err := p.Call(t.Context(), abi.OnMessage, &event, &v); err != nil {
		t.Error(err)
	}
}

// Only who holds an instance closes it: Retire leaves those that are in use.
func TestRetireWaitsForCalls(t *testing.T) {
	p := load(t, answering(i64(0)...).bytes())
	x, err := p.acquire(new(int))
	if err != nil {
		t.Fatal(err)
	}
	p.Retire()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Drain(over); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it waits", err)
	}
	if x.mod.IsClosed() {
		t.Error("an instance was closed that is in use")
	}
	var v hooks.Verdict
	if err := p.Call(t.Context(), abi.OnMessage, &event, &v); !errors.Is(err, hooks.ErrRetired) {
		t.Errorf("got %v, want ErrRetired", err)
	}
	if err := x.run(abi.OnMessage, &event, &v); err != nil {
		t.Errorf("the call that has begun: %v", err)
	}
	p.release(x)
	if err := p.Drain(t.Context()); err != nil || !x.mod.IsClosed() {
		t.Errorf("got %v, closed %v", err, x.mod.IsClosed())
	}
}

func TestCallAllocatesNothing(t *testing.T) {
	p := load(t, answering(i64(0)...).bytes())
	var v hooks.Verdict
	if n := testing.AllocsPerRun(1000, func() {
		if err := p.Call(context.Background(), abi.OnMessage, &event, &v); err != nil {
			t.Fatal(err)
		}
	}); n >= 1 {
		t.Errorf("%v allocations a call", n)
	}
}
