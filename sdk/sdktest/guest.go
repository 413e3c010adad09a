package sdktest

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/revurb/revurb/hooks/abi"
)

// ErrFailed is the error of a call that is a failure of the plugin.
var ErrFailed = errors.New("plugin failed")

// Guest is a compiled guest.
type Guest struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

// Compile compiles a guest. Close is to be called.
func Compile(ctx context.Context, wasm []byte) (*Guest, error) {
	r := wazero.NewRuntime(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	if err := instantiateHost(ctx, r); err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	code, err := r.CompileModule(ctx, wasm)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("compile guest: %w", err), r.Close(ctx))
	}
	return &Guest{r, code}, nil
}

// Close frees the guest.
func (g *Guest) Close(ctx context.Context) error { return g.runtime.Close(ctx) }

// Exports reports whether the guest exports a function.
func (g *Guest) Exports(name string) bool {
	_, ok := g.code.ExportedFunctions()[name]
	return ok
}

// Instance is a running guest.
type Instance struct {
	module api.Module
	buf    uint32
	size   int
	out    []byte
}

// New starts an instance.
func (g *Guest) New(ctx context.Context) (*Instance, error) {
	m, err := g.runtime.InstantiateModule(ctx, g.code, wazero.NewModuleConfig().WithName("").WithStartFunctions(abi.Initialize))
	if err != nil {
		return nil, fmt.Errorf("start guest: %w", err)
	}
	i := &Instance{module: m}
	return i, i.reserve(ctx, abi.BufferSize)
}

// Close frees the instance.
func (i *Instance) Close(ctx context.Context) error { return i.module.Close(ctx) }

func (i *Instance) reserve(ctx context.Context, n int) error {
	r, err := i.module.ExportedFunction(abi.Buffer).Call(ctx, uint64(n))
	if err != nil {
		return fmt.Errorf("ask for a buffer: %w", err)
	}
	if i.buf, i.size = uint32(r[0]), n; i.buf == 0 {
		return fmt.Errorf("guest has no buffer of %d bytes", n)
	}
	return nil
}

// Call calls an export with a frame and returns the response frame.
func (i *Instance) Call(ctx context.Context, export string, frame []byte) (abi.Frame, error) {
	f := i.module.ExportedFunction(abi.Prefix + export)
	if f == nil {
		return nil, fmt.Errorf("guest does not export %s%s", abi.Prefix, export)
	}
	if len(frame) > i.size {
		if err := i.reserve(ctx, len(frame)); err != nil {
			return nil, err
		}
	}
	if !i.module.Memory().Write(i.buf, frame) {
		return nil, errors.New("the guest's buffer is outside its memory")
	}
	r, err := f.Call(ctx, uint64(i.buf), uint64(len(frame)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	at, n := uint32(r[0]>>32), uint32(r[0])
	if at == 0 {
		if n > uint32(abi.Drop) {
			return nil, fmt.Errorf("%w: status %d", ErrFailed, n)
		}
		return abi.Append(nil, abi.Int(uint64(n))), nil
	}
	b, ok := i.module.Memory().Read(at, n)
	if !ok {
		return nil, errors.New("the response is outside the guest's memory")
	}
	i.out = append(i.out[:0], b...)
	return abi.Parse(i.out)
}
