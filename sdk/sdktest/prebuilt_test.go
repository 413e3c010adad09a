package sdktest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// inC are the guests in C, which the repository has built.
var inC = []string{
	"../testdata/guests/c/golden",
	"../testdata/bench/c/bench",
	"../../plugins/examples/schema-guard/schema-guard",
}

func TestPrebuiltGuestsAreWhatTheirSumsSay(t *testing.T) {
	for _, path := range inC {
		sum := sha256.Sum256(readFile(t, path+".wasm"))
		want, name, _ := strings.Cut(strings.TrimSpace(string(readFile(t, path+".wasm.sha256"))), "  ")
		if got := hex.EncodeToString(sum[:]); got != want || name != filepath.Base(path)+".wasm" {
			t.Errorf("%s.wasm has the sum %s, want %s of %s; build it with sdk/c/build.sh and write its sum", path, got, want, name)
		}
	}
}

func TestPrebuiltGuestsAreBuiltFromTheirSource(t *testing.T) {
	out, err := exec.Command("clang-22", "--version").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("version 22.")) {
		if os.Getenv("REVURB_REQUIRE_ALL") == "1" {
			t.Fatal("clang-22 is not installed: install clang-22 and lld-22")
		}
		t.Skip("clang-22 is not installed")
	}
	for _, path := range inC {
		built := filepath.Join(t.TempDir(), "guest.wasm")
		if b, err := exec.Command("../c/build.sh", path+".c", built).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", path, err, b)
		}
		if !bytes.Equal(readFile(t, built), readFile(t, path+".wasm")) {
			t.Errorf("%s.wasm is not what its source builds; build it again", path)
		}
	}
}
