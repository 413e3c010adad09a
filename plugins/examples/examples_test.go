// Package examples_test holds the examples against what they promise. It runs
// the command, as who tries an example does, and not the packages below it: to
// compile a guest of Go takes a race detector ten seconds.
package examples_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// revurb is the command, which TestMain builds.
var revurb string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "revurb-examples-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		revurb = filepath.Join(dir, "revurb")
		if out, err := exec.Command("go", "build", "-o", revurb, "../../cmd/revurb").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build revurb: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// TestCases runs the cases of every example in the host that the server has.
func TestCases(t *testing.T) {
	dirs, err := filepath.Glob("*/cases")
	if err != nil || len(dirs) < 6 {
		t.Fatalf("got %d examples with cases, %v; want 6 or more", len(dirs), err)
	}
	for _, dir := range dirs {
		dir = filepath.Dir(dir)
		t.Run(dir, func(t *testing.T) {
			out, err := exec.Command(revurb, "plugin", "test", plugin(t, dir), filepath.Join(dir, "cases", "*.toml")).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// plugin returns the file of an example: one that is built of Go, or the one in
// the repository.
func plugin(t *testing.T, dir string) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "main.go")); err != nil {
		return filepath.Join(dir, dir+".wasm")
	}
	out := filepath.Join(t.TempDir(), dir+".wasm")
	cmd := exec.Command(revurb, "plugin", "build", dir, "--output", out)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", dir, err, b)
	}
	return out
}
