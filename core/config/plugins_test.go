package config_test

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/hooks/loader"
)

// Tables of a plugin stand under headers, in braces, or with dots; what the
// plugin itself is configured with may be anything that JSON has.
func TestPlugins(t *testing.T) {
	dir := dirWith(t, anApp+`
[[plugins]]
path = "a.wasm"
[plugins.config]
words = ["x", 1, 2.5, true, { deep = [[1], []] }]
"a.b" = 1
[plugins.config.nested.more]
"c.d" = "e"
[[plugins.config.rules]]
kind = "one"
[plugins.limits]
memory = "1MiB"
output = 2_048
deadline = "5ms"

[[plugins]]
name = "b"
path = "/opt/b.wasm"
apps = ["1"]
hooks = ["authorize", "tick"]
capabilities = ["kv", "publish:chat-*"]
authorize = { mode = "replace" }
on_error.on_message = "skip"
limits = { memory = "64 KiB", kv = 0 }
config.limit = 3
config.mode.strict = true

[[plugins]]
name = "c"
path = "a.wasm"
config = { answer = 42 }
`)
	l, err := config.Load(config.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	plugin := func(change func(*loader.Config)) loader.Config {
		p := loader.DefaultConfig()
		change(&p)
		return p
	}
	want := []loader.Config{
		plugin(func(p *loader.Config) {
			p.Name, p.Path = "a", filepath.Join(dir, "a.wasm")
			p.Config = map[string]any{
				"words":  []any{"x", int64(1), 2.5, true, map[string]any{"deep": []any{[]any{int64(1)}, []any{}}}},
				"a.b":    int64(1),
				"nested": map[string]any{"more": map[string]any{"c.d": "e"}},
				"rules":  []any{map[string]any{"kind": "one"}},
			}
			p.Limits.Memory, p.Limits.Output, p.Limits.Deadline = 1<<20, 2048, 5*time.Millisecond
		}),
		plugin(func(p *loader.Config) {
			p.Name, p.Path = "b", "/opt/b.wasm"
			p.Apps, p.Hooks = []string{"1"}, []string{"authorize", "tick"}
			p.Capabilities = []string{"kv", "publish:chat-*"}
			p.Authorize.Mode, p.OnError.OnMessage = "replace", "skip"
			p.Limits.Memory, p.Limits.KV = 64<<10, 0
			p.Config = map[string]any{"limit": int64(3), "mode": map[string]any{"strict": true}}
		}),
		plugin(func(p *loader.Config) {
			p.Name, p.Path = "c", filepath.Join(dir, "a.wasm")
			p.Config = map[string]any{"answer": int64(42)}
		}),
	}
	for i := range want {
		if got := l.Config.Plugins[i]; !reflect.DeepEqual(got, want[i]) {
			t.Errorf("plugin %d is\n%+v\nwant\n%+v", i, got, want[i])
		}
	}
	for key, from := range map[string]config.Source{
		"plugins[0].config":        "revurb.toml:9",
		"plugins[0].limits.memory": "revurb.toml:17",
		"plugins[1].limits.memory": "revurb.toml:29",
		"plugins[1].config":        "revurb.toml:30",
		"plugins[1].name":          "revurb.toml:22",
		"plugins[0].name":          config.FromDefault,
	} {
		if got := l.Sources[key]; !strings.HasSuffix(string(got), string(from)) {
			t.Errorf("%s is from %q, want %q", key, got, from)
		}
	}
}

// What is shown of plugins can be loaded again, but for what is a secret.
func TestPluginsAreShown(t *testing.T) {
	l := get(t, `
[[plugins]]
path = "/opt/a.wasm"
config = { list = [1.0, 1e30, -2], "a b" = { apiKey = "canary", Token = ["canary"], keys = "shown" }, db_password = "canary" }
limits = { memory = "192KiB", output = 1_000 }
`)
	shown := config.TOML(l.Entries())
	for _, want := range []string{
		`config = { "a b" = { Token = "********", apiKey = "********", keys = "shown" }, db_password = "********", list = [1.0, 1e+30, -2] }`,
		`memory = "192KiB"`, `output = 1000`, `deadline = "20ms"`, `kv = "16MiB"`,
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("%s is not shown:\n%s", want, shown)
		}
	}
	if strings.Contains(shown, "canary") {
		t.Errorf("a secret is shown:\n%s", shown)
	}
	again, err := load(t, shown)
	if err != nil {
		t.Fatalf("what is shown does not load: %v\n%s", err, shown)
	}
	if got, want := again.Config.Plugins[0].Limits, l.Config.Plugins[0].Limits; got != want {
		t.Errorf("loaded again the limits are %+v, want %+v", got, want)
	}
	for _, e := range l.Entries() {
		if !json.Valid([]byte(e.JSON)) {
			t.Errorf("%s has %s for JSON", e.Key, e.JSON)
		}
	}
}

