package fuel_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/revurb/revurb/hooks/fuel"
)

// corpus returns the folder of the specification's tests, which comes with the
// engine.
func corpus(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
}

// files returns all files in the corpus that end in suffix, at least so many.
func files(tb testing.TB, suffix string, least int) (paths []string) {
	tb.Helper()
	err := filepath.WalkDir(corpus(tb), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, suffix) {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) < least {
		tb.Fatalf("found %d files, %v, want at least %d", len(paths), err, least)
	}
	return paths
}

// features are those of the server, and two more that the rewriter takes.
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst

// valid is the engine's opinion of a module.
func valid(ctx context.Context, rt wazero.Runtime, wasm []byte) error {
	m, err := rt.CompileModule(ctx, wasm)
	if err == nil {
		_ = m.Close(ctx)
	}
	return err
}

// beyond are the proposals that no guest may use. Some of their modules are
// valid without them in the eyes of the engine.
var beyond = []string{"threads", "typed-function-references", "exception-handling"}

// proposal is the part of the corpus that a file belongs to.
func proposal(path string) string { return filepath.Base(filepath.Dir(filepath.Dir(path))) }

func TestCorpusStaysValid(t *testing.T) {
	ctx := t.Context()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
	defer rt.Close(ctx)
	kept, refused := 0, 0
	for _, path := range files(t, ".wasm", 5000) {
		wasm, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if valid(ctx, rt, wasm) != nil {
			// The host looks at a guest first, and refuses this one. The
			// rewriter must live through it all the same.
			_, _ = fuel.Instrument(wasm, fuel.Options{})
			_, _ = fuel.Inspect(wasm)
			continue
		}
		out, err := fuel.Instrument(wasm, fuel.Lax(fuel.Options{}))
		if err != nil {
			refused++
			if !slices.Contains(beyond, proposal(path)) {
				t.Errorf("%s: refused: %v", path, err)
			}
			continue
		}
		kept++
		if err := valid(ctx, rt, out); err != nil {
			t.Errorf("%s: not valid anymore: %v", path, err)
		}
		if _, err := fuel.Inspect(wasm); err != nil && !slices.Contains(beyond, proposal(path)) {
			t.Errorf("%s: inspect: %v", path, err)
		}
	}
	t.Logf("%d valid modules stay valid, %d of other proposals are refused", kept, refused)
	if kept < 2500 {
		t.Errorf("only %d modules were looked at", kept)
	}
}
