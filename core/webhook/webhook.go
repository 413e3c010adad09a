// Package webhook tells the backends of apps what happened: it signs events and
// posts them, again and again until they are taken.
//
// Each URL of each app has a bounded queue and a worker of its own, so one that
// does not answer delays no other, and nobody who has something to tell ever
// waits. What happened, and whether it is worth telling, package hub knows.
package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/metrics"
)

// Config is the part of the configuration that all apps share.
type Config struct {
	Allow           []string      `koanf:"allow"`             // addresses and networks that would be refused otherwise
	MaxQueuedEvents int           `koanf:"max_queued_events"` // of one URL
	MaxQueuedBytes  int           `koanf:"max_queued_bytes"`  // of one URL
	RetryAfter      time.Duration `koanf:"retry_after"`       // the first time; twice as long each time
	RetryFor        time.Duration `koanf:"retry_for"`         // from when the event happened

	// Grace is how long a channel or a user may be gone before it is told. It is
	// for whoever follows them: the dispatcher tells what it is told.
	Grace time.Duration `koanf:"grace"`
}

// DefaultConfig is what the hosted service does, as far as it says. It has no grace:
// that is up to who follows channels and users.
func DefaultConfig() Config {
	return Config{
		Allow:           []string{},
		MaxQueuedEvents: 10_000,
		MaxQueuedBytes:  8 << 20,
		RetryAfter:      time.Second,
		RetryFor:        5 * time.Minute,
	}
}

// Dispatcher sends webhooks. Its methods may be called concurrently.
type Dispatcher struct {
	// Static after construction.
	config  Config
	client  *http.Client
	metrics *metrics.Metrics
	log     *slog.Logger
	closing chan struct{}   // closed by Close: what is left gets one more try
	abort   func()          // ends the requests that are being made
	start   func(*endpoint) // runs its worker until it is closed and done, or aborted
	workers sync.WaitGroup
	left    atomic.Int64 // events that other servers are to tell, because this one stops

	mu        sync.RWMutex // guards what follows
	closed    bool
	endpoints map[endpointKey]*endpoint
}

// endpointKey tells endpoints apart. An app may have the same URL twice, for
// other events.
type endpointKey struct {
	app   string // its ID
	index int
	url   string
}

// New returns a dispatcher that has sent nothing yet. It is closed with Close.
func New(c Config, m *metrics.Metrics, log *slog.Logger) (*Dispatcher, error) {
	allowed, err := parseNetworks(c.Allow)
	if err != nil {
		return nil, err
	}
	ctx, abort := context.WithCancel(context.Background())
	d := &Dispatcher{
		config:    c,
		client:    newClient(allowed),
		metrics:   m,
		log:       log,
		closing:   make(chan struct{}),
		abort:     abort,
		endpoints: map[endpointKey]*endpoint{},
	}
	d.start = func(e *endpoint) { d.workers.Go(func() { e.run(ctx) }) }
	m.WatchWebhooks(d.pending)
	return d, nil
}

// newClient returns a client that goes to public addresses only, and only to
// those it was told: it follows no redirects, and asks no proxy, which would
// look up names for it.
func newClient(allowed []netip.Prefix) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         dialer(allowed).DialContext,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConns:        256,
			MaxIdleConnsPerHost: maxInFlight,
			IdleConnTimeout:     90 * time.Second,
			DisableCompression:  true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Notify has e told to those URLs of a that want it. It never blocks.
func (d *Dispatcher) Notify(a *app.App, e Event) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	s := newShare(e.Receipt)
	for i := range a.Webhooks {
		w := &a.Webhooks[i]
		if !w.Wants(e.Name, e.Channel) {
			continue
		}
		end := d.endpoint(a, i)
		if end == nil {
			return // d is closed: who waits for a receipt has another server tell it
		}
		s.add()
		end.add(a, w, item{event: e, at: e.At, share: s})
	}
	s.settle()
}

// endpoint returns the endpoint of webhook i of a, or nil once d is closed.
func (d *Dispatcher) endpoint(a *app.App, i int) *endpoint {
	key := endpointKey{a.ID, i, a.Webhooks[i].URL}
	d.mu.RLock()
	e, closed := d.endpoints[key], d.closed
	d.mu.RUnlock()
	switch {
	case closed:
		return nil
	case e != nil:
		return e
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	if e = d.endpoints[key]; e == nil {
		e = newEndpoint(d, a, i)
		d.endpoints[key] = e
		d.start(e)
	}
	return e
}

// pending yields how many events of each app wait.
func (d *Dispatcher) pending(yield func(app string, events int)) {
	d.mu.RLock()
	counts := map[string]int{}
	for key, e := range d.endpoints {
		events, kept := e.pending()
		counts[key.app] += events + kept
	}
	d.mu.RUnlock()
	for id, n := range counts {
		yield(id, n)
	}
}

// Close sends what waits, once, and returns when that is done. What is not sent
// when ctx is done is left to other servers where somebody waits for a receipt, and
// dropped otherwise; the error says how much that was. From the call on, Notify has
// no effect.
func (d *Dispatcher) Close(ctx context.Context) error {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.closing)
	}
	d.mu.Unlock()
	defer d.client.CloseIdleConnections()
	defer d.abort()

	done := make(chan struct{})
	go func() {
		d.workers.Wait()
		close(done)
	}()
	lost := 0
	select {
	case <-done:
	case <-ctx.Done():
		d.abort()
		<-done
		lost = d.abandon()
	}
	if left := d.left.Swap(0); left > 0 {
		d.log.Info("webhooks are left to be sent by another node, or by this one when it is back", "events", left)
	}
	if lost == 0 {
		return nil
	}
	return fmt.Errorf("webhooks were not delivered in time: %d events: %w", lost, ctx.Err())
}

// abandon counts what has not been sent, and returns how much of it is lost.
func (d *Dispatcher) abandon() (lost int) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for key, e := range d.endpoints {
		events, kept := e.pending()
		d.metrics.App(key.app).Webhooks("dropped", events)
		d.metrics.App(key.app).Webhooks("left", kept)
		d.left.Add(int64(kept))
		lost += events
	}
	return lost
}
