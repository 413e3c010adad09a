package conformance_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/targets"
	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/server"
)

var seed = flag.Uint64("seed", 0, "run the cases in another order; 0 is that of the protocol")

// patience is how long a case waits for what is to come, and limit how long it may
// take. Only what hangs takes so long, however busy the machine is.
const (
	patience = 30 * time.Second
	limit    = 5 * time.Minute
)

// TestMain runs more cases at a time than there are processors: they wait for
// the network more than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", "8") // the flag exists
	}
	os.Exit(m.Run())
}

// TestConformance holds our own server to every case, in both dialects.
func TestConformance(t *testing.T) {
	for _, d := range []conformance.Dialect{conformance.Pusher, conformance.Reverb} {
		t.Run(string(d), func(t *testing.T) {
			r := conformance.Runner{Target: startServer(t, d), Limit: limit}
			cases := conformance.All()
			if *seed != 0 {
				random := rand.New(rand.NewPCG(*seed, 0))
				random.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
			}
			var alone sync.RWMutex // held for writing by a case that needs the app to itself
			var left []string
			for _, c := range cases {
				if !asked(&r.Target, &c) {
					left = append(left, c.ID)
					continue
				}
				t.Run(c.ID, func(t *testing.T) {
					t.Parallel()
					if c.Serial {
						alone.Lock()
						defer alone.Unlock()
					} else {
						alone.RLock()
						defer alone.RUnlock()
					}
					judge(t, r.One(t.Context(), &c))
				})
			}
			left = slices.DeleteFunc(left, func(id string) bool { // conformance/cluster has nodes to ask
				return strings.HasPrefix(id, "CLU-") || strings.HasPrefix(id, "cluster.")
			})
			slices.Sort(left)
			if want := slices.Sorted(maps.Keys(leftOut[d])); !slices.Equal(left, want) {
				t.Errorf("left out are %q, want %q: say why, or have the server able to", left, want)
			}
		})
	}
}

// leftOut are the cases that are asked of our server in one dialect only, or
// elsewhere, and why.
var leftOut = map[conformance.Dialect]map[string]string{
	conformance.Pusher: {
		"CON-24": "in the dialect of Reverb, where the server has a path prefix",
		"HA-18":  "in the dialect of Reverb, where the server has a path prefix",
		"WHK-12": "TestBatchedWebhooks",
	},
	conformance.Reverb: {
		"WHK-12":  "TestBatchedWebhooks",
		"CEV-05":  "Reverb takes client events on public channels",
		"CEV-08":  "Reverb limits no client events",
		"CON-16":  "Reverb limits no client events",
		"PRES-13": "Reverb limits no presence channels",
		"PRES-14": "Reverb limits no presence channels",
		"PRES-15": "Reverb limits no presence channels",
		"HE-18":   "Reverb has no deprecated endpoints",
		"HE-25":   "Reverb has no apps that are switched off",
		"HQ-04":   "Reverb leaves out what does not apply",
		"HQ-05":   "Reverb leaves out what does not apply",
		"HQ-12":   "Reverb takes any parameter",
	},
}

// asked reports whether a case means anything to the target.
func asked(target *conformance.Target, c *conformance.Case) bool {
	return c.LevelIn(target.Dialect) != conformance.NA && len(target.Lacks(c.Needs)) == 0
}

// judge has a test end as a case did. A case that was asked must not be skipped:
// its target has all that it takes.
func judge(t *testing.T, res conformance.Result) {
	t.Helper()
	switch res.Outcome {
	case conformance.Pass:
	case conformance.Skip:
		t.Errorf("skipped: %s", res.Failure.Message)
	default:
		for _, e := range res.Trace {
			t.Logf("%10s  %-8s %-2s %.300s", e.After.Round(time.Microsecond), e.Kind, e.Conn, e.Text)
		}
		t.Errorf("%s: %s\n%s\n%s\nexpected %s\nactual   %s", res.Outcome, res.Case.Title, res.Case.Requirement,
			res.Failure.Message, res.Failure.Expected, res.Failure.Actual)
	}
}

