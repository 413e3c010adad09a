package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/server"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/loader"
	"github.com/revurb/revurb/hooks/wasm/wasmtest"
)

// denying is a guest that denies every subscription, with a message, and hears
// who has gone.
func denying(message string) []byte {
	response := abi.Append(nil, abi.Int(uint64(abi.Deny)), abi.Int(0), []byte(message))
	const at = 1 << 10
	return wasmtest.Guest().
		Data(at, response).
		Hook(abi.OnSubscribe, "", wasmtest.Answer(at, int32(len(response)))).
		Hook(abi.OnDisconnect, "", wasmtest.I64(0)).
		Bytes()
}

// pluginStage is a server with a plugin, and its file.
type pluginStage struct {
	*stage
	file       string
	configured atomic.Pointer[func() ([]loader.Config, error)]
}

func servePlugin(t *testing.T, message string) *pluginStage {
	t.Helper()
	p := &pluginStage{file: filepath.Join(t.TempDir(), "guard.wasm")}
	p.put(t, denying(message))
	c := p.guard()
	p.configure([]loader.Config{c}, nil)
	p.stage = serveWith(t, server.Options{
		Plugins: func() ([]loader.Config, error) { return (*p.configured.Load())() },
	}, func(sc *config.Config) {
		sc.Hooks.CacheDir = ""
		sc.Plugins = []loader.Config{c}
	})
	return p
}

// guard is the configuration of the plugin. Where a test does not change that,
// it has all the time that a busy machine may take of it.
func (p *pluginStage) guard() loader.Config {
	c := loader.DefaultConfig()
	c.Name, c.Path = "guard", p.file
	c.Limits.Deadline, c.Limits.StartDeadline = patience, patience
	return c
}

func (p *pluginStage) put(t *testing.T, guest []byte) {
	t.Helper()
	must(t, os.WriteFile(p.file+".new", guest, 0o600))
	must(t, os.Rename(p.file+".new", p.file))
}

// configure changes what is configured from now on.
func (p *pluginStage) configure(all []loader.Config, err error) {
	f := func() ([]loader.Config, error) { return all, err }
	p.configured.Store(&f)
}

// denied returns what a client is told that subscribes to a channel.
func (p *pluginStage) denied() string {
	p.t.Helper()
	c := p.connect()
	defer func() { _ = c.Close() }()
	must(p.t, c.send("pusher:subscribe", map[string]string{"channel": "room"}))
	m, err := c.read()
	must(p.t, err)
	return m.Event + " " + string(m.Data)
}

func (p *pluginStage) wantDenied(message string) {
	p.t.Helper()
	if got := p.denied(); !strings.Contains(got, message) {
		p.t.Errorf("a client that subscribes is told %s, want %q in it", got, message)
	}
}

// post asks the admin listener to reload the plugins.
func (p *pluginStage) post() (status int, body string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+p.server.AdminAddr().String()+"/plugins/reload", nil)
	must(p.t, err)
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	must(p.t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	must(p.t, err)
	return res.StatusCode, string(text)
}

// A reload takes the plugins that are configured then, as their files are, or
// leaves all as it is.
func TestReloadPlugins(t *testing.T) {
	p := servePlugin(t, "one")
	p.wantDenied("one")

	p.put(t, denying("two"))
	must(t, p.server.Reload())
	p.wantDenied("two")

	p.put(t, []byte("no guest"))
	err := p.server.Reload()
	if err == nil || !strings.Contains(err.Error(), "the plugins stay as they were: ") || !strings.Contains(err.Error(), "guard") {
		t.Errorf("a file that is no guest: %v", err)
	}
	p.wantDenied("two")

	p.put(t, denying("three"))
	p.configure(nil, errors.New("revurb.toml:3: what is this?"))
	if err := p.server.Reload(); err == nil || !strings.Contains(err.Error(), "revurb.toml:3: what is this?") {
		t.Errorf("a configuration that cannot be read: %v", err)
	}
	p.wantDenied("two")

	p.configure(nil, nil)
	must(t, p.server.Reload())
	c := p.connect()
	must(t, c.subscribe("room", nil)) // for nobody is left to deny it
}

