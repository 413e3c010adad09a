package loader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/kv"
	"github.com/revurb/revurb/hooks/wasm"
)

// patience is how long the calls of a plugin that is replaced may take to end
// before that is worth a line in the log.
const patience = 10 * time.Second

// Loader loads plugins into a hooks.Hooks. Its methods may be called
// concurrently.
type Loader struct {
	// Static after construction.
	hooks    *hooks.Hooks
	settings Settings
	host     wasm.Host // but for KV
	version  string
	log      *slog.Logger

	reloading  sync.Mutex // held while plugins are loaded
	background sync.WaitGroup

	mu       sync.Mutex // guards what follows
	loaded   []*loaded
	leaving  map[*loaded]bool      // replaced, but with calls under way
	past     map[string]wasm.Stats // of plugins that have been replaced, by name
	stores   map[string]*kv.Store  // by the name of the plugin: they outlive it
	attempts map[string]stamp      // files that could not be loaded, as they were
}

// loaded is a plugin that is there.
type loaded struct {
	config Config
	stamp  stamp // guarded by the loader's mu
	plugin *wasm.Plugin
	member *hooks.Member
	took   time.Duration // to load it
}

// New returns a loader that has loaded nothing yet. The plugins of host have a
// store each in place of its KV.
func New(h *hooks.Hooks, s Settings, host wasm.Host, version string, log *slog.Logger) *Loader {
	return &Loader{
		hooks: h, settings: s, host: host, version: version, log: log,
		leaving: map[*loaded]bool{}, past: map[string]wasm.Stats{},
		stores: map[string]*kv.Store{}, attempts: map[string]stamp{},
	}
}

// Report is what a reload has changed: names of plugins.
type Report struct {
	Added    []string `json:"added"`
	Replaced []string `json:"replaced"`
	Kept     []string `json:"kept"` // nothing of it has changed
	Removed  []string `json:"removed"`
	Took     string   `json:"took"`
}

// ErrBusy is the error of a reload while another one is under way.
var ErrBusy = errors.New("plugins are being loaded already; try again once that is done")

// Reload makes the plugins that configs describe, in their order, those that
// there are. If one of them cannot be loaded nothing changes, and the error says
// which, and why. Calls that are under way end with the plugin that they began
// with.
func (l *Loader) Reload(ctx context.Context, configs []Config) (r Report, err error) {
	if !l.reloading.TryLock() {
		return r, ErrBusy
	}
	defer l.reloading.Unlock()
	return l.reload(ctx, configs)
}

// reload is Reload, with reloading held.
func (l *Loader) reload(ctx context.Context, configs []Config) (r Report, err error) {
	start := time.Now()
	r = Report{Added: []string{}, Replaced: []string{}, Kept: []string{}, Removed: []string{}}
	before := map[string]*loaded{}
	for _, p := range l.current() {
		before[p.config.Name] = p
	}
	var after, fresh []*loaded
	defer func() {
		if err != nil {
			for _, p := range fresh {
				_ = p.plugin.Drain(ctx)
			}
		}
	}()
	for _, c := range configs {
		if !c.Enabled {
			continue
		}
		c = c.named()
		old := before[c.Name]
		p, err := l.load(ctx, c, old)
		if err != nil {
			return r, fmt.Errorf("plugin %s (%s): %w", c.Name, c.Path, err)
		}
		after = append(after, p)
		switch {
		case p == old:
			r.Kept = append(r.Kept, c.Name)
		case old != nil:
			r.Replaced = append(r.Replaced, c.Name)
		default:
			r.Added = append(r.Added, c.Name)
		}
		if p != old {
			fresh = append(fresh, p)
		}
		delete(before, c.Name)
	}
	if err := l.swap(after); err != nil {
		return r, err
	}
	r.Removed = slices.AppendSeq(r.Removed, maps.Keys(before))
	slices.Sort(r.Removed)
	r.Took = time.Since(start).Round(time.Millisecond).String()
	return r, nil
}

// swap makes all the plugins that there are, and lets go of the others.
func (l *Loader) swap(all []*loaded) error {
	members := make([]*hooks.Member, len(all))
	for i, p := range all {
		members[i] = p.member
	}
	set, err := hooks.NewSet(members...)
	if err != nil {
		return err
	}
	stays := map[*loaded]bool{}
	for _, p := range all {
		stays[p] = true
	}
	var gone []*loaded
	l.mu.Lock()
	for _, p := range l.loaded {
		if !stays[p] {
			gone = append(gone, p)
			l.leaving[p] = true
		}
	}
	l.loaded = all
	clear(l.attempts)
	l.mu.Unlock()
	l.hooks.Swap(set)
	for _, p := range gone {
		p.plugin.Retire()
		l.background.Go(func() { l.drain(p) })
	}
	return nil
}

// drain waits for the last calls of a plugin that is replaced.
func (l *Loader) drain(p *loaded) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := p.plugin.Drain(ctx)
		cancel()
		if err == nil {
			break
		}
		l.log.Warn("calls of a plugin that was replaced are still under way", "plugin", p.config.Name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.leaving, p)
	past := l.past[p.config.Name]
	past.Add(p.plugin.Stats())
	l.past[p.config.Name] = past
}

// load loads a plugin, unless old is just that.
func (l *Loader) load(ctx context.Context, c Config, old *loaded) (*loaded, error) {
	wasmFile, at, err := read(c)
	if err != nil {
		return nil, err
	}
	if old != nil && old.plugin.SHA256() == at.sum && reflect.DeepEqual(old.config, c) {
		l.mu.Lock()
		old.stamp = at
		l.mu.Unlock()
		return old, nil
	}
	start := time.Now()
	o, err := c.options()
	if err != nil {
		return nil, err
	}
	if o.CacheDir, err = l.settings.cacheDir(); err != nil {
		return nil, err
	}
	o.Host, o.HostVersion = l.host, l.version
	o.Host.KV = l.store(c)
	plugin, err := wasm.Load(ctx, wasmFile, o)
	if err != nil {
		return nil, err
	}
	entry, err := c.entry(plugin)
	if err != nil {
		_ = plugin.Drain(ctx)
		return nil, err
	}
	for _, name := range plugin.Info().Unknown {
		l.log.Warn("the plugin exports what looks like a hook and is none", "plugin", c.Name, "export", name)
	}
	return &loaded{c, at, plugin, hooks.NewMember(entry, l.log), time.Since(start)}, nil
}

// store returns what the plugin keeps, and has kept.
func (l *Loader) store(c Config) *kv.Store {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stores[c.Name]
	if s == nil {
		s = kv.New(int(c.Limits.KV), l.host.Now)
		l.stores[c.Name] = s
	}
	s.Resize(int(c.Limits.KV))
	return s
}

func (l *Loader) current() []*loaded {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*loaded(nil), l.loaded...)
}

// Close lets go of all plugins, once they have been told what waits to be told.
// The error is that calls are still under way when ctx is done.
func (l *Loader) Close(ctx context.Context) error {
	l.reloading.Lock()
	defer l.reloading.Unlock()
	if err := l.swap(nil); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.background.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the calls of plugins: %w", ctx.Err())
	}
}
