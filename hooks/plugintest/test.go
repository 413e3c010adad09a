package plugintest

import (
	"path/filepath"
	"strings"
	"testing"
)

// Test runs the cases of the files that match patterns, each as a test of its
// own. Without patterns those are cases/*.toml beside the plugin.
func Test(t *testing.T, wasm string, patterns ...string) {
	t.Helper()
	if len(patterns) == 0 {
		patterns = []string{filepath.Join(filepath.Dir(wasm), "cases", "*.toml")}
	}
	paths, err := Find(patterns...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	for _, path := range paths {
		s, err := Read(path)
		if err != nil {
			t.Error(err)
			continue
		}
		for i := range s.Cases {
			t.Run(s.Cases[i].Name, func(t *testing.T) {
				result, err := r.Run(t.Context(), s, &s.Cases[i])
				if err != nil {
					t.Fatal(err)
				}
				if !result.OK() {
					t.Errorf("%s\nlog: %s", strings.Join(result.Wrong, "\n"), strings.Join(result.Got.Log, "\n     "))
				}
			})
		}
	}
}
