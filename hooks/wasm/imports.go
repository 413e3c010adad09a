package wasm

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/revurb/revurb/hooks/abi"
)

// function is a function that the host has for guests. Its parameters and
// results are written as a letter each: i is an i32, I an i64.
type function struct {
	name, params, results string

	// capability is what the operator adds to the plugin's capabilities so that
	// the guest may import it; "" is nothing.
	capability string
	granted    func(Grants) bool // nil is always

	// call finds the arguments on the stack, and leaves the result there.
	call func(c call, stack []uint64)
}

// functions is what a guest may import from the module revurb_v1.
func functions() []function {
	log := func(g Grants) bool { return g.Log }
	kv := func(g Grants) bool { return g.KV }
	return []function{
		{"log", "iii", "", "log", log, call.log},
		{"log_enabled", "i", "i", "log", log, call.logEnabled},
		{"config_get", "iiii", "i", "config", func(g Grants) bool { return g.Config }, call.configGet},
		{"ctx_get", "iii", "i", "", nil, call.ctxGet},
		{"now_ms", "", "I", "clock", func(g Grants) bool { return g.Clock }, call.nowMS},
		{"random", "ii", "i", "random", func(g Grants) bool { return g.Random }, call.random},
		{"hmac_sha256", "iiiiii", "i", "hmac", func(g Grants) bool { return g.HMAC }, call.hmacSHA256},
		{"kv_get", "iiii", "i", "kv", kv, call.kvGet},
		{"kv_set", "iiiiI", "i", "kv", kv, call.kvSet},
		{"kv_incr", "iiIIi", "i", "kv", kv, call.kvIncr},
		{"kv_del", "ii", "i", "kv", kv, call.kvDel},
		{"publish", "ii", "i", "publish:CHANNEL", func(g Grants) bool { return len(g.Publish) > 0 }, call.publish},
	}
}

// call is a call of a guest into the host. It is passed as a value, so that it
// stays on the stack.
type call struct {
	*imports
	ctx  context.Context
	x    *instance
	mod  api.Module
	name string // of the function
}

// link gives the guests of rt what they may import: the functions that are
// granted, and those of WASI.
func (p *Plugin) link(ctx context.Context, rt wazero.Runtime, granted Grants) error {
	im, err := p.newImports(granted)
	if err != nil {
		return err
	}
	p.imports = im
	b := rt.NewHostModuleBuilder(abi.Module)
	b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(p.yield), nil, nil).Export(abi.Yield)
	for _, f := range functions() {
		if f.granted == nil || f.granted(granted) {
			im.export(b, f)
		}
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("link %s: %w", abi.Module, err)
	}
	b = rt.NewHostModuleBuilder(wasiModule)
	for _, f := range wasiFunctions() {
		im.export(b, f)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("link %s: %w", wasiModule, err)
	}
	return nil
}

func (im *imports) export(b wazero.HostModuleBuilder, f function) {
	name, run := f.name, f.call
	b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, m api.Module, stack []uint64) {
		c := call{imports: im, ctx: ctx, x: current(ctx, m), mod: m, name: name}
		c.spend(perCall)
		run(c, stack)
	}), types(f.params), types(f.results)).Export(name)
}

func types(letters string) []api.ValueType {
	var ts []api.ValueType
	for _, l := range letters {
		if l == 'I' {
			ts = append(ts, api.ValueTypeI64)
		} else {
			ts = append(ts, api.ValueTypeI32)
		}
	}
	return ts
}

// Fuel counts what the guest does, not what the host does for it: a loop of
// hashes of the whole memory would be a few units. So what the host does is
// counted in bytes, and the deadline is looked at every so many.
const (
	perCall   = 128       // what a call costs in itself
	perLook   = 128 << 10 // some 100 µs
	chunkSize = 64 << 10  // what is done at most without counting it
)

// spend counts n bytes of work, and panics, as yield does, if the call has taken
// too long.
func (c call) spend(n int) {
	if c.x.side.work += n; c.x.side.work >= perLook {
		c.x.side.work = 0
		c.plugin.yield(c.ctx, c.mod, nil)
	}
}

// chunks calls do with one part of b after the other, and counts them.
func (c call) chunks(b []byte, do func([]byte)) {
	for len(b) > 0 {
		n := min(len(b), chunkSize)
		do(b[:n])
		c.spend(n)
		b = b[n:]
	}
}
