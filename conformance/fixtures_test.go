package conformance_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/targets"
	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
)

// TestFixtureFiles holds the files for runs by hand to what TestConformance
// does: the same apps, and the same claims.
func TestFixtureFiles(t *testing.T) {
	l, err := config.Load(config.Options{Path: "fixtures/server.toml"})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []conformance.Dialect{conformance.Pusher, conformance.Reverb} {
		t.Run(string(d), func(t *testing.T) {
			file, err := targets.Load("fixtures/" + string(d) + ".toml")
			if err != nil {
				t.Fatal(err)
			}
			got, want := file.Target(d), startServer(t, d)
			if err := targets.ParseURLs(&got, file.URLs, file.HTTP); err != nil {
				t.Fatal(err)
			}
			got.Webhooks, got.Control = want.Webhooks, want.Control // which the command line gives
			got.Settle()
			for _, claim := range conformance.Claims {
				if c := claim.Capability; got.Has(c) != want.Has(c) && c != conformance.CapPathPrefix {
					t.Errorf("%s: the file says %t", c, got.Has(c))
				}
			}
			if got.Limits != want.Limits {
				t.Errorf("got limits %+v, want %+v", got.Limits, want.Limits)
			}
			wantApp(t, l.Config.Apps, got.App, d, func(*app.App) {})
			for f, change := range fixtures {
				wantApp(t, l.Config.Apps, got.Apps[f], d, change)
			}
		})
	}
}

// TestClusterFixtureFiles holds the files of two nodes to each other, and to
// their target.
func TestClusterFixtureFiles(t *testing.T) {
	target, err := targets.Load("fixtures/cluster.toml")
	if err != nil {
		t.Fatal(err)
	}
	var urls []string
	for _, name := range []string{"a", "b"} {
		l, err := config.Load(config.Options{Path: "fixtures/cluster-" + name + ".toml"})
		if err != nil {
			t.Fatal(err)
		}
		c := l.Config
		urls = append(urls, fmt.Sprintf("ws://127.0.0.1:%d", c.Server.Port))
		if !c.Redis.Enabled() || c.Redis.Prefix != "revurb-conformance" {
			t.Errorf("node %s does not share a Redis with the other: %+v", name, c.Redis)
		}
		wantApp(t, c.Apps, conformance.Credentials(target.App), conformance.Pusher, func(*app.App) {})
	}
	if !slices.Equal(target.URLs, urls) {
		t.Errorf("the target is at %q, and the nodes at %q", target.URLs, urls)
	}
}

// wantApp finds an app among those of the server, as change makes it.
func wantApp(t *testing.T, apps app.List, c conformance.Credentials, d conformance.Dialect, change func(*app.App)) {
	t.Helper()
	got, err := apps.ByKey(t.Context(), c.Key)
	if err != nil {
		t.Errorf("app %q: %v", c.Key, err)
		return
	}
	want := newApp(d, "")
	change(&want)
	if got.ID != c.ID || got.Secret != c.Secret {
		t.Errorf("app %q has other credentials in the two files", c.Key)
	}
	if got.Dialect != want.Dialect || got.MaxConnections != want.MaxConnections || got.Enabled != want.Enabled ||
		got.ClientEvents != want.ClientEvents || got.PingInterval != want.PingInterval || got.PongTimeout != want.PongTimeout ||
		got.SubscriptionCount != want.SubscriptionCount || got.Watchlist != want.Watchlist ||
		got.AuthorizedConnectionsOnly != want.AuthorizedConnectionsOnly || got.AuthorizationTimeout != want.AuthorizationTimeout ||
		got.CacheTTL != want.CacheTTL || got.TLSOnly != want.TLSOnly || got.StrictProtocol != want.StrictProtocol ||
		len(got.AllowedOrigins) != len(want.AllowedOrigins) {
		t.Errorf("app %q is not as the cases want it", c.Key)
	}
}
