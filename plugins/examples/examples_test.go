// Package examples_test holds the examples against what they promise.
package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/revurb/revurb/hooks/plugintest"
)

// TestCases runs the cases of every example in the host that the server has.
func TestCases(t *testing.T) {
	dirs, err := filepath.Glob("*/cases")
	if err != nil || len(dirs) < 6 {
		t.Fatalf("got %d examples with cases, %v; want 6 or more", len(dirs), err)
	}
	for _, dir := range dirs {
		dir = filepath.Dir(dir)
		t.Run(dir, func(t *testing.T) {
			plugintest.Test(t, plugin(t, dir), filepath.Join(dir, "cases", "*.toml"))
		})
	}
}

// plugin returns the file of an example: the one in the repository, or one that
// is built of Go.
func plugin(t *testing.T, dir string) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "main.go")); err != nil {
		return filepath.Join(dir, dir+".wasm")
	}
	out := filepath.Join(t.TempDir(), dir+".wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "./"+dir)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", dir, err, b)
	}
	return out
}
