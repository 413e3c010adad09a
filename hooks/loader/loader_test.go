package loader_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/loader"
	"github.com/revurb/revurb/hooks/wasm"
	. "github.com/revurb/revurb/hooks/wasm/wasmtest" // an assembler reads best so
)

const patience = time.Minute

// stage is a loader, and a folder for plugins.
type stage struct {
	*loader.Loader
	t     *testing.T
	hooks *hooks.Hooks
	dir   string
	log   *buffer
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, hooks: new(hooks.Hooks), dir: t.TempDir(), log: new(buffer)}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	s.Loader = loader.New(s.hooks, loader.Settings{}, wasm.Host{Log: log}, "1.2.3", log)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// deciding is a guest that returns a status for each message.
func deciding(s abi.Status) []byte {
	return Guest().Hook(abi.OnMessage, "", I64(int64(s))).Bytes()
}

// counting is a guest that adds one to what it keeps, and drops the message once
// that is more than two.
func counting() []byte {
	m := new(Module)
	incr := m.Import(abi.Module, "kv_incr", "iiIIi", "i")
	m.Memory(3, 0)
	m.Func(abi.Marker, "", "", "")
	m.Func(abi.Buffer, "i", "i", "", I32(BufferAt))
	m.Hook(abi.OnMessage, "",
		I32(0), I32(1), I64(1), I64(60_000), I32(8), Op(Call, incr, Drop),
		I32(4), I32(0), I32(8), Op(Load32, 2, 0), I32(2), Op(0x4a), Op(0x1b), Op(0xad)) // i32.gt_s, select, i64.extend_i32_u
	return m.Bytes()
}

// put writes a plugin's file, and returns its configuration.
func (s *stage) put(name string, wasm []byte) loader.Config {
	s.t.Helper()
	c := loader.DefaultConfig()
	c.Name, c.Path = name, filepath.Join(s.dir, name+".wasm")
	c.Limits.Deadline, c.Limits.StartDeadline = patience, patience // which a busy machine may need
	if err := os.WriteFile(c.Path, wasm, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *stage) reload(configs ...loader.Config) loader.Report {
	s.t.Helper()
	r, err := s.Reload(s.t.Context(), configs)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// ask returns what the plugins say of a message.
func (s *stage) ask() string {
	status, err := s.hooks.Ask(context.Background(), abi.OnMessage, &hooks.Event{App: "1", Channel: "news", Name: "e"})
	if err != nil {
		return err.Error()
	}
	return status.String()
}

func TestReload(t *testing.T) {
	s := newStage(t)
	a, b := s.put("a", deciding(abi.Continue)), s.put("b", deciding(abi.Allow))
	if r := s.reload(a, b); !reflect.DeepEqual(r.Added, []string{"a", "b"}) {
		t.Errorf("added %v", r.Added)
	}
	if got := s.ask(); got != "allow" {
		t.Errorf("they say %s, want allow", got)
	}
	s.put("b", deciding(abi.Drop))
	c := s.put("c", deciding(abi.Continue))
	r := s.reload(a, b, c)
	r.Took = ""
	want := loader.Report{Added: []string{"c"}, Replaced: []string{"b"}, Kept: []string{"a"}, Removed: []string{}}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got %+v, want %+v", r, want)
	}
	if got := s.ask(); got != "drop" {
		t.Errorf("they say %s, want drop", got)
	}
	b.Channels = []string{"other"} // the same file, for other channels
	if r := s.reload(b); !reflect.DeepEqual(r.Replaced, []string{"b"}) || len(r.Removed) != 2 {
		t.Errorf("got %+v", r)
	}
	if got := s.ask(); got != "continue" {
		t.Errorf("they say %s, want continue", got)
	}
	b.Enabled = false
	if s.reload(b); s.hooks.Any() {
		t.Error("a plugin that is not enabled is there")
	}
}

// A mistake in one plugin leaves all as they are, and says what it is.
func TestReloadIsAllOrNothing(t *testing.T) {
	s := newStage(t)
	good := s.put("good", deciding(abi.Drop))
	s.reload(good)
	other := s.put("other", deciding(abi.Allow))
	with := func(change func(*loader.Config)) loader.Config {
		c := s.put("bad", deciding(abi.Allow))
		change(&c)
		return c
	}
	sum := sha256.Sum256(deciding(abi.Allow))
	for name, test := range map[string]struct {
		bad  loader.Config
		want string
	}{
		"no file":                  {with(func(c *loader.Config) { c.Path += "x" }), "no such file"},
		"no path":                  {with(func(c *loader.Config) { c.Path = "" }), "no path"},
		"a file that is no plugin": {s.put("text", []byte("hello")), "plugin text"},
		"another file than the one that is pinned": {
			with(func(c *loader.Config) { c.SHA256 = strings.Repeat("0", 64) }), hex.EncodeToString(sum[:]),
		},
		"a capability that it needs":    {s.put("kv", counting()), `add "kv"`},
		"a capability that there isn't": {with(func(c *loader.Config) { c.Capabilities = []string{"net"} }), `"net"`},
		"publish without channels":      {with(func(c *loader.Config) { c.Capabilities = []string{"publish"} }), "publish:PATTERN"},
		"a hook that it does not have":  {with(func(c *loader.Config) { c.Hooks = []string{"authorize"} }), "it has on_message"},
		"a hook that there isn't":       {with(func(c *loader.Config) { c.Hooks = []string{"on_publish"} }), `"on_publish"`},
		"a source that there isn't":     {with(func(c *loader.Config) { c.Messages = "none" }), `"none"`},
		"a policy that there isn't":     {with(func(c *loader.Config) { c.OnError.OnMessage = "hope" }), `"hope"`},
		"replace without authorize":     {with(func(c *loader.Config) { c.Authorize.Mode = "replace" }), "has authorize"},
		"letting all in on failure":     {with(func(c *loader.Config) { c.OnError.Authorize = "allow" }), "allow_fail_open"},
		"too large a file":              {with(func(c *loader.Config) { c.Limits.Binary = 10 }), "limits.binary"},
		"two of one name":               {with(func(c *loader.Config) { c.Name = "other" }), "called other"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Reload(t.Context(), []loader.Config{other, test.bad})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %s", err, test.want)
			}
			if got := s.ask(); got != "drop" {
				t.Errorf("they say %s, want drop as before", got)
			}
			if all := s.Plugins(); len(all) != 1 || all[0].Name != "good" {
				t.Errorf("there are %v", all)
			}
		})
	}
}

