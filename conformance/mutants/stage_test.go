package mutants

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/core/api"
	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/server"
	"github.com/revurb/revurb/core/user"
	"github.com/revurb/revurb/core/webhook"
	"github.com/revurb/revurb/core/websocket"
	"github.com/revurb/revurb/core/wheel"
)

// mainApp is the app of the target, which is no fixture.
const mainApp conformance.Fixture = "main"

// fixtures are the apps that the server has, and what is special about them.
var fixtures = map[conformance.Fixture]func(*app.App){
	mainApp:                    func(*app.App) {},
	conformance.Second:         func(*app.App) {},
	conformance.Quota:          func(a *app.App) { a.MaxConnections = 2 },
	conformance.Disabled:       func(a *app.App) { a.Enabled = false },
	conformance.NoClientEvents: func(a *app.App) { a.ClientEvents = app.FromNone },
	conformance.ShortLived: func(a *app.App) {
		a.PingInterval, a.PongTimeout, a.CacheTTL = time.Second, time.Second, 2*time.Second
	},
	conformance.TLSOnly: func(a *app.App) { a.TLSOnly = true },
	conformance.Strict:  func(a *app.App) { a.StrictProtocol = true },
	conformance.Origins: func(a *app.App) { a.AllowedOrigins = []string{"allowed.example", "*.allowed.example"} },

	conformance.Counting:    func(a *app.App) { a.SubscriptionCount = true },
	conformance.NoWatchlist: func(a *app.App) { a.Watchlist = false },
	conformance.AuthorizedOnly: func(a *app.App) {
		a.AuthorizedConnectionsOnly, a.AuthorizationTimeout = true, 2*time.Second
	},
}

func credentialsOf(f conformance.Fixture) conformance.Credentials {
	return conformance.Credentials{ID: "id-" + string(f), Key: "key-" + string(f), Secret: "secret-" + string(f)}
}

func byID() map[string]conformance.Credentials {
	all := map[string]conformance.Credentials{}
	for f := range fixtures {
		c := credentialsOf(f)
		all[c.ID] = c
	}
	return all
}

func configuration(m *mutant, backend string) config.Config {
	c := config.Default()
	c.Server.Port = 0
	c.Server.DrainTimeout = 10 * time.Millisecond
	c.Server.HandshakeTimeout, c.Server.RequestTimeout = 20*time.Second, 20*time.Second // cases want them to be over after 30 s
	c.WebSocket.CloseTimeout = time.Second
	c.WebSocket.Compression = true
	c.Admin.Listen = ""
	c.Webhooks.Allow = []string{"127.0.0.0/8"}
	for f, special := range fixtures {
		a := app.Default(protocol.Pusher)
		cr := credentialsOf(f)
		a.ID, a.Key, a.Secret = cr.ID, cr.Key, cr.Secret
		special(&a)
		if f == mainApp || f == conformance.Counting { // of whose counts the backend is told, too
			a.Webhooks = webhooks(backend)
		}
		c.Apps = append(c.Apps, a)
	}
	if m.config != nil {
		m.config(&c)
	}
	return c
}

var discard = slog.New(slog.DiscardHandler)

// start runs m until the test ends, and returns how to reach it.
func start(t *testing.T, m *mutant) conformance.Target {
	t.Helper()
	receiver := startReceiver(t)
	c := configuration(m, startBackend(t, m, receiver))
	addr, more := "", []string(nil)
	var dial func(context.Context, *url.URL) (net.Conn, error)
	switch {
	case m.node != nil:
		addrs := startNodes(t, c, m.node)
		addr, more = addrs[0], addrs[1:]
	case m.ports != nil:
		addr = startParts(t, c, m.ports)
	default:
		addr = startServer(t, c)
	}
	if m.up != nil || m.down != nil || m.head != nil || m.answer != nil || m.http != nil || m.reads != nil || m.lax != nil || m.keep {
		p := startProxy(t, m, addr)
		addr = p.listener.Addr().String()
		if p.progress != nil {
			dial = p.progress.dial
		}
	}
	judged := target(addr)
	judged.Dial = dial
	judged.Webhooks = receiver
	for _, other := range more {
		judged.URLs = append(judged.URLs, &url.URL{Scheme: "ws", Host: other})
		judged.Capabilities = append(judged.Capabilities, conformance.CapMultiNode)
	}
	return judged
}