// The admin listener reloads plugins, too, and says what became of it.
func TestPostReloadPlugins(t *testing.T) {
	p := servePlugin(t, "one")
	p.put(t, denying("two"))
	var report loader.Report
	status, body := p.post()
	must(t, json.Unmarshal([]byte(body), &report))
	if status != http.StatusOK || len(report.Replaced) != 1 || report.Replaced[0] != "guard" {
		t.Errorf("got %d %s, want 200 and guard replaced", status, body)
	}
	p.wantDenied("two")

	c := loader.DefaultConfig()
	c.Name, c.Path = "other", p.file+".none"
	p.configure([]loader.Config{c}, nil)
	if status, body = p.post(); status != http.StatusUnprocessableEntity || !strings.Contains(body, `{"error":"plugin other (`) {
		t.Errorf("got %d %s, want 422 and why", status, body)
	}
	p.wantDenied("two")

	sum := sha256.Sum256(denying("two"))
	var list []struct {
		Name, SHA256, State string
		Hooks, Capabilities []string
		Calls               map[string]map[string]int
	}
	eventually(t, "both calls are counted", func() bool { // after who made them was answered
		status, body = get(t, p.server.AdminAddr(), "/plugins")
		list = nil
		must(t, json.Unmarshal([]byte(body), &list))
		if status != http.StatusOK || len(list) != 1 {
			t.Fatalf("GET /plugins: %d %s, want one plugin", status, body)
		}
		return list[0].Calls["on_subscribe"]["deny"] == 2
	})
	got := list[0]
	if got.Name != "guard" || got.SHA256 != hex.EncodeToString(sum[:]) || got.State != "closed" ||
		strings.Join(got.Hooks, " ") != "on_subscribe on_disconnect" || strings.Join(got.Capabilities, " ") != "log config" {
		t.Errorf("GET /plugins says %s", body)
	}
}

// What plugins do is measured, also across a reload; without one nothing is
// exposed.
func TestPluginMetrics(t *testing.T) {
	p := servePlugin(t, "one")
	p.wantDenied("one")
	p.put(t, denying("two"))
	must(t, p.server.Reload())
	p.wantDenied("two")
	eventually(t, "the metrics say what the plugin has done", func() bool {
		_, text := get(t, p.server.AdminAddr(), "/metrics")
		for _, want := range []string{
			`revurb_plugin_calls_total{hook="on_subscribe",outcome="deny",plugin="guard"} 2`,
			`revurb_plugin_calls_total{hook="on_disconnect",outcome="continue",plugin="guard"} 2`,
			`revurb_plugin_calls_total{hook="on_subscribe",outcome="failure",plugin="guard"} 0`,
			`revurb_plugin_breaker_state{plugin="guard"} 0`,
			`revurb_plugin_instances{plugin="guard",state="idle"} `,
			`revurb_plugin_load_seconds{plugin="guard",stage="`,
		} {
			if !strings.Contains(text, want) {
				return false
			}
		}
		return true
	})
	if _, text := get(t, serve(t).server.AdminAddr(), "/metrics"); strings.Contains(text, "revurb_plugin_") {
		t.Error("a server without plugins exposes their metrics")
	}
}

// A plugin that cannot be loaded keeps the server from starting, and it listens
// nowhere.
func TestBadPluginStopsTheStart(t *testing.T) {
	c := config.Default()
	c.Server.UnixSocket = filepath.Join(t.TempDir(), "s")
	c.Admin.Listen, c.Hooks.CacheDir = "", ""
	p := loader.DefaultConfig()
	p.Path = filepath.Join(t.TempDir(), "none.wasm")
	c.Plugins = []loader.Config{p}
	s, err := server.New(c, slog.New(slog.DiscardHandler))
	must(t, err)
	if err := s.Listen(); err == nil || !strings.Contains(err.Error(), "load plugins: plugin none (") {
		t.Errorf("got %v, want an error that names the plugin", err)
	}
	if _, err := os.Stat(c.Server.UnixSocket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the server listens: %v", err)
	}
}

