package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/webhook"
)

// The body is that of the documentation, byte for byte, and so are the headers.
func TestRequest(t *testing.T) {
	r, s := receive(t, taken), send(t)
	a := newApp("a", hook(r.URL, func(w *app.Webhook) { w.Headers = []string{"Authorization: Bearer x:y", "X-Empty:"} }))
	events := []webhook.Event{
		occupied("c"),
		{Name: app.ChannelVacated, Channel: "c"},
		{Name: app.MemberAdded, Channel: "presence-c", UserID: "7"},
		{Name: app.MemberRemoved, Channel: "presence-c", UserID: "7"},
		{Name: app.ClientEvent, Channel: "private-c", Event: "client-e", Data: `{"a":"é</script>"}`, SocketID: "1.2"},
		{Name: app.ClientEvent, Channel: "presence-c", Event: "client-e", SocketID: "1.2", UserID: "7"},
		{Name: app.CacheMiss, Channel: "cache-c"},
		{Name: app.SubscriptionCount, Channel: "c"},
	}
	want := []string{
		`{"name":"channel_occupied","channel":"c"}`,
		`{"name":"channel_vacated","channel":"c"}`,
		`{"name":"member_added","channel":"presence-c","user_id":"7"}`,
		`{"name":"member_removed","channel":"presence-c","user_id":"7"}`,
		`{"name":"client_event","channel":"private-c","event":"client-e","data":"{\"a\":\"é</script>\"}","socket_id":"1.2"}`,
		`{"name":"client_event","channel":"presence-c","event":"client-e","data":"","socket_id":"1.2","user_id":"7"}`,
		`{"name":"cache_miss","channel":"cache-c"}`,
		`{"name":"subscription_count","channel":"c","subscription_count":0}`,
	}
	before := time.Now().UnixMilli()
	for _, e := range events {
		s.Notify(a, e)
	}
	for _, c := range r.wait("one for each event", atLeast(len(events))) {
		var at int64
		if _, err := fmt.Sscanf(c.body, `{"time_ms":%d,`, &at); err != nil || at < before || at > time.Now().UnixMilli() {
			t.Errorf("%s has no time of now", c.body)
		}
		event, ok := strings.CutPrefix(c.body, fmt.Sprintf(`{"time_ms":%d,"events":[`, at))
		i := slices.Index(want, strings.TrimSuffix(event, "]}"))
		if !ok || i < 0 {
			t.Errorf("got %s, want one of %q", c.body, want)
			continue
		}
		want = slices.Delete(want, i, i+1)
		headers := map[string]string{
			"Content-Type":       "application/json",
			"X-Pusher-Key":       a.Key,
			"X-Pusher-Signature": auth.Sign(a.Secret, c.body),
			"Authorization":      "Bearer x:y",
			"X-Empty":            "",
		}
		for name, value := range headers {
			if got := c.header.Values(name); !slices.Equal(got, []string{value}) {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
	}
}

// What fails is sent again, the very same, after gaps that grow.
func TestRetry(t *testing.T) {
	r := receive(t, func(n int, _ string) int {
		return []int{http.StatusInternalServerError, http.StatusFound, http.StatusAccepted}[min(n, 2)]
	})
	s := send(t, func(c *webhook.Config) { c.RetryAfter = 100 * time.Millisecond })
	s.Notify(newApp("a", hook(r.URL)), occupied("c"))
	calls := r.wait("three", atLeast(3))
	for _, c := range calls[1:] {
		if c.body != calls[0].body || c.header.Get("X-Pusher-Signature") != calls[0].header.Get("X-Pusher-Signature") {
			t.Errorf("got %s with %v again, want %s with %v", c.body, c.header, calls[0].body, calls[0].header)
		}
	}
	first, second := calls[1].at.Sub(calls[0].at), calls[2].at.Sub(calls[1].at)
	if first < 80*time.Millisecond || second < 160*time.Millisecond {
		t.Errorf("the gaps are %v and %v, want 100 ms and 200 ms, a fifth more or less", first, second)
	}
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="delivered"}`, "1")
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="retried"}`, "2")
	s.waitMetric(`revurb_webhooks_pending{app="a"}`, "0")
}

