package websocket_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/websocket"
	"github.com/revurb/revurb/core/wheel"
)

func TestMain(m *testing.M) {
	if serveChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

// server is a hub behind real sockets.
type server struct {
	app     *app.App
	hub     *hub.Hub
	metrics *metrics.Metrics
	wheel   *wheel.Wheel // which the tests turn
	handler *websocket.Handler
	logged  *strings.Builder
	addr    net.Addr
	secure  bool
}

// setup is what a test wants to be different.
type setup struct {
	app     func(*app.App)
	config  func(*websocket.Config)
	deps    func(*websocket.Deps)
	members presence.Members
	listen  func(testing.TB) net.Listener
	bare    bool // without Listener, as httptest has it
	secure  bool
}

const (
	testKey    = "app-key"
	testSecret = "app-secret"
)

// start serves until the test is over. It then ends every connection, as
// shutting down does.
func start(t testing.TB, with setup) *server {
	t.Helper()
	a := app.Default(protocol.Pusher)
	a.ID, a.Key, a.Secret = "app-id", testKey, testSecret
	if with.app != nil {
		with.app(&a)
	}
	if with.members == nil {
		with.members = new(presence.Memory)
	}
	s := &server{app: &a, metrics: metrics.New(), wheel: wheel.New(time.Second), logged: &strings.Builder{}, secure: with.secure}
	log := slog.New(slog.NewTextHandler(s.logged, nil))
	var err error
	s.hub, err = hub.New(hub.Ports{Broker: new(broker.Memory), Members: with.members, Cache: new(cache.Memory)}, s.metrics, log)
	if err != nil {
		t.Fatal(err)
	}
	c := websocket.DefaultConfig
	c.CloseTimeout = patience // for clients that answer
	if with.config != nil {
		with.config(&c)
	}
	d := websocket.Deps{Apps: app.List{a}, Hub: s.hub, Metrics: s.metrics, Wheel: s.wheel, Log: log}
	if with.deps != nil {
		with.deps(&d)
	}
	s.handler = websocket.NewHandler(c, d)
	mux := http.NewServeMux()
	mux.Handle("/app/{key}", s.handler)
	mux.Handle("/", s.handler.NotFound())
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 8<<20))
	})
	s.serve(t, mux, c, with)
	return s
}

func (s *server) serve(t testing.TB, mux http.Handler, c websocket.Config, with setup) {
	t.Helper()
	if with.listen == nil {
		with.listen = listenTCP
	}
	ln := with.listen(t)
	s.addr = ln.Addr()
	if !with.bare {
		ln = websocket.Listener(ln, c)
	}
	if with.secure {
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{certificate(t)}, NextProtos: []string{"http/1.1"}})
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: patience, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(ln)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
		for session := range s.hub.EachSession {
			session.Fail(protocol.ErrShutdown)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
		defer cancel()
		if err := s.handler.Wait(ctx); err != nil {
			t.Errorf("connections are left: %v", err)
		}
	})
}

func listenTCP(t testing.TB) net.Listener { return listen(t, "tcp", "127.0.0.1:0") }

func listenUnix(t testing.TB) net.Listener {
	return listen(t, "unix", filepath.Join(t.TempDir(), "s"))
}

func listen(t testing.TB, network, address string) net.Listener {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// publish does what the HTTP API does.
func (s *server) publish(t testing.TB, channel, data string) {
	t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.hub.Publish(t.Context(), s.app, hub.Event{Channel: channel, Name: "news", Data: raw}); err != nil {
		t.Fatal(err)
	}
}

func (s *server) connections(t testing.TB) int {
	t.Helper()
	n, err := s.hub.Connections(t.Context(), s.app)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// metric is what Prometheus would read of one series, written as it is there.
func (s *server) metric(t testing.TB, series string) float64 {
	t.Helper()
	w := httptest.NewRecorder()
	s.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	for line := range strings.Lines(w.Body.String()) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			var n float64
			if _, err := fmt.Sscan(value, &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// empty waits until the server holds nothing of any client.
func (s *server) empty(t testing.TB) {
	t.Helper()
	eventually(t, "no connection, subscription and channel is left", func() bool {
		ctx := context.Background()
		n, _ := s.hub.Connections(ctx, s.app)
		channels, _ := s.hub.Channels(ctx, s.app, "")
		return n == 0 && len(channels) == 0 && s.metric(t, `revurb_subscriptions{app="app-id"}`) == 0
	})
}

// patience is how long a test waits for what is to come. Only what hangs takes so
// long, however busy the machine is.
const patience = time.Minute

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// presenceAuth is what an app's backend signs for a member.
func presenceAuth(socketID, channel, user string) (token, data string) {
	data = fmt.Sprintf(`{"user_id":%q}`, user)
	return testKey + ":" + auth.Sign(testSecret, auth.ChannelText(socketID, channel, data)), data
}
