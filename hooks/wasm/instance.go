package wasm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// slice is how much a guest does between two looks at the clock: 40 to 110 µs.
const slice = 50_000

// ErrDeadline is the trap of a guest that takes too long.
var ErrDeadline = errors.New("the plugin has passed its deadline")

var errBuffer = errors.New("the address that " + abi.Buffer + " has returned is not in the memory")

// instance is one of a plugin, which has one caller at a time.
type instance struct {
	// Static once it is made.
	plugin *Plugin
	slot   *slot
	ctx    context.Context // in which its functions are called; it leads back here
	mod    api.Module
	fuel   api.MutableGlobal
	hooks  [abi.Hooks]api.Function
	grow   api.Function // revurb_buffer

	buf, bufSize uint32 // the buffer of the guest
	stack        [2]uint64
	verdict      hooks.Verdict // of configure

	// Of the call that runs.
	event     *hooks.Event // nil outside of a hook
	published []Publication
	budget    time.Duration
	began     time.Time // when it first yielded; zero before
	spent     int64     // fuel, before the slice that is being used
	finished  func()    // called when the call has ended; nil is nothing
	side      side
}

// instanceContext leads from a call into the host to the instance that calls. It
// is one that never ends, and has nothing else: the engine asks it for values at
// each call.
type instanceContext struct{ x *instance }

type instanceKey struct{}

func (*instanceContext) Deadline() (t time.Time, ok bool) { return t, false }
func (*instanceContext) Done() <-chan struct{}            { return nil }
func (*instanceContext) Err() error                       { return nil }

func (c *instanceContext) Value(key any) any {
	if key == (instanceKey{}) {
		return c.x
	}
	return nil
}

// current returns the instance that calls the host.
func current(ctx context.Context, _ api.Module) *instance {
	if c, ok := ctx.(*instanceContext); ok {
		return c.x
	}
	return ctx.Value(instanceKey{}).(*instance)
}

// newInstance makes an instance: it starts, says where its buffer is and is
// configured.
func (p *Plugin) newInstance(s *slot) (_ *instance, err error) {
	x := &instance{plugin: p, slot: s, budget: p.o.Limits.Start}
	x.ctx = &instanceContext{x: x}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	x.mod, err = p.runtime.InstantiateModule(experimental.WithMemoryAllocator(x.ctx, p.memory), p.compiled, config)
	if err != nil {
		return nil, explain(err)
	}
	defer func() {
		if err != nil {
			_ = x.mod.Close(x.ctx)
		}
	}()
	x.fuel = x.mod.ExportedGlobal(abi.Fuel).(api.MutableGlobal)
	for _, h := range p.info.Hooks {
		x.hooks[h] = x.mod.ExportedFunction(h.Export())
	}
	x.grow = x.mod.ExportedFunction(abi.Buffer)
	for _, name := range []string{abi.Initialize, abi.Start} {
		if f := x.mod.ExportedFunction(name); f != nil {
			if err := x.enter(f); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			break
		}
	}
	if err := x.reserve(abi.BufferSize); err != nil {
		return nil, err
	}
	if err := x.configure(); err != nil {
		return nil, err
	}
	x.budget = p.o.Limits.Call
	return x, nil
}

// enter calls a function of the guest. The results are on the stack.
func (x *instance) enter(f api.Function, params ...uint64) (err error) {
	copy(x.stack[:], params)
	x.began = time.Time{}
	if err := f.CallWithStack(x.ctx, x.stack[:]); err != nil {
		return explain(err)
	}
	return nil
}

// reserve has the guest make room for a frame of n bytes.
func (x *instance) reserve(n int) error {
	if uint64(n) <= uint64(x.bufSize) {
		return nil
	}
	if err := x.enter(x.grow, uint64(n)); err != nil {
		return fmt.Errorf("%s(%d): %w", abi.Buffer, n, err)
	}
	at := uint32(x.stack[0])
	if at == 0 {
		return fmt.Errorf("%s(%d): the plugin refuses", abi.Buffer, n)
	}
	if _, ok := x.mod.Memory().Read(at, uint32(n)); !ok {
		return errBuffer
	}
	x.buf, x.bufSize = at, uint32(n)
	return nil
}

// yield is where a guest comes by when it is out of fuel.
func (p *Plugin) yield(ctx context.Context, m api.Module, _ []uint64) {
	x := current(ctx, m)
	fuel := x.fuel
	if fuel == nil { // its start function runs
		fuel = m.ExportedGlobal(abi.Fuel).(api.MutableGlobal)
	}
	now := time.Now()
	if x.began.IsZero() {
		x.began = now
	}
	x.slot.yields++
	if now.Sub(x.began) > x.budget {
		panic(ErrDeadline)
	}
	x.spent += slice - int64(fuel.Get())
	fuel.Set(slice)
}

// explain makes an error of the engine one for a log: without its stack trace,
// but for the place.
func explain(err error) error {
	var exit *ExitError
	switch {
	case errors.Is(err, ErrDeadline):
		return ErrDeadline
	case errors.As(err, &exit):
		return exit
	}
	return &Trap{err}
}
