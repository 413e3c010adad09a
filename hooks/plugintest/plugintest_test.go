package plugintest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/revurb/revurb/hooks/plugintest"
)

const (
	schema     = "../../plugins/examples/schema-guard/schema-guard.wasm"
	enrich     = "../../plugins/examples/enrich/enrich.wasm"
	moderation = "../../plugins/examples/moderation/moderation.wasm"
)

func read(t *testing.T, text string) (*plugintest.Suite, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := plugintest.Read(path)
	if err != nil {
		err = errorText(strings.ReplaceAll(err.Error(), path, "x.toml"))
	}
	return s, err
}

type errorText string

func (e errorText) Error() string { return string(e) }

func TestReadSaysWhatIsWrong(t *testing.T) {
	const ok = "\n[[case]]\nname = \"a\"\nhook = \"on_message\"\n"
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key of a case":   {ok + "evnt = 1\n", `x.toml:5: unknown key "case.evnt"; did you mean event?`},
		"an unknown key of an event": {ok + "[case.event]\nchanel = \"a\"\n", `x.toml:6: unknown key "case.event.chanel"; did you mean channel?`},
		"no TOML":                    {"[[case]]\nname = a\n", "x.toml:2: "},
		"a wrong type":               {ok + "repeat = \"x\"\n", "x.toml:5: "},
		"no case":                    {"[defaults]\n", "x.toml: it has no [[case]]"},
		"no name":                    {"[[case]]\nhook = \"tick\"\n", `x.toml: case 1 "": it has no name`},
		"no hook":                    {"[[case]]\nname = \"a\"\nhook = \"on_mesage\"\n", `hook = "on_mesage": want one of on_connect, `},
		"no status":                  {ok, "want.status is missing: on_message decides"},
		"an unknown status":          {ok + "want = { status = \"no\" }\n", `want.status = "no": want continue`},
		"status and failure":         {ok + "want = { status = \"deny\", failure = \"x\" }\n", "want either failure or status"},
		"an unknown flag":            {ok + "event = { flags = [\"x\"] }\n", `flag "x": want api, batch`},
		"a list that is kept":        {ok + "kv = { a = [1] }\nwant = { status = \"deny\" }\n", `kv."a" = [1]: want a text, or a whole number`},
		"nothing wanted":             {"[[case]]\nname = \"a\"\nhook = \"tick\"\n", "it wants nothing"},
	} {
		_, err := read(t, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// run runs the first case of text.
func run(t *testing.T, wasm, text string) *plugintest.Result {
	t.Helper()
	s, err := read(t, text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := plugintest.New(wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	result, err := r.Run(t.Context(), s, &s.Cases[0])
	if err != nil {
		t.Fatal(err)
	}
	return result
}

const message = `
[defaults]
config = { words = ["darn"], deny = ["pills"] }
[[case]]
name = "a"
hook = "on_message"
event = { channel = "private-a", event = "client-a", data = '{"text":"TEXT"}' }
want = `

func TestWhatIsOtherwiseIsTold(t *testing.T) {
	for name, c := range map[string]struct{ text, want, wrong string }{
		"as wanted":      {"darn", `{ status = "replace", data = '{ "text": "****" }' }`, ""},
		"another status": {"darn", `{ status = "continue" }`, "status\n  want continue\n  got  replace"},
		"other data":     {"darn", `{ status = "replace", data = '{"text":"----"}' }`, "data\n  want {\"text\":\"----\"}\n  got  {\"text\":\"****\"}"},
		"no data":        {"a", `{ status = "continue", data = "x" }`, "data\n  want x\n  got  nothing"},
		"a message":      {"pills", `{ status = "deny", message = "no" }`, "message\n  want no\n  got  this message is not allowed here"},
		"a code":         {"pills", `{ status = "deny", code = 4009 }`, "code\n  want 4009\n  got  0"},
		"no failure":     {"a", `{ failure = "deadline" }`, "failure\n  want deadline\n  got  none; status continue"},
		"too much fuel":  {"darn", `{ status = "replace", fuel_max = 1 }`, "fuel_max\n  want 1\n  got  "},
		"no log":         {"darn", `{ status = "replace", log = ["redacted"] }`, "log\n  want redacted\n  got  "},
		"no publication": {"darn", `{ status = "replace", publish = [{ channel = "a", event = "b", data = "c" }] }`, "publish\n  want a b c\n  got  "},
		"nothing kept":   {"darn", `{ status = "replace", kv = { n = 1 } }`, "kv n\n  want 1\n  got  nothing"},
	} {
		got := run(t, moderation, strings.Replace(message, "TEXT", c.text, 1)+c.want)
		if c.wrong == "" && !got.OK() || c.wrong != "" && (len(got.Wrong) != 1 || !strings.HasPrefix(got.Wrong[0], c.wrong)) {
			t.Errorf("%s: got %q, want %q", name, got.Wrong, c.wrong)
		}
	}
}

func TestPluginThatDoesNotStart(t *testing.T) {
	const text = "[[case]]\nname = \"a\"\nhook = \"on_message\"\nwant = "
	if got := run(t, schema, text+`{ failure = "config needs a table events" }`); !got.OK() {
		t.Errorf("got %q, want no difference", got.Wrong)
	}
	got := run(t, schema, text+`{ status = "continue" }`)
	if len(got.Wrong) != 1 || !strings.Contains(got.Wrong[0], "the plugin fails: ") {
		t.Errorf("got %q, want that the plugin fails", got.Wrong)
	}
}

func TestCapabilitiesAreThoseOfTheSuite(t *testing.T) {
	got := run(t, enrich, "defaults.capabilities = [\"log\"]\n[[case]]\nname = \"a\"\nhook = \"on_message\"\nwant = { failure = 'add \"clock\" to its capabilities' }\n")
	if !got.OK() {
		t.Errorf("got %q, want no difference", got.Wrong)
	}
}

func TestTheSameCaseUsesTheSameFuel(t *testing.T) {
	var used []int64
	for range 3 {
		got := run(t, moderation, strings.Replace(message, "TEXT", "darn", 1)+`{ status = "replace" }`)
		used = append(used, got.Fuel)
	}
	if used[0] <= 0 || slices.Max(used) != slices.Min(used) {
		t.Errorf("got %v, want the same three times", used)
	}
}

func TestClockStandsWhereTheCaseSays(t *testing.T) {
	got := run(t, enrich, `
[defaults]
now = "2026-01-02T03:04:05Z"
[[case]]
name = "a"
hook = "on_message"
now = "2026-01-02T03:04:06Z"
event = { event = "client-a", data = '{}', user_id = "u" }
want = { status = "replace", data = '{"server_ts":1767323046000,"user_id":"u"}' }
`)
	if !got.OK() {
		t.Errorf("got %q, want no difference", got.Wrong)
	}
}

func TestFindWantsFiles(t *testing.T) {
	if _, err := plugintest.Find(filepath.Join(t.TempDir(), "*.toml")); err == nil {
		t.Error("got no error for a pattern that matches nothing")
	}
}