// What a plugin keeps, and what is counted of it, outlives it.
func TestReloadKeepsWhatIsKept(t *testing.T) {
	s := newStage(t)
	c := s.put("counter", counting())
	c.Capabilities = []string{"kv"}
	s.reload(c)
	s.ask()
	s.ask()
	c.Channels = []string{"*"}
	if r := s.reload(c); len(r.Replaced) != 1 {
		t.Fatalf("got %+v", r)
	}
	if got := s.ask(); got != "drop" {
		t.Errorf("the third message: %s, want drop", got)
	}
	calls := s.Plugins()[0].Stats.Calls[abi.OnMessage]
	if calls[wasm.Continued] != 2 || calls[wasm.Dropped] != 1 {
		t.Errorf("calls are %v", calls)
	}
}

// A file that changes is loaded again, and one that is broken is not.
func TestWatch(t *testing.T) {
	s := newStage(t)
	c := s.put("guard", deciding(abi.Allow))
	c.Watch = true
	s.reload(c)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	watching.Go(func() { s.Watch(ctx) })

	s.put("guard", deciding(abi.Drop))
	s.eventually("the new file decides", func() bool { return s.ask() == "drop" })
	s.put("guard", []byte("broken"))
	s.eventually("the log says that it is broken", func() bool { return strings.Contains(s.log.String(), "the one before stays") })
	if got := s.ask(); got != "drop" {
		t.Errorf("they say %s, want drop as before", got)
	}
	s.put("guard", deciding(abi.Allow))
	s.eventually("the file that is sound again decides", func() bool { return s.ask() == "allow" })
	if n := strings.Count(s.log.String(), "the one before stays"); n != 1 {
		t.Errorf("it was said %d times that the file is broken, want once", n)
	}
}

func (s *stage) eventually(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not in %v: %s\n%s", patience, what, s.log.String())
		}
	}
}

// While callers never rest, plugins are replaced: each call is answered by the
// plugin before or by the one after it.
func TestReloadUnderCallers(t *testing.T) {
	const reloads, callers = 200, 4
	s := newStage(t)
	c := s.put("guard", deciding(abi.Allow))
	s.reload(c)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	calls := make([]int, callers)
	for i := range callers {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := s.ask(); got != "allow" {
					t.Errorf("they say %s, want allow", got)
					return
				}
				calls[i]++
			}
		})
	}
	for i := range reloads {
		c.Config = map[string]any{"generation": i}
		if r := s.reload(c); len(r.Replaced) != 1 {
			t.Errorf("reload %d: %+v", i, r)
		}
	}
	close(stop)
	wg.Wait()
	total := 0
	for _, n := range calls {
		total += n
	}
	counted := s.Plugins()[0].Stats.Calls[abi.OnMessage][wasm.Allowed]
	s.eventually("every call is counted", func() bool {
		counted = s.Plugins()[0].Stats.Calls[abi.OnMessage][wasm.Allowed]
		return counted == uint64(total)
	})
	t.Logf("%d reloads, %d calls", reloads, total)
}

func TestVerify(t *testing.T) {
	s := newStage(t)
	c := s.put("guard", deciding(abi.Allow))
	if err := loader.Verify(c); err != nil {
		t.Error(err)
	}
	c.SHA256 = fmt.Sprintf("%064d", 0)
	if err := loader.Verify(c); err == nil || !strings.Contains(err.Error(), "sha256") {
		t.Errorf("got %v, want it to say that the sum is another", err)
	}
}
