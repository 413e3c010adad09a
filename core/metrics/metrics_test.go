package metrics_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/metrics"
)

func TestExposition(t *testing.T) {
	m := metrics.New()
	a := m.App("shop")
	a.MessagesIn.Add(2)
	a.Error(4001)
	a.Error(0)
	a.Closed(4201)
	a.Limited("publish")
	m.Request("shop", "events", 200, time.Millisecond)
	m.Refused("ip_rate")
	connections := 3
	m.Watch(func(yield func(metrics.Gauges)) {
		yield(metrics.Gauges{App: "shop", Connections: connections, Subscriptions: 4, Channels: map[string]int{"public": 1}})
	})
	connections = 5
	text := scrape(t, m)
	for _, want := range []string{
		`revurb_messages_received_total{app="shop"} 2`,
		`revurb_errors_total{app="shop",code="4001"} 1`,
		`revurb_errors_total{app="shop",code="none"} 1`,
		`revurb_closes_total{app="shop",code="4201"} 1`,
		`revurb_rate_limited_total{app="shop",limit="publish"} 1`,
		`revurb_http_requests_total{app="shop",endpoint="events",status="200"} 1`,
		`revurb_refused_connections_total{reason="ip_rate"} 1`,
		`revurb_connections{app="shop"} 5`,
		`revurb_subscriptions{app="shop"} 4`,
		`revurb_channels{app="shop",kind="public"} 1`,
		`go_goroutines`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line %s", want)
		}
	}
	if m.App("shop") != a {
		t.Error("an app has two sets of counters")
	}
}

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}
