package core_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/revurb/revurb/"

// floors are the packages of the server, from the ground up. A package imports
// only what is on a floor below its own. A new package goes on the lowest floor
// that it can.
var floors = [][]string{
	{"core/protocol", "core/frame", "core/auth", "core/metrics", "core/limit", "core/wheel", "hooks/abi", "hooks/kv"},
	{"core/app", "core/channel", "hooks", "hooks/fuel"},
	{"core/broker", "core/presence", "core/user", "core/cache", "core/occupancy", "core/webhook", "hooks/wasm"},
	{"core/hub", "core/redis", "hooks/loader"},
	{"core/conn", "core/api"},
	{"core/websocket"},
	{"core/config"},
	{"core/listen", "core/admin"},
	{"core/server"},
	{"core", "cmd/revurb"},
}

// homes are the packages that may import a third-party module: one each, so
// that there is one place to look when it changes, or goes.
var homes = map[string]string{
	"github.com/agext/levenshtein":  "core/config",
	"github.com/fsnotify/fsnotify":  "core/listen",
	"github.com/knadh/koanf":        "core/config",
	"github.com/pelletier/go-toml":  "core/config",
	"github.com/lmittmann/tint":     "cmd/revurb",
	"github.com/lxzan/gws":          "core/websocket",
	"github.com/prometheus":         "core/metrics",
	"github.com/redis/go-redis":     "core/redis",
	"github.com/spf13":              "cmd/revurb",
	"github.com/tetratelabs/wazero": "hooks/wasm",
	"golang.org/x/term":             "cmd/revurb",
	"golang.org/x/time":             "core/limit",
}

func TestFloors(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "../core/...", "../hooks/...", "../cmd/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(strings.TrimSpace(line), " ")
		pkg = strings.TrimPrefix(pkg, module)
		if strings.HasSuffix(pkg, "test") { // brokertest, presencetest
			continue
		}
		here := floor(pkg)
		if here < 0 {
			t.Errorf("%s is on no floor", pkg)
		}
		for imp := range strings.FieldsSeq(imports) {
			if in, ok := strings.CutPrefix(imp, module); ok {
				if floor(in) >= here {
					t.Errorf("%s, on floor %d, imports %s, on floor %d", pkg, here, in, floor(in))
				}
				continue
			}
			if !strings.Contains(strings.Split(imp, "/")[0], ".") {
				continue // the standard library
			}
			if home := homeOf(imp); home == "" {
				t.Errorf("%s imports %s, which has no home yet", pkg, imp)
			} else if home != pkg {
				t.Errorf("%s imports %s, whose home is %s", pkg, imp, home)
			}
		}
	}
}

func floor(pkg string) int {
	return slices.IndexFunc(floors, func(f []string) bool { return slices.Contains(f, pkg) })
}

func homeOf(imp string) string {
	for lib, home := range homes {
		if imp == lib || strings.HasPrefix(imp, lib+"/") {
			return home
		}
	}
	return ""
}