func TestCacheDirIsWhereTheFileIs(t *testing.T) {
	dir := dirWith(t, "[hooks]\ncache_dir = \"cache\"\n")
	for name, test := range map[string]struct {
		environ []string
		want    string
	}{
		"in the file":        {nil, filepath.Join(dir, "cache")},
		"in the environment": {[]string{"REVURB_HOOKS_CACHE_DIR=elsewhere"}, "elsewhere"},
		"none":               {[]string{"REVURB_HOOKS_CACHE_DIR="}, ""},
	} {
		l, err := config.Load(config.Options{Dir: dir, Environ: test.environ})
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Config.Hooks.CacheDir; got != test.want {
			t.Errorf("%s it is %q, want %q", name, got, test.want)
		}
	}
}

func TestPluginIsRefused(t *testing.T) {
	const header = anApp + "[[plugins]]\n" // lines 1 to 6
	const plugin = header + "path = \"a.wasm\"\n"
	const hooks = "on_connect, authorize, on_signin, on_subscribe, on_message, on_subscribed, on_unsubscribed, on_presence, on_channel, on_disconnect, tick"
	tests := map[string]struct {
		file string
		want []string
	}{
		"one without a path":          {header, []string{`revurb.toml:6: this plugin has no path`}},
		"an empty path":               {header + `path = ""`, []string{`revurb.toml:7: plugins.path: it is empty`, `revurb.toml:6: this plugin has no path`}},
		"one that is no list":         {anApp + "[plugins]\npath = \"a\"\n", []string{`revurb.toml:6: [plugins] is written [[plugins]]`}},
		"a table of no plugin":        {anApp + "[plugins.config]\na = 1\n", []string{`revurb.toml:6: plugins is a list of tables; write each as [[plugins]]`}},
		"an unknown key":              {plugin + `capability = []`, []string{`revurb.toml:8: unknown key "capability" in [[plugins]]; did you mean "capabilities"?`}},
		"an unknown limit":            {plugin + `limits.memroy = 1`, []string{`revurb.toml:8: unknown key "memroy" in [plugins.limits]; did you mean "memory"?`}},
		"an unknown table":            {plugin + "[plugins.limit]\na = 1\n", []string{`revurb.toml:8: unknown section [plugins.limit]; did you mean [plugins.limits]?`}},
		"a name with a space":         {plugin + `name = "a b"`, []string{`revurb.toml:8: plugins.name: "a b" is not a name such as moderation-2; use up to 64 letters, digits and -._, the first of them a letter or a digit`}},
		"a file with a space":         {header + `path = "a b.wasm"`, []string{`revurb.toml:7: the plugin would be named as its file, but "a b" is not a name such as moderation-2; use up to 64 letters, digits and -._, the first of them a letter or a digit; choose a name`}},
		"two of a name":               {plugin + "[[plugins]]\npath = \"b.wasm\"\nname = \"a\"\n", []string{`revurb.toml:10: the name "a" is also that of the plugin at revurb.toml:7; every plugin needs its own`}},
		"a sum that is short":         {plugin + `sha256 = "abc"`, []string{`revurb.toml:8: plugins.sha256: "abc" is not a SHA-256, which has 64 hexadecimal digits, as sha256sum prints it`}},
		"an app that is not there":    {plugin + `apps = ["my-app"]`, []string{`revurb.toml:8: plugins.apps: no app has the ID "my-app"`}},
		"no app":                      {plugin + `apps = []`, []string{`revurb.toml:8: plugins.apps: it is empty, so the plugin has nothing to do; write ["*"] for all apps, or enabled = false`}},
		"a hook of another name":      {plugin + `hooks = ["on_client_event"]`, []string{`revurb.toml:8: plugins.hooks: "on_client_event" is not a hook; did you mean "on_message"?`}},
		"another one":                 {plugin + `hooks = ["on_publish"]`, []string{`revurb.toml:8: plugins.hooks: "on_publish" is not a hook; did you mean "on_message"?`}},
		"a hook with a slip":          {plugin + `hooks = ["on_mesage"]`, []string{`revurb.toml:8: plugins.hooks: "on_mesage" is not one of ` + hooks + `; did you mean "on_message"?`}},
		"a pattern with a ?":          {plugin + `channels = ["a?"]`, []string{`revurb.toml:8: plugins.channels: "a?" would match no channel, for none has the character '?'; the one special character is *, which stands for any characters`}},
		"messages of nobody":          {plugin + `messages = "none"`, []string{`revurb.toml:8: plugins.messages: "none" is not one of all, client, api`}},
		"an unknown capability":       {plugin + `capabilities = ["logs"]`, []string{`revurb.toml:8: plugins.capabilities: "logs" is not one of log, config, kv, hmac, clock, random, publish:PATTERN; did you mean "log"?`}},
		"publish without channels":    {plugin + `capabilities = ["publish"]`, []string{`revurb.toml:8: plugins.capabilities: capability "publish" says no channels: write "publish:PATTERN", such as "publish:chat-*"`}},
		"an unknown mode":             {plugin + `authorize.mode = "replaces"`, []string{`revurb.toml:8: plugins.authorize.mode: "replaces" is not one of check, replace; did you mean "replace"?`}},
		"an unknown policy":           {plugin + `on_error.authorize = "closed"`, []string{`revurb.toml:8: plugins.on_error.authorize: "closed" is not one of deny, allow, skip`}},
		"to fail open":                {plugin + `on_error.authorize = "allow"`, []string{`revurb.toml:8: on_error.authorize = "allow" lets clients in unchecked while the plugin fails; set authorize.allow_fail_open = true if that is what you want`}},
		"to fail open in place":       {plugin + "authorize = { mode = \"replace\", allow_fail_open = true }\non_error.authorize = \"allow\"", []string{`revurb.toml:9: on_error.authorize = "allow" with authorize.mode = "replace" would let everyone in while the plugin fails; write "deny"`}},
		"to replace without the hook": {plugin + "authorize.mode = \"replace\"\nhooks = [\"tick\"]", []string{`revurb.toml:9: authorize.mode = "replace" needs "authorize" in hooks`}},
		"memory that is no page":      {plugin + `limits.memory = 100_000`, []string{`revurb.toml:8: plugins.limits.memory: 100000 is not a multiple of 64KiB, which is a page; "128KiB" would do`}},
		"memory beyond 32 bits":       {plugin + `limits.memory = "5GiB"`, []string{`revurb.toml:8: plugins.limits.memory: "5GiB" is too large; the most is "4GiB"`}},
		"memory of nothing":           {plugin + `limits.memory = 0`, []string{`revurb.toml:8: plugins.limits.memory: 0 is too small; the least is "64KiB"`}},
		"a size of another unit":      {plugin + `limits.memory = "16MB"`, []string{`revurb.toml:8: plugins.limits.memory: want a size such as "16MiB" or "64KiB", or a number of bytes, not the text "16MB"`}},
		"a size beyond 64 bits":       {plugin + `limits.memory = "9999999999999GiB"`, []string{`revurb.toml:8: plugins.limits.memory: want a size such as "16MiB" or "64KiB", or a number of bytes, not the text "9999999999999GiB"`}},
		"a pool below nothing":        {plugin + `limits.pool = -1`, []string{`revurb.toml:8: plugins.limits.pool: -1 is too small; the least is 0`}},
		"no time at all":              {plugin + `limits.deadline = "0s"`, []string{`revurb.toml:8: plugins.limits.deadline: 0s is too short; the least is 100µs`}},
		"a config that is no table":   {plugin + `config = 1`, []string{`revurb.toml:8: plugins.config: want a table, without dates, inf and nan in it, which JSON does not have, not the number 1`}},
		"a config that JSON has not":  {plugin + "[plugins.config]\na = inf\n[plugins.config.b]\nc = 1\n", []string{`revurb.toml:8: plugins.config: want a table, without dates, inf and nan in it, which JSON does not have, not a table`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, test.file)
			checkProblems(t, err, test.want)
		})
	}
}

func TestPluginsAreNotInTheEnvironment(t *testing.T) {
	_, err := load(t, "", "REVURB_PLUGINS_PATH=a.wasm")
	checkProblems(t, err, []string{`REVURB_PLUGINS_PATH: unknown variable`})
}
