// Package metrics counts what the server does, for Prometheus to read. It is
// the only package that imports a metrics library.
//
// It knows the names and labels of the metrics, and nothing of the parts of
// the server that count.
package metrics

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is one registry.
type Metrics struct {
	// Static after construction.
	registry     *prometheus.Registry
	messagesIn   *prometheus.CounterVec
	bytesIn      *prometheus.CounterVec
	deliveries   *prometheus.CounterVec
	bytesOut     *prometheus.CounterVec
	published    *prometheus.CounterVec
	connected    *prometheus.CounterVec
	errors       *prometheus.CounterVec
	closes       *prometheus.CounterVec
	slow         *prometheus.CounterVec
	limited      *prometheus.CounterVec
	requests     *prometheus.CounterVec
	latency      *prometheus.HistogramVec
	refused      *prometheus.CounterVec
	webhooks     *prometheus.CounterVec
	panics       prometheus.Counter
	mu           sync.RWMutex // guards what follows
	apps         map[string]*App
	watchSource  func(func(Gauges))
	hookSource   func(func(app string, events int))
	pluginSource func(func(Plugin))
}

// App counts for one app. Its methods may be called concurrently.
type App struct {
	id string
	m  *Metrics

	MessagesIn prometheus.Counter // messages from clients
	BytesIn    prometheus.Counter
	Deliveries prometheus.Counter // messages to clients, one for each receiver
	BytesOut   prometheus.Counter
	Published  prometheus.Counter // events from the HTTP API
	Connected  prometheus.Counter
	Slow       prometheus.Counter // connections that were closed because they did not keep up
}

// Gauges is how many there are of what an app has, at one moment.
type Gauges struct {
	App           string
	Connections   int
	Subscriptions int
	Channels      map[string]int // by kind
}

