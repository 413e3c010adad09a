package plugintest

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/kv"
	"github.com/revurb/revurb/hooks/loader"
	"github.com/revurb/revurb/hooks/wasm"
)

// How long a plugin may take: long enough for a slow machine.
const (
	callTime  = time.Second
	startTime = time.Minute
)

// noon is the time of cases that have none.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// Runner runs cases for one plugin. Its methods may be called concurrently.
type Runner struct {
	wasm  []byte
	cache string // of compiled code, which the cases have in common
}

// New returns a runner for the plugin of a file. It is to be closed.
func New(path string) (*Runner, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the plugin: %w", err)
	}
	cache, err := os.MkdirTemp("", "revurb-plugintest-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the compiled plugin: %w", err)
	}
	return &Runner{b, cache}, nil
}

// Close removes what the runner has on disk.
func (r *Runner) Close() error { return os.RemoveAll(r.cache) }

// Result is what a plugin has made of a case.
type Result struct {
	Name  string
	Fuel  int64         // that the call has used
	Took  time.Duration // the call
	Wrong []string      // what is not as the case wants it, each with a diff
	Got   Got
}

// OK reports whether all was as the case wants it.
func (r *Result) OK() bool { return len(r.Wrong) == 0 }

// Got is what the plugin has decided and done.
type Got struct {
	Status   string
	Code     int
	Message  *string
	Event    *string
	Data     *string
	UserID   *string
	UserInfo *string
	Log      []string
	Publish  []Published
	Failure  string // "" is none
}

// Run runs a case of s with a new instance of the plugin. The error is that it
// could not be run.
func (r *Runner) Run(ctx context.Context, s *Suite, c *Case) (*Result, error) {
	hook, _ := abi.ParseHook(c.Hook)
	result := &Result{Name: c.Name}
	now := c.now(s)
	store := kv.New(0, func() time.Time { return now })
	for key, value := range c.KV {
		b, err := kept(value)
		if err == nil {
			err = store.Set([]byte(key), b, kv.MaxTTL)
		}
		if err != nil {
			return nil, fmt.Errorf("keep %q: %w", key, err)
		}
	}
	w := &world{}
	o, err := s.options(c)
	if err != nil {
		return nil, err
	}
	o.CacheDir = r.cache
	o.Host = wasm.Host{
		KV: store, Now: func() time.Time { return now }, Random: c.random(s), Log: w.logger(), Publish: w.publish,
		Secret: func(app string) (string, bool) { return cmp.Or(s.Defaults.Secret, "secret"), app == s.app(c) },
	}
	p, err := wasm.Load(ctx, r.wasm, o)
	if err != nil {
		result.Got = w.got(nil, err)
		result.Wrong = c.Want.compare(&result.Got, store, 0)
		return result, nil
	}
	defer func() { _ = p.Drain(ctx) }()
	if !p.Handles(hook) {
		return nil, fmt.Errorf("the plugin does not handle %s", hook)
	}
	e := s.event(c, hook)
	var v hooks.Verdict
	for range max(1, c.Repeat) {
		w.clear()
		start := time.Now()
		result.Fuel, err = p.Measure(ctx, hook, e, &v)
		result.Took = time.Since(start)
	}
	result.Got = w.got(&v, err)
	result.Wrong = c.Want.compare(&result.Got, store, result.Fuel)
	return result, nil
}

// options are what the plugin is loaded with, but for the host.
func (s *Suite) options(c *Case) (o wasm.Options, err error) {
	d := s.Defaults
	o = wasm.Options{
		Name: "plugin", Apps: d.Apps, HostVersion: "test",
		Limits: wasm.Limits{Pool: 1, Call: callTime, Start: startTime},
	}
	if len(o.Apps) == 0 {
		o.Apps = []string{"*"}
	}
	capabilities := d.Capabilities
	if capabilities == nil {
		capabilities = loader.AllCapabilities()
	}
	if o.Grants, err = loader.Grants(capabilities); err != nil {
		return o, err
	}
	config := d.Config
	if c.Config != nil {
		config = c.Config
	}
	if config == nil {
		config = map[string]any{}
	}
	if o.Config, err = json.Marshal(config); err != nil {
		return o, fmt.Errorf("make JSON of config: %w", err)
	}
	return o, nil
}

func (s *Suite) app(c *Case) string { return cmp.Or(c.Event.App, s.Defaults.App, "app") }

func (s *Suite) event(c *Case, h abi.Hook) *hooks.Event {
	in := c.Event
	e := &hooks.Event{
		App: s.app(c), Channel: in.Channel, SocketID: in.SocketID, UserID: in.UserID, Name: in.Event, Auth: in.Auth,
		UserInfo: c.Client.UserInfo, Subscribers: c.Client.Subscribers,
		Client: &hooks.Client{Origin: c.Client.Origin, RemoteIP: c.Client.RemoteIP, Query: c.Client.Query},
	}
	if in.Data != nil {
		e.Data, e.HasData = *in.Data, true
	}
	for _, f := range in.Flags {
		e.Flags |= flags[f]
	}
	replace := s.Defaults.Replace
	if c.Replace != nil {
		replace = *c.Replace
	}
	if replace && h == abi.Authorize {
		e.Flags |= abi.Unsigned
	}
	return e
}

func (c *Case) now(s *Suite) time.Time {
	for _, t := range []time.Time{c.Now, s.Defaults.Now} {
		if !t.IsZero() {
			return t
		}
	}
	return noon
}

func (c *Case) random(s *Suite) *rand.ChaCha8 {
	seed := s.Defaults.Seed
	if c.Seed != nil {
		seed = *c.Seed
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], uint64(seed))
	return rand.NewChaCha8(key)
}
