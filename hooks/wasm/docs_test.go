package wasm

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// The plugin that docs/abi.md shows, for strangers to begin with, does what the
// page says it does.
func TestTheGuestOfTheDocs(t *testing.T) {
	p := loadWith(t, assemble(t, docsGuest(t)), small())
	for name, c := range map[string]struct {
		event hooks.Event
		want  abi.Status
	}{
		"data that begins with x is denied":  {hooks.Event{Data: "xyzzy", HasData: true}, abi.Deny},
		"a lone x is denied":                 {hooks.Event{Data: "x", HasData: true}, abi.Deny},
		"an x further on is not looked at":   {hooks.Event{Data: "axe", HasData: true}, abi.Continue},
		"empty data goes on":                 {hooks.Event{HasData: true}, abi.Continue},
		"an event without data goes on":      {hooks.Event{}, abi.Continue},
		"an x in another field is no matter": {hooks.Event{App: "x", Channel: "x", Name: "x", Data: "a", HasData: true}, abi.Continue},
	} {
		t.Run(name, func(t *testing.T) {
			var v hooks.Verdict
			if err := p.Call(t.Context(), abi.OnMessage, &c.event, &v); err != nil || v.Status != c.want {
				t.Errorf("got %v and error %v, want %v", v.Status, err, c.want)
			}
		})
	}
}

// docsGuest returns the first module of the page, as text.
func docsGuest(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```wat\n")
	wat, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/abi.md shows no module")
	}
	return wat
}

// assemble makes a module of its text.
func assemble(t *testing.T, wat string) []byte {
	t.Helper()
	assembler, err := exec.LookPath("wat2wasm")
	if err != nil {
		if os.Getenv("REVURB_REQUIRE_ALL") == "1" {
			t.Fatal("wat2wasm is not installed (Debian: apt-get install wabt)")
		}
		t.Skip("wat2wasm is not installed (Debian: apt-get install wabt)")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "guest.wat"), filepath.Join(dir, "guest.wasm")
	if err := os.WriteFile(in, []byte(wat), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), assembler, "-o", out, in).CombinedOutput(); err != nil {
		t.Fatalf("wat2wasm: %v\n%s", err, said)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}
