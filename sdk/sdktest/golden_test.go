package sdktest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/fuel"
)

// build builds a guest in Go and returns its code.
func build(t testing.TB, dir string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", dir, err, b)
	}
	return readFile(t, out)
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func compile(t testing.TB, wasm []byte) *Guest {
	t.Helper()
	g, err := Compile(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close(context.Background()) })
	return g
}

// guests returns the code of every golden guest that there is: the one in Go is
// built, the others are in the repository.
func guests(t *testing.T) map[string][]byte {
	all := map[string][]byte{"go": build(t, "../testdata/guests/go")}
	files, err := filepath.Glob("../testdata/guests/*/*.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		all[filepath.Base(filepath.Dir(f))] = readFile(t, f)
	}
	return all
}

func TestGolden(t *testing.T) {
	vectors, err := ReadVectors("../testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	for language, wasm := range guests(t) {
		t.Run(language, func(t *testing.T) {
			g := compile(t, wasm)
			for _, v := range vectors {
				if err := v.Check(t.Context(), g); err != nil {
					t.Errorf("%s: %v", v.Name, err)
				}
			}
		})
	}
}

func TestGuestsImportOnlyWhatTheyUse(t *testing.T) {
	for dir, want := range map[string][]string{
		"../../plugins/examples/jwt-auth": {"config_get", "hmac_sha256", "now_ms"},
		"../../plugins/examples/quota":    {"kv_incr"},
		"../../plugins/examples/audit":    {"kv_incr", "log"},
		"../testdata/bench/go":            {"hmac_sha256"},
	} {
		m, err := fuel.Inspect(build(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range m.Imports {
			if i.Module == abi.Module {
				got = append(got, i.Name)
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s imports %v, want %v", dir, got, want)
		}
	}
}
