package targets_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/targets"
)

func TestEmbedded(t *testing.T) {
	for _, name := range targets.Names() {
		t.Run(name, func(t *testing.T) {
			d, err := targets.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			if d.Name != name {
				t.Errorf("got name %q", d.Name)
			}
			if (d.Source == "run") != (name == "revurb") {
				t.Errorf("source is %q; only revurb is from a run", d.Source)
			}
			for _, c := range conformance.Claims {
				if _, ok := d.Capabilities[string(c.Capability)]; ok == c.Capability.Found() {
					t.Errorf("capability %s: in the file %t, found out at each run %t", c.Capability, ok, c.Capability.Found())
				}
			}
			all := conformance.All()
			for _, k := range d.Known {
				known := func(c conformance.Case) bool { return conformance.Match(k.ID, c.ID) }
				if !slices.ContainsFunc(all, known) {
					t.Errorf("known-failing %s matches no case", k.ID)
				}
			}
		})
	}
}

// A dialect changes what the file says of it, and no more.
func TestDialects(t *testing.T) {
	d, err := targets.Load("revurb")
	if err != nil {
		t.Fatal(err)
	}
	p, r := d.Target(conformance.Pusher), d.Target(conformance.Reverb)
	if !p.Has(conformance.CapMemberLimits) || p.Limits.UserID != 128 {
		t.Errorf("pusher: got %v, %+v; want member limits", p.Capabilities, p.Limits)
	}
	if r.Has(conformance.CapMemberLimits) || r.Limits.UserID != 0 || r.Limits.EventName != 200 {
		t.Errorf("reverb: got %v, %+v; want no member limits, and all others", r.Capabilities, r.Limits)
	}
}

func TestFile(t *testing.T) {
	const head = "name = \"x\"\ndialect = \"pusher\"\nsource = \"run\"\n"
	tests := map[string]struct{ text, problem string }{
		"everything": {head + `
urls = ["ws://a"]
http = "http://b"
[app]
id = "1"
key = "k"
secret = "s"
[apps.second]
id = "2"
key = "k2"
secret = "s2"
[capabilities]
presence = true
[[known-failing]]
id = "CON-*"
reason = "it does not connect"
`, ""},
		"a key that does not exist":        {head + "nmae = 1", "nmae"},
		"a capability that does not exist": {head + "[capabilities]\npresense = true", `unknown capability "presense"`},
		"an app that does not exist":       {head + "[apps.third]\nid = \"1\"", `unknown app "third"`},
		"no dialect":                       {"name = \"x\"\nsource = \"run\"", "must be pusher or reverb"},
		"no source":                        {"name = \"x\"\ndialect = \"pusher\"", "must be run or documents"},
		"no name":                          {"dialect = \"pusher\"", "name is missing"},
		"a failure without a reason":       {head + "[[known-failing]]\nid = \"CON-01\"", "needs an id and a reason"},
		"no TOML":                          {"name = ", "x.toml"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.toml")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			d, err := targets.Load(file)
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Errorf("got %v, want an error with %q", err, test.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := d.Target(conformance.Pusher)
			if got.App.Secret != "s" || got.Apps[conformance.Second].Key != "k2" || !got.Has(conformance.CapPresence) {
				t.Errorf("got %+v", got)
			}
			if d.KnownIn(conformance.Pusher)["CON-*"] == "" {
				t.Error("the known failure is lost")
			}
		})
	}
	if _, err := targets.Load("nobody"); err == nil || !strings.Contains(err.Error(), "reverb, revurb") {
		t.Errorf("got %v, want an error that names what there is", err)
	}
}

func TestParseURLs(t *testing.T) {
	var target conformance.Target
	if err := targets.ParseURLs(&target, []string{"wss://a:1/ws/", "wss://b:1"}, ""); err != nil {
		t.Fatal(err)
	}
	if got := target.HTTP.String(); got != "https://a:1/ws" {
		t.Errorf("got HTTP API %s", got)
	}
	target.Settle()
	if !target.Has(conformance.CapPathPrefix) || !target.Has(conformance.CapMultiNode) {
		t.Errorf("got %v, want the prefix and the nodes seen", target.Capabilities)
	}
	for _, bad := range []string{"http://a", "a:80", "ws://", "%"} {
		if err := targets.ParseURLs(&target, []string{bad}, ""); err == nil {
			t.Errorf("%s is taken for the URL of a server", bad)
		}
	}
}
