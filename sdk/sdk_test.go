package sdk_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/plugintest"
	"github.com/revurb/revurb/sdk"
)

// TestWhatIsBegunWorks builds a plugin with every hook in each language, and runs
// the cases that it begins with.
func TestWhatIsBegunWorks(t *testing.T) {
	for _, language := range sdk.Languages() {
		t.Run(language, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "guard")
			var all []abi.Hook
			for h := range abi.Hooks {
				all = append(all, h)
			}
			if err := (sdk.Project{Name: "guard", Language: language, Hooks: all}).Write(dir); err != nil {
				t.Fatal(err)
			}
			if language == "assemblyscript" {
				npm(t, dir)
			}
			s, err := sdk.Detect(dir)
			if err != nil {
				t.Fatal(err)
			}
			if s.Language != language || s.Name != "guard" {
				t.Errorf("detected %s in %s, want guard in %s", s.Name, s.Language, language)
			}
			var log bytes.Buffer
			if err := s.Build(t.Context(), s.Output(), &log); err != nil {
				if strings.Contains(err.Error(), "install ") {
					missing(t, err.Error())
				}
				t.Fatalf("%v\n%s", err, log.String())
			}
			plugintest.Test(t, s.Output())
		})
	}
}

func TestGoThatIsBegunIsFormatted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "guard")
	if err := (sdk.Project{Name: "guard", Language: "go", Hooks: []abi.Hook{abi.Authorize, abi.OnMessage, abi.Tick}}).Write(dir); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("gofmt", "-l", dir).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("gofmt -l: %s %v, want nothing", out, err)
	}
}

func npm(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefer-offline")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		missing(t, "npm install: "+err.Error()+"\n"+string(out))
	}
}

// missing skips a test for which a toolchain is not there, unless all have to be.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("REVURB_REQUIRE_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func TestWriteReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	err := (sdk.Project{Name: "guard", Language: "c", Hooks: []abi.Hook{abi.Tick}}).Write(dir)
	if err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("got %v, want that the folder is there already", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("wrote %v all the same", left)
	}
}

func TestNamesThatAreNone(t *testing.T) {
	for _, name := range []string{"", "Guard", "../guard", "1st", "a b"} {
		err := (sdk.Project{Name: name, Language: "c"}).Write(filepath.Join(t.TempDir(), "x"))
		if err == nil || !strings.Contains(err.Error(), "is no name for a plugin") {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestParseLanguage(t *testing.T) {
	for name, want := range map[string]string{"go": "go", "as": "assemblyscript", "ts": "assemblyscript", "rs": "rust", "c": "c"} {
		if got, err := sdk.ParseLanguage(name); got != want || err != nil {
			t.Errorf("%s: got %s %v, want %s", name, got, err, want)
		}
	}
	if _, err := sdk.ParseLanguage("cobol"); err == nil || !strings.Contains(err.Error(), "want one of go, assemblyscript, rust, c") {
		t.Errorf("got %v, want the languages that there are", err)
	}
}

func TestDetectSaysWhatItWants(t *testing.T) {
	dir := t.TempDir()
	if _, err := sdk.Detect(dir); err == nil || !strings.Contains(err.Error(), "has no plugin") {
		t.Errorf("got %v, want that there is no plugin", err)
	}
	for _, f := range []string{"a.c", "b.c"} {
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sdk.Detect(dir); err == nil || !strings.Contains(err.Error(), "which is the plugin") {
		t.Errorf("got %v, want that there are two", err)
	}
	if !slices.Contains(sdk.Languages(), "go") {
		t.Error("there is no Go")
	}
}
