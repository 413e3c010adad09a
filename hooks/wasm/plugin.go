package wasm

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/revurb/revurb/core/limit"
	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

var _ hooks.Plugin = (*Plugin)(nil)

// Plugin is a guest that is loaded. Its methods may be called concurrently.
type Plugin struct {
	// Static after Load.
	o        Options
	sum      string
	info     Info
	imports  *imports
	loading  []Stage
	cache    wazero.CompilationCache
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	slots    []slot

	retired  atomic.Bool
	gone     chan struct{} // closed when retired
	closed   chan struct{} // closed when there is no instance left, and will be none
	free     chan struct{} // has one in it when an instance may have come free
	waiting  atomic.Int32  // calls that wait for an instance
	live     atomic.Int32  // instances, those that are being made among them
	memory   *memory
	respawns atomic.Uint64
	busy     atomic.Uint64 // calls that found no instance
	pace     *limit.Rate   // of respawns
	closing  sync.Once
	looking  sync.Mutex // held by Stats
}

// Stage is a part of loading, and how long it took.
type Stage struct {
	Name string
	Took time.Duration
}

func newPlugin(o Options) *Plugin {
	return &Plugin{
		o:      o,
		slots:  make([]slot, o.Limits.Pool),
		gone:   make(chan struct{}),
		closed: make(chan struct{}),
		free:   make(chan struct{}, 1),
		memory: new(memory),
		pace:   limit.PerSecond(20 * o.Limits.Pool),
	}
}

// Name implements hooks.Plugin.
func (p *Plugin) Name() string { return p.o.Name }

// Handles implements hooks.Plugin.
func (p *Plugin) Handles(h abi.Hook) bool { return slices.Contains(p.info.Hooks, h) }

// Info is what the guest says of itself.
func (p *Plugin) Info() Info { return p.info }

// SHA256 is the sum of the guest, in hexadecimal.
func (p *Plugin) SHA256() string { return p.sum }

// Retire lets no call begin anymore: they return hooks.ErrRetired.
func (p *Plugin) Retire() {
	if !p.retired.CompareAndSwap(false, true) {
		return
	}
	close(p.gone)
	for i := range p.slots {
		if x := p.slots[i].x.Swap(nil); x != nil {
			p.drop(x)
		}
	}
	p.settle()
}

// Drain retires the plugin, waits for the calls that have begun to end, and then
// frees everything.
func (p *Plugin) Drain(ctx context.Context) error {
	p.Retire()
	select {
	case <-p.closed:
	case <-ctx.Done():
		return fmt.Errorf("wait for the calls of plugin %s: %w", p.o.Name, ctx.Err())
	}
	ctx = context.WithoutCancel(ctx)
	if p.runtime != nil {
		_ = p.runtime.Close(ctx)
	}
	if p.cache != nil {
		_ = p.cache.Close(ctx)
	}
	return nil
}

// drop closes an instance. Only who holds an instance may close it: its memory
// is gone at once, under the feet of a call.
func (p *Plugin) drop(x *instance) {
	x.finish(x.ctx)
	_ = x.mod.Close(x.ctx)
	p.live.Add(-1)
	p.settle()
}

// settle notes that the last instance of a retired plugin has gone.
func (p *Plugin) settle() {
	if p.retired.Load() && p.live.Load() == 0 {
		p.closing.Do(func() {
			for i := range p.slots {
				p.slots[i].gone.Store(true)
			}
			close(p.closed)
		})
	}
}
