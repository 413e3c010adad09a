package webhook_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/webhook"
)

// patience is how long a test waits for what is to come. Only what hangs takes so
// long, however busy the machine is.
const patience = time.Minute

// call is a request that a receiver got.
type call struct {
	at     time.Time
	header http.Header
	body   string
}

// events are the channels of the events of a call.
func (c call) events() (channels []string) {
	var body struct{ Events []struct{ Channel string } }
	_ = json.Unmarshal([]byte(c.body), &body)
	for _, e := range body.Events {
		channels = append(channels, e.Channel)
	}
	return channels
}

// receiver is a backend that hears webhooks.
type receiver struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	calls   []call
	changed chan struct{}
	answer  func(n int, body string) int // the status of call n, from 0
}

func receive(t *testing.T, answer func(n int, body string) int) *receiver {
	t.Helper()
	r := &receiver{t: t, changed: make(chan struct{}), answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func taken(int, string) int { return http.StatusOK }

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender has gone
	}
	r.mu.Lock()
	n := len(r.calls)
	r.calls = append(r.calls, call{time.Now(), req.Header.Clone(), string(body)})
	close(r.changed)
	r.changed = make(chan struct{})
	r.mu.Unlock()
	w.WriteHeader(r.answer(n, string(body)))
}

// wait waits until ok holds of the calls, and returns them.
func (r *receiver) wait(what string, ok func([]call) bool) []call {
	r.t.Helper()
	timeout := time.After(patience)
	for {
		r.mu.Lock()
		calls, changed := append([]call(nil), r.calls...), r.changed
		r.mu.Unlock()
		if ok(calls) {
			return calls
		}
		select {
		case <-changed:
		case <-timeout:
			r.t.Fatalf("got %d calls, want %s", len(calls), what)
		}
	}
}

func atLeast(n int) func([]call) bool { return func(c []call) bool { return len(c) >= n } }

// sender is a dispatcher, and what it counts and logs.
type sender struct {
	*webhook.Dispatcher
	t       *testing.T
	metrics *metrics.Metrics
	log     *lockedBuilder
}

type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuilder) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func send(t *testing.T, changes ...func(*webhook.Config)) *sender {
	t.Helper()
	c := webhook.DefaultConfig()
	c.Allow = []string{"127.0.0.0/8"}
	c.RetryAfter = 20 * time.Millisecond
	for _, change := range changes {
		change(&c)
	}
	s := &sender{t: t, metrics: metrics.New(), log: new(lockedBuilder)}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if s.Dispatcher, err = webhook.New(c, s.metrics, log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	return s
}

// metric is the value of a line of the metrics; "" is none.
func (s *sender) metric(line string) string {
	w := httptest.NewRecorder()
	s.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	for l := range strings.Lines(w.Body.String()) {
		if value, ok := strings.CutPrefix(l, line+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// waitMetric waits for a line of the metrics.
func (s *sender) waitMetric(line, want string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); s.metric(line) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s is %q, want %q", line, s.metric(line), want)
		}
	}
}

func newApp(id string, hooks ...app.Webhook) *app.App {
	a := app.Default(protocol.Pusher)
	a.ID, a.Key, a.Secret = id, id+"-key", id+"-secret-canary"
	a.Webhooks = hooks
	return &a
}

func hook(url string, changes ...func(*app.Webhook)) app.Webhook {
	w := app.DefaultWebhook
	w.URL = url
	for _, change := range changes {
		change(&w)
	}
	return w
}

func occupied(channel string) webhook.Event {
	return webhook.Event{Name: app.ChannelOccupied, Channel: channel}
}
