package server_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/server"
)

const (
	appID     = "4711"
	appKey    = "app-key"
	appSecret = "canary-app-secret"
)

// TestMain sees to it that whatever a server starts, it stops.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// stage is a server that runs, and what it says.
type stage struct {
	t      *testing.T
	server *server.Server
	log    *buffer
	stop   context.CancelFunc
	done   chan struct{}
	sum    server.Summary // once it is done
}

// serve runs a server on a free port until the test ends. It begins with a
// configuration that waits for less than the default one does when it stops, and
// for more before it cuts anyone off.
func serve(t *testing.T, change ...func(*config.Config)) *stage {
	t.Helper()
	return serveWith(t, server.Options{}, change...)
}

// serveWith is serve with options.
func serveWith(t *testing.T, o server.Options, change ...func(*config.Config)) *stage {
	t.Helper()
	a := app.Default(protocol.Pusher)
	a.ID, a.Key, a.Secret = appID, appKey, appSecret
	c := config.Default()
	c.Server.Port = 0
	c.Server.DrainTimeout = 100 * time.Millisecond
	c.WebSocket.CloseTimeout = time.Second
	c.Server.HandshakeTimeout, c.Server.RequestTimeout = patience, patience
	c.Admin.Listen = "127.0.0.1:0"
	c.Apps = app.List{a}
	for _, f := range change {
		f(&c)
	}
	s := &stage{t: t, log: new(buffer), done: make(chan struct{})}
	var err error
	if s.server, err = server.NewWith(c, o, slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))); err != nil {
		t.Fatal(err)
	}
	must(t, s.server.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() {
		defer close(s.done)
		var err error
		if s.sum, err = s.server.Serve(ctx); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		s.stop()
		s.wait()
	})
	return s
}

// wait waits until the server has stopped.
func (s *stage) wait() server.Summary {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatal("the server does not stop")
	}
	return s.sum
}

// tcp connects to the server.
func (s *stage) tcp() net.Conn {
	s.t.Helper()
	c, err := s.dial()
	must(s.t, err)
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s *stage) dial() (net.Conn, error) {
	a := s.server.Addr()
	return net.Dial(a.Network(), a.String())
}

// ask asks for a WebSocket. It returns the status instead if there is none.
func (s *stage) ask(path string, header http.Header) (*client, int) {
	s.t.Helper()
	c, res, err := upgrade(s.tcp(), path, header)
	must(s.t, err)
	if c == nil {
		_ = res.Body.Close()
		return nil, res.StatusCode
	}
	return c, 0
}

// connectSoon is connect for a server that may cut off a client who has not been
// given the processor in time.
func (s *stage) connectSoon() (c *client) {
	s.t.Helper()
	eventually(s.t, "let in", func() bool {
		var err error
		c, _, err = upgrade(s.tcp(), path, nil)
		return err == nil && c != nil && c.greet() == nil
	})
	return c
}

// connect is a client that has been greeted.
func (s *stage) connect() *client {
	s.t.Helper()
	c, status := s.ask("/app/"+appKey+"?protocol=7", nil)
	if c == nil {
		s.t.Fatalf("got %d, want a WebSocket", status)
	}
	must(s.t, c.greet())
	return c
}

// get requests path of the server at addr, and returns the status and the body.
func get(t *testing.T, addr net.Addr, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr.String()+path, nil)
	must(t, err)
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	must(t, err)
	b, err := io.ReadAll(res.Body)
	must(t, err)
	_ = res.Body.Close()
	return res.StatusCode, string(b)
}

// gauges are the metrics that count what there is, of the app: as
// connections, subscriptions and channels of all kinds.
func (s *stage) gauges() (connections, subscriptions, channels int) {
	s.t.Helper()
	_, text := get(s.t, s.server.AdminAddr(), "/metrics")
	sum := func(name string) (n int) {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, name+"{") {
				i, err := strconv.Atoi(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]))
				must(s.t, err)
				n += i
			}
		}
		return n
	}
	return sum("revurb_connections"), sum("revurb_subscriptions"), sum("revurb_channels")
}

// publish is a request to the HTTP API, signed.
func publish(base, body string) (*http.Request, error) {
	sum := md5.Sum([]byte(body))
	query := fmt.Sprintf("auth_key=%s&auth_timestamp=%d&auth_version=1.0&body_md5=%s",
		appKey, time.Now().Unix(), hex.EncodeToString(sum[:]))
	path := "/apps/" + appID + "/events"
	query += "&auth_signature=" + auth.Sign(appSecret, "POST\n"+path+"\n"+query)
	u, err := url.Parse(base + path + "?" + query)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	return r, nil
}

// patience is how long a test waits for what is to come. Only what hangs takes so
// long, however busy the machine is.
const patience = time.Minute

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// buffer is a bytes.Buffer that may be read while it is written to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var discard = slog.New(slog.DiscardHandler)

func port(a net.Addr) int { return a.(*net.TCPAddr).Port }
