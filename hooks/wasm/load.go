package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/fuel"
)

const pageSize = 64 << 10

// features are what a guest may use. Not among them is what the rewriter does
// not know.
const features = api.CoreFeaturesV2

// Load makes a guest ready to be called. It does all that can fail: the guest is
// checked, compiled and configured in as many instances as there may be. The
// error says what is wrong with it, for its author or for the operator.
func Load(ctx context.Context, wasm []byte, o Options) (_ *Plugin, err error) {
	o.Limits = o.Limits.orDefault()
	if len(wasm) > o.Limits.Binary {
		return nil, fmt.Errorf("the plugin is %d bytes long, of at most %d", len(wasm), o.Limits.Binary)
	}
	p := newPlugin(o)
	defer func() {
		if err != nil {
			_ = p.Drain(ctx)
		}
	}()
	sum := sha256.Sum256(wasm)
	p.sum = hex.EncodeToString(sum[:])
	if err := p.prepare(ctx, wasm); err != nil {
		return nil, err
	}
	stage := p.stage("start")
	for i := range p.slots {
		x, err := p.spawn(&p.slots[i])
		if err != nil {
			return nil, fmt.Errorf("start the plugin: %w", err)
		}
		p.release(x)
	}
	stage()
	return p, nil
}

// stage measures a part of loading, until done is called.
func (p *Plugin) stage(name string) (done func()) {
	start := time.Now()
	return func() { p.loading = append(p.loading, Stage{name, time.Since(start)}) }
}

// prepare does what comes before the first instance.
func (p *Plugin) prepare(ctx context.Context, wasm []byte) error {
	cache, err := p.openCache()
	if err != nil {
		return err
	}
	// First of all it is read by our own reader: the engine believes a guest of
	// a few bytes that it has billions of functions, and takes memory for them.
	done := p.stage("instrument")
	instrumented, err := fuel.Instrument(wasm, fuel.Options{
		Slice: slice, MaxPages: uint32(p.o.Limits.Memory / pageSize), MaxTable: uint32(p.o.Limits.Table),
	})
	if err != nil {
		return fmt.Errorf("the plugin is refused: %w", err)
	}
	done()

	done = p.stage("validate")
	if err := validate(ctx, wasm, p.o.CacheDir, p.sum); err != nil {
		return err
	}
	if p.info, err = check(wasm, p.o.Grants); err != nil {
		return err
	}
	done()

	done = p.stage("compile")
	config := wazero.NewRuntimeConfig().WithCoreFeatures(features).
		WithMemoryLimitPages(uint32(p.o.Limits.Memory / pageSize)).
		WithCompilationCache(cache)
	p.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	p.compiled, err = p.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, 2), instrumented)
	if err != nil {
		return fmt.Errorf("compile the plugin: %w", err)
	}
	if err := p.link(ctx, p.runtime, p.o.Grants); err != nil {
		return err
	}
	done()
	return nil
}

// openCache opens the cache for compiled code: one that is on disk, if there is
// one to be.
func (p *Plugin) openCache() (cache wazero.CompilationCache, err error) {
	if p.o.CacheDir == "" {
		p.cache = wazero.NewCompilationCache()
		return p.cache, nil
	}
	if err := os.MkdirAll(filepath.Join(p.o.CacheDir, "valid"), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory for compiled plugins: %w; set hooks.cache_dir to another, or to \"\" for none", err)
	}
	if p.cache, err = wazero.NewCompilationCacheWithDir(p.o.CacheDir); err != nil {
		return nil, fmt.Errorf("open the directory for compiled plugins: %w", err)
	}
	return p.cache, nil
}

// validate reports what the specification finds wrong with a guest, as it was
// before it was instrumented: that may make a mistake something else. It takes a
// tenth of a second for a guest of Go, so what was valid once is noted in the
// cache.
func validate(ctx context.Context, wasm []byte, cacheDir, sum string) error {
	var note string
	if cacheDir != "" {
		note = filepath.Join(cacheDir, "valid", sum)
		if _, err := os.Stat(note); err == nil {
			return nil
		}
	}
	wasm, err := fuel.Strip(wasm)
	if err != nil {
		return fmt.Errorf("the plugin is refused: %w", err)
	}
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
	defer func() { _ = rt.Close(ctx) }()
	if _, err := rt.CompileModule(ctx, wasm); err != nil {
		return fmt.Errorf("the plugin is no valid WebAssembly 2.0 module: %w", err)
	}
	if note != "" {
		_ = os.WriteFile(note, nil, 0o600) // without it the next load takes longer
	}
	return nil
}

// configure calls the guest's revurb_configure, if it has one.
func (x *instance) configure() error {
	f := x.mod.ExportedFunction(abi.Configure)
	if f == nil {
		return nil
	}
	o := x.plugin.o
	config := o.Config
	if len(config) == 0 {
		config = []byte("{}")
	}
	apps, err := json.Marshal(o.Apps)
	if err != nil {
		return err
	}
	frame := abi.Append(nil, config, apps, []byte(o.HostVersion))
	if err := x.reserve(len(frame)); err != nil {
		return err
	}
	if !x.mod.Memory().Write(x.buf, frame) {
		return errBuffer
	}
	if err := x.enter(f, uint64(x.buf), uint64(len(frame))); err != nil {
		return err
	}
	v := &x.verdict
	if err := x.answer(v); err != nil {
		return err
	}
	if v.Status != abi.Continue {
		if len(v.Message) == 0 {
			return errors.New("it refuses its configuration, and does not say why")
		}
		return fmt.Errorf("it refuses its configuration: %s", harmless(v.Message))
	}
	return nil
}