func startServer(t *testing.T, c config.Config) string {
	t.Helper()
	s, err := server.New(c, discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := s.Serve(ctx); err != nil {
			t.Errorf("serve: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return s.Addr().String()
}

// startParts runs a server that is put together here, with other ports than
// that of package server.
func startParts(t *testing.T, c config.Config, change func(*hub.Ports)) string {
	t.Helper()
	m, w := metrics.New(), wheel.New(time.Second)
	hooks, err := webhook.New(c.Webhooks, m, discard)
	if err != nil {
		t.Fatal(err)
	}
	ports := hub.Ports{
		Broker: new(broker.Memory), Members: new(presence.Memory), Cache: new(cache.Memory),
		Users: new(user.Memory), Occupancy: new(occupancy.Memory), Webhooks: hooks,
	}
	change(&ports)
	h, err := hub.New(ports, m, discard)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	clients := websocket.NewHandler(c.WebSocket, websocket.Deps{Apps: c.Apps, Hub: h, Metrics: m, Wheel: w, Log: discard})
	mux.Handle("GET /app/{key}", clients)
	api.New(c.API, c.Apps, h, m, discard).Register(mux, "")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: mux} //nolint:gosec // its clients are ours
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { w.Run(ctx) })
	wg.Go(func() { _ = srv.Serve(websocket.Listener(ln, c.WebSocket)) })
	t.Cleanup(func() {
		cancel()
		_ = srv.Close()
		wg.Wait()
		_ = ports.Broker.Close()
		_ = hooks.Close(ctx) // which is done
	})
	return ln.Addr().String()
}

const (
	// patience is how long a case waits that is to pass, and limit how long it
	// takes at most. Nothing needs that long that does not hang, however busy the
	// machine is.
	patience = 30 * time.Second
	limit    = 10 * time.Minute

	// timeout is how long a case waits that is to fail, mostly for what a mutant
	// does not do, and timingTimeout is the same for cases that are about time that
	// passes.
	timeout       = 2 * time.Second
	timingTimeout = 6 * time.Second
)

func target(addr string) conformance.Target {
	apps := map[conformance.Fixture]conformance.Credentials{}
	for f := range fixtures {
		if f != mainApp {
			apps[f] = credentialsOf(f)
		}
	}
	return conformance.Target{
		URLs: []*url.URL{{Scheme: "ws", Host: addr}}, HTTP: &url.URL{Scheme: "http", Host: addr},
		App: credentialsOf(mainApp), Dialect: conformance.Pusher, Apps: apps, Limits: conformance.PusherLimits,
		Capabilities: []conformance.Capability{
			conformance.CapClientEvents, conformance.CapPresence, conformance.CapCache, conformance.CapEncrypted,
			conformance.CapBatch, conformance.CapOriginCheck, conformance.CapConnections, conformance.CapSecondApp,
			conformance.CapQuotaApp, conformance.CapDisabledApp, conformance.CapShortLiveness, conformance.CapShortCache,
			conformance.CapNoClientEvents, conformance.CapTLSOnly, conformance.CapStrict, conformance.CapMemberLimits,
			conformance.CapClientEventRate, conformance.CapCompression,
			conformance.CapSignin, conformance.CapWatchlist, conformance.CapTerminate, conformance.CapSubscriptionCount,
			conformance.CapAuthorizedOnly, conformance.CapWebhooks, conformance.CapUnbatchedWebhooks, conformance.CapFilteredWebhooks,
		},
		Timeout: timeout, Quiet: 300 * time.Millisecond,
	}
}
