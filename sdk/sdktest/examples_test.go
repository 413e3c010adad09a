package sdktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/revurb/revurb/hooks/abi"
)

type cases struct {
	Defaults struct {
		App, Secret string
		Config      map[string]any
	}
	Case []exampleCase
}

type exampleCase struct {
	Name, Hook string
	Config     map[string]any
	KV         map[string]string
	Event      struct {
		Channel  string
		SocketID string `toml:"socket_id"`
		UserID   string `toml:"user_id"`
		Event    string
		Data     string
		Auth     string
		Flags    []string
	}
	Want struct {
		Status, Message, Failure string
		UserID                   string `toml:"user_id"`
		UserInfo                 string `toml:"user_info"`
		Log                      []string
		KV                       map[string]string
	}
}

func TestExamples(t *testing.T) {
	for _, name := range []string{"jwt-auth", "quota", "audit", "schema-guard"} {
		t.Run(name, func(t *testing.T) {
			dir := "../../plugins/examples/" + name
			var wasm []byte
			if name == "schema-guard" {
				wasm = readFile(t, dir+"/schema-guard.wasm")
			} else {
				wasm = build(t, dir)
			}
			g := compile(t, wasm)
			files, err := filepath.Glob(dir + "/cases/*.toml")
			if err != nil || len(files) == 0 {
				t.Fatalf("no cases: %v", err)
			}
			for _, f := range files {
				var cs cases
				if err := toml.Unmarshal(readFile(t, f), &cs); err != nil {
					t.Fatal(err)
				}
				for _, c := range cs.Case {
					if err := c.check(t, g, cs); err != nil {
						t.Errorf("%s: %v", c.Name, err)
					}
				}
			}
		})
	}
}

func (c exampleCase) check(t *testing.T, g *Guest, cs cases) error {
	config := cs.Defaults.Config
	if c.Config != nil {
		config = c.Config
	}
	if config == nil {
		config = map[string]any{}
	}
	h := &host{config: map[string]string{}, kv: map[string]string{}, secret: cs.Defaults.Secret}
	maps.Copy(h.kv, c.KV)
	for k, v := range config {
		if s, ok := v.(string); ok {
			h.config[k] = s
		} else {
			b, _ := json.Marshal(v)
			h.config[k] = string(b)
		}
	}
	ctx := with(t.Context(), h)
	i, err := g.New(ctx)
	if err != nil {
		return err
	}
	defer i.Close(ctx)
	all, _ := json.Marshal(config)
	var f abi.Frame
	if g.Exports(abi.Configure) {
		if f, err = i.Call(ctx, "configure", abi.Append(nil, all, []byte(`["*"]`), []byte("1.0.0"))); err != nil {
			return err
		}
		why := string(f.Field(abi.ResponseMessage))
		if !strings.Contains(why, c.Want.Failure) || (why != "") != (c.Want.Failure != "") {
			return fmt.Errorf("configure: got %q, want %q", why, c.Want.Failure)
		}
		if why != "" {
			return nil
		}
	}
	opt := func(s string) []byte {
		if s == "" {
			return nil
		}
		return []byte(s)
	}
	var flags uint64
	for n, name := range []string{"from_api", "in_batch", "cache_event", "unsigned", "came"} {
		if slices.Contains(c.Event.Flags, name) {
			flags |= 1 << n
		}
	}
	e := c.Event
	f, err = i.Call(ctx, c.Hook, abi.Append(nil, opt(cs.Defaults.App), opt(e.Channel), opt(e.SocketID), opt(e.UserID), opt(e.Event), opt(e.Data), opt(e.Auth), abi.Int(flags)))
	if err != nil {
		return err
	}
	status, _ := f.Int(abi.ResponseStatus)
	w := c.Want
	if got := abi.Status(status).String(); w.Status != "" && got != w.Status {
		return fmt.Errorf("got %s %s, want %s", got, f.Field(abi.ResponseMessage), w.Status)
	}
	for field, want := range map[int]string{abi.ResponseMessage: w.Message, abi.ResponseUserID: w.UserID, abi.ResponseUserInfo: w.UserInfo} {
		if got := string(f.Field(field)); got != want {
			return fmt.Errorf("field %d: got %q, want %q", field, got, want)
		}
	}
	for _, line := range w.Log {
		if !strings.Contains(strings.Join(h.log, "\n"), line) {
			return fmt.Errorf("log: got %q, want %q", h.log, line)
		}
	}
	if w.KV != nil && !maps.Equal(h.kv, w.KV) {
		return fmt.Errorf("kv: got %v, want %v", h.kv, w.KV)
	}
	return nil
}
