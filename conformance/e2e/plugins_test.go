package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// plugins puts the plugins that the scenarios use into a directory, compiled
// already, and tells them with an environment variable.
func plugins(t *testing.T) (env string) {
	t.Helper()
	dir, err := filepath.Abs(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	compile := []string{"run", "./conformance/e2e/testdata/compile", filepath.Join(dir, "cache")}
	for name, source := range map[string]string{
		"jwt-auth": "plugins/examples/jwt-auth",
		"quota":    "plugins/examples/quota",
		"audit":    "plugins/examples/audit",
		"door":     "conformance/e2e/testdata/door",
	} {
		file := filepath.Join(dir, name+".wasm")
		goTool(t, []string{"GOOS=wasip1", "GOARCH=wasm"}, "build", "-buildmode=c-shared", "-o", file, "./"+source)
		compile = append(compile, file)
	}
	for _, name := range []string{"moderation", "enrich"} {
		wasm, err := os.ReadFile(filepath.Join(root, "plugins/examples", name, name+".wasm"))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name+".wasm")
		if err := os.WriteFile(file, wasm, 0o600); err != nil {
			t.Fatal(err)
		}
		compile = append(compile, file)
	}
	goTool(t, nil, compile...)
	return "REVURB_PLUGINS=" + dir
}

// goTool runs the go command at the top of the repository.
func goTool(t *testing.T, env []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}
