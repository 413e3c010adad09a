package wasm

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// buildGuest compiles a guest in testdata with the plain Go toolchain.
func buildGuest(t testing.TB, name string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), name+".wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-o", out, "./testdata/"+name)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, said)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// What kills a program of Go is an error of the call, and what it says is in
// the log.
func TestGoGuestsMisbehave(t *testing.T) {
	wasm, cache := buildGuest(t, "misbehave"), t.TempDir()
	for _, c := range []struct {
		hook abi.Hook
		log  string
	}{
		{abi.OnMessage, "panic: out of ideas"},
		{abi.Authorize, "nil pointer dereference"},
		{abi.OnSignin, "deadlock"},
		{abi.OnConnect, ""},
	} {
		log, out := logged(slog.LevelInfo)
		o := small()
		o.CacheDir = cache
		o.Host.Log, o.Grants.Log = log, true
		p := loadWith(t, wasm, o)
		var v hooks.Verdict
		err := p.Call(t.Context(), c.hook, &event, &v)
		if err == nil || !strings.Contains(out.String(), c.log) {
			t.Errorf("%v: got %v, logged %q, want an error, and %q", c.hook, err, out, c.log)
		}
		var exit *ExitError
		if c.hook == abi.OnConnect && !errors.As(err, &exit) {
			t.Errorf("%v: got %v, want an ExitError", c.hook, err)
		}
	}
}

func TestGoGuestsSeeNothingOfTheMachine(t *testing.T) {
	log, out := logged(slog.LevelInfo)
	o := small()
	o.Host.Log, o.Grants.Log = log, true
	p := loadWith(t, buildGuest(t, "misbehave"), o)
	var v hooks.Verdict
	if err := p.Call(t.Context(), abi.OnSubscribe, &event, &v); err != nil || v.Status != abi.Allow {
		t.Errorf("got %v, %v", v.Status, err)
	}
	if want := "env [GOGC=25], args 0, read true, create true, slept 1h0m0s"; !strings.Contains(out.String(), want) {
		t.Errorf("got %q, want %q", out, want)
	}
}