// New returns a registry with nothing counted.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), apps: map[string]*App{}}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	m.messagesIn = counter("revurb_messages_received_total", "Messages that clients sent.", "app")
	m.bytesIn = counter("revurb_received_bytes_total", "Bytes of messages that clients sent.", "app")
	m.deliveries = counter("revurb_deliveries_total", "Messages sent to clients, counted once for each receiver.", "app")
	m.bytesOut = counter("revurb_sent_bytes_total", "Bytes of messages sent to clients.", "app")
	m.published = counter("revurb_published_events_total", "Events published over the HTTP API, counted once for each channel.", "app")
	m.connected = counter("revurb_connections_total", "Connections that were accepted.", "app")
	m.errors = counter("revurb_errors_total", "Errors sent to clients, by code; none is an error without a code.", "app", "code")
	m.closes = counter("revurb_closes_total", "Connections closed by the server, by close code.", "app", "code")
	m.slow = counter("revurb_slow_consumers_total", "Connections closed because they did not keep up.", "app")
	m.limited = counter("revurb_rate_limited_total", "What was refused because it came too often, by limit.", "app", "limit")
	m.requests = counter("revurb_http_requests_total", "Requests to the HTTP API, by endpoint and status.", "app", "endpoint", "status")
	m.refused = counter("revurb_refused_connections_total", "Connections refused before an app was known, by reason.", "reason")
	m.webhooks = counter("revurb_webhooks_total", "Events for backends, by outcome: delivered, retried, overflow, expired, dropped, left.", "app", "outcome")
	m.latency = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "revurb_http_request_seconds", Help: "Time to answer a request to the HTTP API.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .5, 1},
	}, []string{"endpoint"})
	m.panics = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "revurb_panics_total", Help: "Failures of one connection or request that would have ended the process.",
	})
	m.registry.MustRegister(m.latency, m.panics, watcher{m}, pluginWatcher{m},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// App returns the counters of the app with the given ID.
func (m *Metrics) App(id string) *App {
	m.mu.RLock()
	a := m.apps[id]
	m.mu.RUnlock()
	if a != nil {
		return a
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.apps[id]; a != nil {
		return a
	}
	a = &App{
		id: id, m: m,
		MessagesIn: m.messagesIn.WithLabelValues(id),
		BytesIn:    m.bytesIn.WithLabelValues(id),
		Deliveries: m.deliveries.WithLabelValues(id),
		BytesOut:   m.bytesOut.WithLabelValues(id),
		Published:  m.published.WithLabelValues(id),
		Connected:  m.connected.WithLabelValues(id),
		Slow:       m.slow.WithLabelValues(id),
	}
	m.apps[id] = a
	return a
}

// Error counts an error that a client was told; a code of 0 is none.
func (a *App) Error(code int) { a.m.errors.WithLabelValues(a.id, codeLabel(code)).Inc() }

// Closed counts a connection that the server closed.
func (a *App) Closed(code int) { a.m.closes.WithLabelValues(a.id, codeLabel(code)).Inc() }

// Limited counts what the named limit refused.
func (a *App) Limited(limit string) { a.m.limited.WithLabelValues(a.id, limit).Inc() }

// Webhooks counts events for a backend, by what became of them.
func (a *App) Webhooks(outcome string, events int) {
	a.m.webhooks.WithLabelValues(a.id, outcome).Add(float64(events))
}

func codeLabel(code int) string {
	if code == 0 {
		return "none"
	}
	return strconv.Itoa(code)
}

// Request counts a request to the HTTP API. The app is "" when it is unknown.
func (m *Metrics) Request(app, endpoint string, status int, took time.Duration) {
	m.requests.WithLabelValues(app, endpoint, strconv.Itoa(status)).Inc()
	m.latency.WithLabelValues(endpoint).Observe(took.Seconds())
}

// Refused counts a connection that was refused before its app was known.
func (m *Metrics) Refused(reason string) { m.refused.WithLabelValues(reason).Inc() }

// Panicked counts a failure that was contained.
func (m *Metrics) Panicked() { m.panics.Inc() }

// Watch has the gauges read from source whenever they are asked for. They are
// never counted up and down, so they cannot drift from what is.
func (m *Metrics) Watch(source func(yield func(Gauges))) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watchSource = source
}

// WatchWebhooks has the number of events that wait for the backend of an app
// read from source.
func (m *Metrics) WatchWebhooks(source func(yield func(app string, events int))) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hookSource = source
}

// Handler serves the metrics as text.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

var (
	connectionsDesc   = prometheus.NewDesc("revurb_connections", "Connections that are open.", []string{"app"}, nil)
	subscriptionsDesc = prometheus.NewDesc("revurb_subscriptions", "Subscriptions of all open connections.", []string{"app"}, nil)
	pendingDesc       = prometheus.NewDesc("revurb_webhooks_pending", "Events that wait for a backend to take them.", []string{"app"}, nil)
	channelsDesc      = prometheus.NewDesc("revurb_channels", "Channels with subscribers, by kind.", []string{"app", "kind"}, nil)
)

// watcher collects the gauges.
type watcher struct{ m *Metrics }

func (watcher) Describe(out chan<- *prometheus.Desc) {
	out <- connectionsDesc
	out <- subscriptionsDesc
	out <- channelsDesc
	out <- pendingDesc
}

func (w watcher) Collect(out chan<- prometheus.Metric) {
	w.m.mu.RLock()
	source, hooks := w.m.watchSource, w.m.hookSource
	w.m.mu.RUnlock()
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	if hooks != nil {
		hooks(func(app string, events int) { gauge(pendingDesc, events, app) })
	}
	if source == nil {
		return
	}
	source(func(g Gauges) {
		gauge(connectionsDesc, g.Connections, g.App)
		gauge(subscriptionsDesc, g.Subscriptions, g.App)
		for kind, n := range g.Channels {
			gauge(channelsDesc, n, g.App, kind)
		}
	})
}