// startServer runs a server in this process, with all the apps that cases ask
// for, until the test ends.
func startServer(t *testing.T, d conformance.Dialect, changes ...func(main *app.App)) conformance.Target {
	t.Helper()
	c := config.Default()
	c.Server.Port = 0
	c.Server.DrainTimeout = 100 * time.Millisecond
	c.Server.HandshakeTimeout, c.Server.RequestTimeout = 20*time.Second, 20*time.Second // cases want them to be over after 30 s
	c.Admin.Listen = ""
	receiver, err := conformance.NewWebhookReceiver("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Webhooks.Allow = []string{"127.0.0.0/8"}
	c.WebSocket.Compression = true
	if d == conformance.Reverb { // once with a path prefix, once without
		c.Server.Path = "/prefix"
	}
	main := newApp(d, "main")
	main.Webhooks = []app.Webhook{hook(receiver.URL), hook(receiver.Only, "channel_existence")}
	for _, change := range changes {
		change(&main)
	}
	c.Apps = app.List{main}
	apps := map[conformance.Fixture]conformance.Credentials{}
	for f, change := range fixtures {
		a := newApp(d, string(f))
		if f == conformance.Counting { // of whose counts the backend is told, too
			a.Webhooks = main.Webhooks
		}
		change(&a)
		c.Apps = append(c.Apps, a)
		apps[f] = conformance.Credentials{ID: a.ID, Key: a.Key, Secret: a.Secret}
	}
	n := &node{config: c}
	if err := n.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.drain(); err != nil {
			t.Error(err)
		}
		if err := receiver.Close(); err != nil {
			t.Errorf("close webhook receiver: %v", err)
		}
	})

	description, err := targets.Load("revurb")
	if err != nil {
		t.Fatal(err)
	}
	target := description.Target(d)
	target.Capabilities = append(target.Capabilities, conformance.CapCompression)
	target.App = conformance.Credentials{ID: main.ID, Key: main.Key, Secret: main.Secret}
	target.Apps = apps
	target.Webhooks = receiver
	target.Control = n.control
	if target.HTTP, err = url.Parse(n.server.URL()); err != nil {
		t.Fatal(err)
	}
	ws := *target.HTTP
	ws.Scheme = strings.Replace(ws.Scheme, "http", "ws", 1)
	target.URLs = []*url.URL{&ws}
	target.Timeout, target.Quiet = patience, 300*time.Millisecond
	target.Settle()
	return target
}

// node is a server in this process that can be stopped and started again.
type node struct {
	config config.Config
	server *server.Server
	stop   func()
	done   chan error
}

// start starts the server, at the port that it had before.
func (n *node) start() error {
	s, err := server.New(n.config, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := s.Listen(); err != nil {
		return err
	}
	n.config.Server.Port = s.Addr().(*net.TCPAddr).Port
	ctx, stop := context.WithCancel(context.Background())
	n.server, n.stop, n.done = s, stop, make(chan error, 1)
	go func() {
		_, err := s.Serve(ctx)
		n.done <- err
	}()
	return nil
}

// drain stops it as an operator does, and waits for that.
func (n *node) drain() error {
	n.stop()
	return <-n.done
}

func (n *node) control(verb string, _ int) error {
	do, ok := map[string]func() error{"start": n.start, "drain": n.drain}[verb]
	if !ok {
		return fmt.Errorf("there is no %q", verb)
	}
	return do()
}

// hook is a webhook of all events, or of those named.
func hook(url string, events ...string) app.Webhook {
	w := app.DefaultWebhook
	w.URL, w.Events = url, events
	return w
}

// TestBatchedWebhooks holds a server that sends several events at a time to the
// cases of webhooks.
func TestBatchedWebhooks(t *testing.T) {
	target := startServer(t, conformance.Pusher, func(main *app.App) {
		for i := range main.Webhooks {
			main.Webhooks[i].Batch = true
		}
	})
	target.Capabilities = slices.DeleteFunc(target.Capabilities, func(c conformance.Capability) bool {
		return c == conformance.CapUnbatchedWebhooks
	})
	target.Capabilities = append(target.Capabilities, conformance.CapBatchedWebhooks)
	r := conformance.Runner{Target: target, Limit: limit}
	for _, c := range conformance.All() {
		if !strings.HasPrefix(c.ID, "WHK-") || !asked(&target, &c) {
			continue // WHK-11 is asked where nothing is batched
		}
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			judge(t, r.One(t.Context(), &c))
		})
	}
}

func newApp(d conformance.Dialect, name string) app.App {
	a := app.Default(protocol.Dialect(d))
	a.ID, a.Key, a.Secret = name+"-id", name+"-key", name+"-secret-canary"
	return a
}

// fixtures are what is special about the further apps of a target.
var fixtures = map[conformance.Fixture]func(*app.App){
	conformance.Second:         func(*app.App) {},
	conformance.Quota:          func(a *app.App) { a.MaxConnections = 2 },
	conformance.Disabled:       func(a *app.App) { a.Enabled = false },
	conformance.NoClientEvents: func(a *app.App) { a.ClientEvents = app.FromNone },
	conformance.ShortLived: func(a *app.App) {
		a.PingInterval, a.PongTimeout, a.CacheTTL = time.Second, time.Second, 2*time.Second
	},
	conformance.Counting:    func(a *app.App) { a.SubscriptionCount = true },
	conformance.NoWatchlist: func(a *app.App) { a.Watchlist = false },
	conformance.AuthorizedOnly: func(a *app.App) {
		a.AuthorizedConnectionsOnly, a.AuthorizationTimeout = true, 2*time.Second
	},
	conformance.TLSOnly: func(a *app.App) { a.TLSOnly = true },
	conformance.Strict:  func(a *app.App) { a.StrictProtocol = true },
	conformance.Origins: func(a *app.App) { a.AllowedOrigins = []string{"allowed.example", "*.allowed.example"} },
}
