package sdktest

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"
)

// Guests that are checked in as they were built are what they were then. That
// their sources still build them is for sdk/rebuild to say, where there are the
// compilers for it.
func TestPrebuiltGuestsAreWhatTheirSumsSay(t *testing.T) {
	var sums []string
	for _, pattern := range []string{"../testdata/*/*/*.wasm.sha256", "../../plugins/examples/*/*.wasm.sha256"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, found...)
	}
	if len(sums) < 9 {
		t.Fatalf("found %v", sums)
	}
	for _, path := range sums {
		guest := strings.TrimSuffix(path, ".sha256")
		sum := sha256.Sum256(readFile(t, guest))
		want, name, _ := strings.Cut(strings.TrimSpace(string(readFile(t, path))), "  ")
		if got := hex.EncodeToString(sum[:]); got != want || name != filepath.Base(guest) {
			t.Errorf("%s has the sum %s, want %s of %s; build it with sdk/rebuild --update", guest, got, want, name)
		}
	}
}
