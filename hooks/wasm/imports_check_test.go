package wasm

import (
	"strings"
	"testing"

	"github.com/revurb/revurb/hooks/abi"
)

func TestMissing(t *testing.T) {
	for _, c := range []struct {
		name string
		i    imported
		g    Grants
		want string // "" is nothing
	}{
		{"granted", imported{abi.Module, "kv_get", true, "iiii", "i"}, Grants{KV: true}, ""},
		{"for everyone", imported{abi.Module, "ctx_get", true, "iii", "i"}, Grants{}, ""},
		{"WASI", imported{wasiModule, "fd_write", true, "iiii", "i"}, Grants{}, ""},
		{"not granted", imported{abi.Module, "kv_get", true, "iiii", "i"}, Grants{Log: true}, `kv_get, which it is not granted; add "kv" to its capabilities`},
		{"no channels", imported{abi.Module, "publish", true, "ii", "i"}, Grants{KV: true}, `add "publish:CHANNEL" to its capabilities`},
		{"unknown", imported{abi.Module, "http_fetch", true, "ii", "i"}, all, "http_fetch, which this server does not have; it has log, "},
		{"the host's own", imported{abi.Module, abi.Yield, true, "", ""}, all, "yield, which this server does not have"},
		{"unknown of WASI", imported{wasiModule, "fd_dance", true, "i", "i"}, all, "wasi_snapshot_preview1.fd_dance, which"},
		{"not a function", imported{abi.Module, "log", false, "", ""}, all, "log, which this server does not have"},
		{"another type", imported{abi.Module, "now_ms", true, "i", "i"}, all, "now_ms as (i32) -> i32; it is () -> i64"},
		{"another module", imported{"env", "abort", true, "iiii", ""}, all, "env.abort; a plugin can import from"},
	} {
		err := missing([]imported{{abi.Module, "ctx_get", true, "iii", "i"}, c.i}, c.g)
		switch {
		case err == nil && c.want != "", err != nil && c.want == "":
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		case err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: got %q, want %q", c.name, err, c.want)
		}
	}
}