// The events of a channel come in order, also when one of them fails.
func TestOrder(t *testing.T) {
	var failed atomic.Bool
	r := receive(t, func(_ int, body string) int {
		if strings.Contains(body, `"c"`) && failed.CompareAndSwap(false, true) {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	s := send(t, func(c *webhook.Config) { c.RetryAfter = 200 * time.Millisecond })
	a := newApp("a", hook(r.URL))
	s.Notify(a, occupied("c"))
	s.Notify(a, webhook.Event{Name: app.ChannelVacated, Channel: "c"})
	s.Notify(a, occupied("c"))
	var got []string
	for _, c := range r.wait("four", atLeast(4)) {
		_, rest, _ := strings.Cut(c.body, `"name":"channel_`)
		name, _, _ := strings.Cut(rest, `"`)
		got = append(got, name)
	}
	if want := []string{"occupied", "occupied", "vacated", "occupied"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The events of other channels do not wait for one that has failed, and that is
// to be sent again much later.
func TestOtherChannelsGoOn(t *testing.T) {
	r := receive(t, func(_ int, body string) int {
		if strings.Contains(body, `"c"`) {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	s := send(t, func(c *webhook.Config) { c.RetryAfter, c.RetryFor = time.Hour, 24*time.Hour })
	a := newApp("a", hook(r.URL))
	s.Notify(a, occupied("c"))
	s.Notify(a, webhook.Event{Name: app.ChannelVacated, Channel: "c"})
	for n := range 20 {
		s.Notify(a, occupied(fmt.Sprint("other", n)))
	}
	r.wait("those of all channels", atLeast(21))
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="delivered"}`, "20")
	s.waitMetric(`revurb_webhooks_pending{app="a"}`, "2")
}

// What is not taken in time is dropped, counted, and logged without anything
// that is secret.
func TestExpiry(t *testing.T) {
	r := receive(t, func(int, string) int { return http.StatusInternalServerError })
	s := send(t, func(c *webhook.Config) { c.RetryFor = 2 * time.Second })
	a := newApp("a", hook(r.URL+"/path-canary?token=query-canary", func(w *app.Webhook) { w.Headers = []string{"X-Token: header-canary"} }))
	s.Notify(a, webhook.Event{Name: app.ClientEvent, Channel: "private-c", Event: "client-e", Data: "data-canary", SocketID: "1.2"})
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="expired"}`, "1")
	s.waitMetric(`revurb_webhooks_pending{app="a"}`, "0")
	if n := len(r.wait("some tries", atLeast(1))); n < 2 {
		t.Errorf("got %d tries, want some", n)
	}
	log := s.log.String()
	if strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "it answered 500") {
		t.Errorf("the log does not say why, once:\n%s", log)
	}
	if strings.Contains(log, "canary") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
}

// A dead URL costs its app its own events: no other app waits for it, though it
// never answers, and the queue is bounded.
func TestTwoTenants(t *testing.T) {
	release := make(chan struct{})
	hole := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hole.Close()
	defer close(release)
	const events, most, burst = 5_000, 1_000, 100
	r, s := receive(t, taken), send(t, func(c *webhook.Config) { c.MaxQueuedEvents = most })
	dead := newApp("dead", hook(hole.URL, func(w *app.Webhook) { w.Timeout = time.Hour }))
	healthy := newApp("healthy", hook(r.URL))
	big := strings.Repeat("x", 1_000)

	began := time.Now()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	sent := make([]time.Time, events)
	for n := range events {
		for range 4 {
			s.Notify(dead, webhook.Event{Name: app.ClientEvent, Channel: "private-dead", Event: "client-e", Data: big + fmt.Sprint(n)})
		}
		sent[n] = time.Now()
		s.Notify(healthy, occupied(fmt.Sprint(n)))
		if n%burst == burst-1 { // faster than the healthy one answers it would be its own fault
			r.wait(fmt.Sprint(n+1), atLeast(n+1))
		}
	}
	calls := r.wait(fmt.Sprint(events), atLeast(events))
	runtime.GC()
	runtime.ReadMemStats(&after)

	var delays []time.Duration
	for _, c := range calls {
		if strings.Contains(c.body, "dead") {
			t.Fatalf("the other app's event crossed over: %s", c.body)
		}
		var n int
		if _, err := fmt.Sscan(c.events()[0], &n); err != nil {
			t.Fatal(err)
		}
		delays = append(delays, c.at.Sub(sent[n]))
	}
	slices.Sort(delays)
	p99 := delays[len(delays)*99/100] // for the reader: a busy machine must not break a test
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("healthy: p50 %v, p99 %v, max %v; heap grew by %d kB", delays[len(delays)/2], p99, delays[len(delays)-1], grown>>10)
	s.waitMetric(`revurb_webhooks_pending{app="dead"}`, fmt.Sprint(most))
	s.waitMetric(`revurb_webhooks_total{app="dead",outcome="overflow"}`, fmt.Sprint(4*events-most))
	minutes := 1 + int(time.Since(began).Minutes())
	if n := strings.Count(s.log.String(), "level=WARN"); n < 1 || n > minutes {
		t.Errorf("the log has %d warnings, want one a minute, of which there were %d", n, minutes)
	}
	runtime.KeepAlive(calls)
}

// A redirect is an answer like another that is no yes. Nobody goes there.
func TestRedirects(t *testing.T) {
	elsewhere := receive(t, taken)
	r := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer r.Close()
	s := send(t, func(c *webhook.Config) { c.RetryAfter, c.RetryFor = time.Minute, 30*time.Second })
	s.Notify(newApp("a", hook(r.URL)), occupied("c"))
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="expired"}`, "1")
	if !strings.Contains(s.log.String(), "it answered 307") {
		t.Errorf("the log does not say why:\n%s", s.log)
	}
	elsewhere.wait("none", func(c []call) bool { return len(c) == 0 })
}

// What is asked for is told, and nothing else: it is left out before events are
// batched and signed.
func TestFilters(t *testing.T) {
	r, all := receive(t, taken), receive(t, taken)
	s := send(t)
	a := newApp("a",
		hook(r.URL, func(w *app.Webhook) {
			w.Events, w.Channels = []string{"channel_existence"}, []string{"private-*"}
			w.Batch, w.BatchSize, w.BatchWindow = true, 2, time.Hour // they come together, when there are two
		}),
		hook(all.URL))
	s.Notify(a, occupied("private-1"))
	s.Notify(a, occupied("public"))
	s.Notify(a, webhook.Event{Name: app.ClientEvent, Channel: "private-1", Event: "client-e"})
	s.Notify(a, webhook.Event{Name: app.ChannelVacated, Channel: "private-1"})
	calls := r.wait("one", atLeast(1))
	if got := calls[0].events(); len(calls) != 1 || !slices.Equal(got, []string{"private-1", "private-1"}) || strings.Contains(calls[0].body, "client") {
		t.Errorf("got %d calls with %s, want one with the two that were asked for", len(calls), calls[0].body)
	}
	if got := calls[0].header.Get("X-Pusher-Signature"); got != auth.Sign(a.Secret, calls[0].body) {
		t.Error("the signature is not that of what was sent")
	}
	all.wait("four", atLeast(4))
}

// Batches have the events of one app and one URL, as many as they may, and one
// URL batches while another does not.
func TestBatches(t *testing.T) {
	const events = 95
	one, two, single := receive(t, taken), receive(t, taken), receive(t, taken)
	s := send(t)
	batch := func(w *app.Webhook) { w.Batch, w.BatchSize = true, 10 }
	a := newApp("a", hook(one.URL, batch), hook(single.URL))
	b := newApp("b", hook(two.URL, batch))
	for n := range events {
		s.Notify(a, occupied(fmt.Sprintf("a%d", n)))
		s.Notify(b, occupied(fmt.Sprintf("b%d", n)))
	}
	count := func(calls []call) (n int) {
		for _, c := range calls {
			n += len(c.events())
		}
		return n
	}
	for prefix, r := range map[string]*receiver{"a": one, "b": two} {
		for _, c := range r.wait("all", func(c []call) bool { return count(c) >= events }) {
			if len(c.events()) > 10 {
				t.Errorf("a batch has %d events, want at most 10", len(c.events()))
			}
			last := -1
			for _, name := range c.events() {
				var n int
				if _, err := fmt.Sscanf(name, prefix+"%d", &n); err != nil || n <= last {
					t.Errorf("got %s after %s%d", name, prefix, last)
				}
				last = n
			}
		}
		if calls := r.wait("few", atLeast(1)); len(calls) > events/2 {
			t.Errorf("%d events came in %d batches", events, len(calls))
		}
	}
	for _, c := range single.wait("all", atLeast(events)) {
		if len(c.events()) != 1 {
			t.Errorf("got %d events in a webhook that does not batch", len(c.events()))
		}
	}
}

// Close sends what waits, a batch that was being gathered and a try that was to
// come later among it.
func TestClose(t *testing.T) {
	failing := receive(t, func(n int, _ string) int { return []int{http.StatusInternalServerError, http.StatusOK}[min(n, 1)] })
	gathering, dead := receive(t, taken), receive(t, func(int, string) int { return http.StatusBadGateway })
	s := send(t, func(c *webhook.Config) { c.RetryAfter = time.Hour; c.RetryFor = 24 * time.Hour })
	batch := func(w *app.Webhook) { w.Batch, w.BatchWindow = true, time.Hour }
	a := newApp("a", hook(failing.URL), hook(gathering.URL, batch), hook(dead.URL))
	s.Notify(a, occupied("c"))
	failing.wait("one", atLeast(1))
	dead.wait("one", atLeast(1))
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	failing.wait("two", func(c []call) bool { return len(c) == 2 })
	gathering.wait("one", func(c []call) bool { return len(c) == 1 })
	dead.wait("two", func(c []call) bool { return len(c) == 2 })
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="dropped"}`, "1")
	s.Notify(a, occupied("late")) // has no effect
	if got := s.metric(`revurb_webhooks_pending{app="a"}`); got != "0" {
		t.Errorf("%s events wait, want none", got)
	}
}

// Close does not wait for a URL that does not answer, and says what it costs.
func TestCloseIsBounded(t *testing.T) {
	release := make(chan struct{})
	r := receive(t, func(int, string) int { <-release; return http.StatusOK })
	defer close(release)
	s := send(t)
	a := newApp("a", hook(r.URL, func(w *app.Webhook) { w.Timeout = time.Hour }))
	for range 3 {
		s.Notify(a, occupied("c"))
	}
	r.wait("one", atLeast(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); err == nil || !strings.Contains(err.Error(), "3 events") {
		t.Errorf("got %v, want that 3 events are lost", err)
	}
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="dropped"}`, "3")
}