// A file that changes is loaded without being asked to.
func TestWatchPlugins(t *testing.T) {
	p := servePlugin(t, "one")
	c := p.guard()
	c.Watch = true
	p.configure([]loader.Config{c}, nil)
	must(t, p.server.Reload())
	p.put(t, denying("two, which is longer"))
	eventually(t, "the changed file is loaded", func() bool { return strings.Contains(p.denied(), "two, which is longer") })
}

// A server that stops tells plugins of everyone who was there. This one fails at
// it, which the log says.
func TestStopTellsPlugins(t *testing.T) {
	p := servePlugin(t, "one")
	p.put(t, wasmtest.Guest().Hook(abi.OnDisconnect, "", wasmtest.Op(wasmtest.Unreachable)).Bytes())
	must(t, p.server.Reload())
	c := p.connect()
	p.stop()
	_, _ = io.Copy(io.Discard, c) // until the server lets it go
	p.wait()
	if log := p.log.String(); !strings.Contains(log, "on_disconnect") || !strings.Contains(log, "plugin=guard") {
		t.Errorf("the plugin was not told:\n%s", log)
	}
	if err := p.server.Reload(); err == nil {
		t.Error("a server that has stopped loads plugins")
	}
}

// publishing is a guest that publishes to channel "news" once somebody has
// subscribed.
func publishing(data string) []byte {
	frame := abi.Append(nil, nil, []byte("news"), nil, nil, []byte("from-plugin"), []byte(data))
	const at = 1 << 10
	m := new(wasmtest.Module)
	publish := m.Import(abi.Module, "publish", "ii", "i")
	m.Memory(3, 0).Data(at, frame)
	m.Func(abi.Marker, "", "", "")
	m.Func(abi.Buffer, "i", "i", "", wasmtest.I32(wasmtest.BufferAt))
	m.Hook(abi.OnSubscribed, "", wasmtest.I32(at), wasmtest.I32(int32(len(frame))),
		wasmtest.Op(wasmtest.Call, publish), wasmtest.Op(wasmtest.Drop), wasmtest.I64(0))
	return m.Bytes()
}

// What a plugin publishes reaches subscribers as what a backend publishes does,
// where it has been granted the channel.
func TestPluginPublishes(t *testing.T) {
	p := servePlugin(t, "one")
	p.put(t, publishing(`say "hi"`))
	c := p.guard()
	c.Capabilities = []string{"publish:news"}
	p.configure([]loader.Config{c}, nil)
	must(t, p.server.Reload())
	reader := p.connect()
	must(t, reader.subscribe("news", nil))
	m, err := reader.read()
	must(t, err)
	if m.Event != "from-plugin" || m.Channel != "news" || m.text() != `say "hi"` {
		t.Errorf("got %s on %s with %s", m.Event, m.Channel, m.Data)
	}
}

// Two reloads at a time would be one too many: the second is told to wait.
func TestReloadsDoNotOverlap(t *testing.T) {
	p := servePlugin(t, "one")
	spin := wasmtest.Guest()
	spin.Start(spin.Func("", "", "", "", wasmtest.Op(wasmtest.Loop, wasmtest.None, wasmtest.Br, 0, wasmtest.End)))
	p.put(t, spin.Bytes()) // it takes its start_deadline to be refused
	c := p.guard()
	c.Limits.StartDeadline = time.Second
	p.configure([]loader.Config{c}, nil)
	first := make(chan int)
	go func() {
		status, _ := p.post()
		first <- status
	}()
	statuses := map[int]bool{}
	eventually(t, "one of two reloads is refused because of the other", func() bool {
		status, body := p.post()
		statuses[status] = true
		if status == http.StatusConflict && !strings.Contains(body, "try again") {
			t.Errorf("409 says %s", body)
		}
		select {
		case status := <-first:
			statuses[status] = true
			first = nil
		default:
		}
		return statuses[http.StatusConflict]
	})
	if first != nil {
		statuses[<-first] = true
	}
	if !statuses[http.StatusUnprocessableEntity] || len(statuses) != 2 {
		t.Errorf("got %v, want 409 and 422", statuses)
	}
	p.wantDenied("one")
}
