package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/webhook"
)

// receipt counts how often it is settled.
type receipt struct {
	settled atomic.Int32
	void    atomic.Bool
}

func (r *receipt) Settled()   { r.settled.Add(1) }
func (r *receipt) Void() bool { return r.void.Load() }

func (r *receipt) await(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); r.settled.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is not settled")
		}
	}
	if n := r.settled.Load(); n != 1 {
		t.Errorf("it is settled %d times, want once", n)
	}
}

func (r *receipt) wantOpen(t *testing.T) {
	t.Helper()
	if n := r.settled.Load(); n != 0 {
		t.Errorf("it is settled %d times, want never", n)
	}
}

// receipted is an event with a receipt for it.
func receipted(e webhook.Event) (webhook.Event, *receipt) {
	r := new(receipt)
	e.Receipt = r
	return e, r
}

func broken(int, string) int { return http.StatusInternalServerError }

// A receipt is settled when every URL that wants the event has it, or has been given
// up, and at once if none wants it.
func TestReceipt(t *testing.T) {
	release := make(chan struct{})
	answer := sync.OnceFunc(func() { close(release) })
	defer answer()
	slow := receive(t, func(int, string) int { <-release; return http.StatusOK })
	fast, dead := receive(t, taken), receive(t, broken)
	s := send(t, func(c *webhook.Config) { c.RetryFor = 200 * time.Millisecond })

	e, both := receipted(occupied("c"))
	s.Notify(newApp("both", hook(fast.URL), hook(slow.URL)), e)
	fast.wait("one", atLeast(1))
	slow.wait("one", atLeast(1))
	s.waitMetric(`revurb_webhooks_total{app="both",outcome="delivered"}`, "1")
	both.wantOpen(t)
	answer()
	both.await(t)

	e, nobody := receipted(occupied("c"))
	s.Notify(newApp("none", hook(fast.URL, func(w *app.Webhook) { w.Channels = []string{"other"} })), e)
	if nobody.settled.Load() != 1 {
		t.Error("what nobody wants is not settled at once")
	}

	e, expired := receipted(occupied("c"))
	s.Notify(newApp("dead", hook(dead.URL)), e)
	expired.await(t)
	s.waitMetric(`revurb_webhooks_total{app="dead",outcome="expired"}`, "1")
}

// An event is as old as who knows of it says.
func TestAge(t *testing.T) {
	r, s := receive(t, taken), send(t)
	at := time.Now().Add(-time.Minute)
	e := occupied("c")
	e.At = at
	s.Notify(newApp("a", hook(r.URL)), e)
	calls := r.wait("one", atLeast(1))
	if want := fmt.Sprintf(`{"time_ms":%d,"events":[{"name":"channel_occupied","channel":"c"}]}`, at.UnixMilli()); calls[0].body != want {
		t.Errorf("got %s, want %s", calls[0].body, want)
	}
	e, old := receipted(occupied("old"))
	e.At = time.Now().Add(-webhook.DefaultConfig().RetryFor - time.Second)
	s.Notify(newApp("a", hook(r.URL)), e)
	old.await(t)
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="expired"}`, "1")
}

// What has a receipt is kept by who waits for it, and so no queue is too short.
func TestReceiptsDoNotOverflow(t *testing.T) {
	release := make(chan struct{})
	answer := sync.OnceFunc(func() { close(release) })
	defer answer()
	r := receive(t, func(int, string) int { <-release; return http.StatusOK })
	s := send(t, func(c *webhook.Config) { c.MaxQueuedEvents = 1 })
	a := newApp("a", hook(r.URL))
	s.Notify(a, occupied("c"))
	var all []*receipt
	for range 50 {
		e, got := receipted(occupied("c"))
		all = append(all, got)
		s.Notify(a, e)
	}
	s.Notify(a, occupied("c"))
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="overflow"}`, "1")
	s.waitMetric(`revurb_webhooks_pending{app="a"}`, "51")
	answer()
	for _, got := range all {
		got.await(t)
	}
}

// What another server tells by now is not told here, neither what waits in the queue
// nor what has failed and would be tried again; of a batch the others are.
func TestVoid(t *testing.T) {
	var up atomic.Bool
	r := receive(t, func(int, string) int {
		if up.Load() {
			return http.StatusOK
		}
		return http.StatusInternalServerError
	})
	s := send(t)
	a := newApp("a", hook(r.URL, func(w *app.Webhook) { w.Batch, w.BatchSize = true, 3 }))
	var gone []*receipt
	for _, channel := range []string{"1", "2", "3", "1", "2"} {
		e, got := receipted(occupied(channel))
		if channel == "2" {
			e.Receipt, got = nil, nil
		} else {
			gone = append(gone, got)
		}
		s.Notify(a, e)
	}
	r.wait("two", atLeast(2))
	for _, got := range gone {
		got.void.Store(true)
	}
	up.Store(true)
	s.waitMetric(`revurb_webhooks_pending{app="a"}`, "0")
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="delivered"}`, "2")
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="left"}`, "3")
	for _, got := range gone {
		got.wantOpen(t)
	}
	last := r.wait("some", atLeast(3))
	if got := last[len(last)-1].events(); !slices.Equal(got, []string{"2"}) {
		t.Errorf("the last that was told is %q, want what is nobody else's", got)
	}
}

// A server that stops leaves to another one what it cannot deliver, and with it what
// comes later: those of a channel are to come in order.
func TestCloseLeavesWhatHasAReceipt(t *testing.T) {
	var closing atomic.Bool
	r := receive(t, func(n int, _ string) int {
		if n == 0 || closing.CompareAndSwap(true, false) { // the first, and the first of the last tries
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	s := send(t, func(c *webhook.Config) { c.RetryAfter = time.Hour; c.RetryFor = 24 * time.Hour })
	a := newApp("a", hook(r.URL))
	var all []*receipt
	for range 3 {
		e, got := receipted(occupied("c"))
		all = append(all, got)
		s.Notify(a, e)
	}
	r.wait("one", atLeast(1))
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="retried"}`, "1")
	closing.Store(true)
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("nothing is lost, got %v", err)
	}
	if calls := r.wait("two", atLeast(2)); len(calls) != 2 {
		t.Errorf("%d are sent, want the first and its last try alone", len(calls))
	}
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="left"}`, "3")
	s.waitMetric(`revurb_webhooks_pending{app="a"}`, "0")
	e, late := receipted(occupied("late"))
	s.Notify(a, e)
	for _, got := range append(all, late) {
		got.wantOpen(t)
	}
}

// What is on its way when there is no more time is another server's, too.
func TestCloseInTimeLeavesWhatHasAReceipt(t *testing.T) {
	release := make(chan struct{})
	r := receive(t, func(int, string) int { <-release; return http.StatusOK })
	defer close(release)
	s := send(t)
	a := newApp("a", hook(r.URL, func(w *app.Webhook) { w.Timeout = time.Hour }))
	e, got := receipted(occupied("c"))
	s.Notify(a, e)
	s.Notify(a, e)
	r.wait("one", atLeast(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("nothing is lost, got %v", err)
	}
	got.wantOpen(t)
	s.waitMetric(`revurb_webhooks_total{app="a",outcome="left"}`, "2")
}
