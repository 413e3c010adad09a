package webhook

import (
	"context"
	"sync"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/metrics"
)

// maxRetries is how many requests of one URL may wait for another try. When so
// many have failed, nothing new is tried before one of them gets through.
const maxRetries = 64

// maxInFlight is how many requests a URL is sent at a time, so that one that is
// far away can be told of more than one event for each way there and back.
const maxInFlight = 8

// item is an event on its way.
type item struct {
	event Event
	at    time.Time // when it happened
	share *share    // of the receipt for it; nil if nobody waits for one
}

// endpoint is one URL of one app: a queue, and the worker that empties it.
//
// Several requests are made at a time, and one that fails waits for its next try;
// but those of the same channel wait behind it. So the events of a channel come
// in the order in which they happened.
type endpoint struct {
	// Static after construction.
	d       *Dispatcher
	metrics *metrics.App
	drops   *drops
	wake    chan struct{} // has one item if the queue has changed

	mu     sync.Mutex // guards what follows
	app    *app.App   // as of the last event; it has the secret, which is nowhere else
	hook   *app.Webhook
	queue  []item
	events int // in the queue and in the hands of the worker, without a receipt
	bytes  int // of those
	kept   int // the same, with a receipt

	// Owned by the worker.
	ready   []item // of channels that were held
	held    map[string][]item
	busy    map[string]int // by channel: how many of its events are in requests
	retries []*delivery
	flying  int  // requests that are being made
	leaving bool // the server stops, and has left an event to another one
	results chan result
}

// result is what became of a request.
type result struct {
	*delivery
	err  error
	last bool // the dispatcher was closing when it was made
}

func newEndpoint(d *Dispatcher, a *app.App, index int) *endpoint {
	w := &a.Webhooks[index]
	return &endpoint{
		d:       d,
		metrics: d.metrics.App(a.ID),
		drops:   newDrops(d.log, a.ID, w.URL),
		wake:    make(chan struct{}, 1),
		app:     a,
		hook:    w,
		held:    map[string][]item{},
		busy:    map[string]int{},
		results: make(chan result),
	}
}

// add queues it, or drops it if the queue is full. How many there may be that have
// a receipt is the concern of who waits for it, and keeps what is more than that.
func (e *endpoint) add(a *app.App, w *app.Webhook, it item) {
	size := it.event.size()
	e.mu.Lock()
	e.app, e.hook = a, w
	full := it.share == nil && (e.events >= e.d.config.MaxQueuedEvents || e.bytes+size > e.d.config.MaxQueuedBytes)
	if !full {
		e.queue = append(e.queue, it)
		e.count(it, 1)
	}
	e.mu.Unlock()
	if full {
		e.metrics.Webhooks("overflow", 1)
		e.drops.add(1, "too many are waiting")
		return
	}
	select {
	case e.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// pending returns how many events wait, without a receipt and with one.
func (e *endpoint) pending() (events, kept int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.events, e.kept
}

// count is called with mu held.
func (e *endpoint) count(it item, n int) {
	if it.share != nil {
		e.kept += n
		return
	}
	e.events += n
	e.bytes += n * it.event.size()
}

// discount takes items off the count of those that wait.
func (e *endpoint) discount(items []item) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range items {
		e.count(items[i], -1)
	}
}

// target returns what the next request goes by.
func (e *endpoint) target() (*app.App, *app.Webhook) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.app, e.hook
}

// run is the worker: it sends what there is, until ctx is done, or until the
// dispatcher is closing and nothing is left.
func (e *endpoint) run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := time.Duration(-1)
		if e.flying < maxInFlight {
			var next *delivery
			if next, wait = e.next(); next != nil {
				e.launch(ctx, next)
				continue
			}
		}
		closing := e.closing()
		if closing == nil && wait < 0 && e.flying == 0 {
			return
		}
		e.sleep(ctx, closing, wait)
	}
	for e.flying > 0 { // they end soon, for ctx is theirs, too
		e.land(ctx, <-e.results)
	}
}

// launch makes a request. What becomes of it is one of results.
func (e *endpoint) launch(ctx context.Context, r *delivery) {
	last := e.closing() == nil // what is begun before gets one more
	e.claim(r)
	e.flying++
	go func() {
		err := r.send(ctx, e.d.client)
		e.results <- result{r, err, last}
	}()
}

// closing is closed when the dispatcher is closing, and nil when that is known:
// a nil channel wakes nobody.
func (e *endpoint) closing() <-chan struct{} {
	select {
	case <-e.d.closing:
		return nil
	default:
		return e.d.closing
	}
}

func (e *endpoint) sleep(ctx context.Context, closing <-chan struct{}, wait time.Duration) {
	var due <-chan time.Time
	if wait >= 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case <-closing:
	case <-e.wake:
	case <-due:
	case r := <-e.results:
		e.land(ctx, r)
	}
}

// next returns what to send now. If that is nothing, it says how long to wait
// for it; less than zero is until something comes.
func (e *endpoint) next() (*delivery, time.Duration) {
	now, closing := time.Now(), e.closing() == nil
	wait := time.Duration(-1)
	e.retries = e.still(e.retries)
	for i, r := range e.retries { // the first are the oldest
		if left := r.due.Sub(now); closing || left <= 0 {
			e.retries = append(e.retries[:i], e.retries[i+1:]...)
			return r, 0
		} else if wait < 0 || left < wait {
			wait = left
		}
	}
	if len(e.retries) >= maxRetries {
		return nil, wait
	}
	a, w := e.target()
	if w.Batch && !closing {
		if left, waiting := e.gather(now, w); waiting {
			if wait < 0 || left < wait {
				wait = left
			}
			return nil, wait
		}
	}
	if items := e.take(now, w); len(items) > 0 {
		return newDelivery(a, w, items), 0
	}
	return nil, wait
}

// gather reports whether events wait for others to come along, and how long.
func (e *endpoint) gather(now time.Time, w *app.Webhook) (left time.Duration, waiting bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ready) > 0 || len(e.queue) == 0 || len(e.queue) >= w.BatchSize {
		return 0, false
	}
	left = e.queue[0].at.Add(w.BatchWindow).Sub(now)
	return left, left > 0
}

// take returns the events of the next request. Those of channels that are busy
// are held, those that are too old dropped.
func (e *endpoint) take(now time.Time, w *app.Webhook) (items []item) {
	most := 1
	if w.Batch {
		most = max(1, w.BatchSize)
	}
	for len(items) < most {
		it, ok := e.pop()
		name := it.event.Channel
		switch {
		case !ok:
			return items
		case e.left(it):
			e.leave([]item{it})
		case e.busy[name] > 0:
			e.held[name] = append(e.held[name], it)
		case now.Sub(it.at) > e.d.config.RetryFor:
			e.drop([]item{it}, "expired", "the URL did not take it in time")
		default:
			items = append(items, it)
		}
	}
	return items
}

// pop takes the next event, first of those that were held.
func (e *endpoint) pop() (it item, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	from := &e.ready
	if len(*from) == 0 {
		from = &e.queue
	}
	if len(*from) == 0 {
		return item{}, false
	}
	it = (*from)[0]
	(*from)[0] = item{} // what it points to may be large
	if *from = (*from)[1:]; len(*from) == 0 {
		*from = nil
	}
	return it, true
}

// land decides what becomes of a request that was made.
func (e *endpoint) land(ctx context.Context, res result) {
	e.flying--
	r, err := res.delivery, res.err
	switch {
	case err == nil:
		e.metrics.Webhooks("delivered", len(r.items))
		e.settle(r.items)
		e.release(r.items)
	case ctx.Err() != nil: // Close counts what is left
	case res.last:
		lost, kept := split(r.items, func(it item) bool { return it.share != nil })
		e.drop(lost, "dropped", "the server is stopping: "+reason(err))
		e.leaving = e.leaving || len(kept) > 0
		e.leave(kept)
		e.release(r.items)
	case !e.again(r, time.Now()):
		e.drop(r.items, "expired", reason(err))
		e.release(r.items)
	default:
		e.metrics.Webhooks("retried", len(r.items))
		e.d.log.Debug("webhook will be sent again", "app", e.drops.app, "host", e.drops.host, "tries", r.tries, "err", reason(err))
	}
}

// again schedules another try, unless that is too late.
func (e *endpoint) again(r *delivery, now time.Time) bool {
	r.due = now.Add(backoff(e.d.config.RetryAfter, r.tries))
	if r.due.Sub(r.items[0].at) > e.d.config.RetryFor {
		return false
	}
	e.retries = append(e.retries, r)
	return true
}

// claim has the events of the channels of r wait for it.
func (e *endpoint) claim(r *delivery) {
	if r.claimed {
		return
	}
	r.claimed = true
	for i := range r.items {
		e.busy[r.items[i].event.Channel]++
	}
}

// release lets those go on that waited behind items.
func (e *endpoint) release(items []item) {
	for i := range items {
		name := items[i].event.Channel
		if e.busy[name]--; e.busy[name] > 0 {
			continue
		}
		delete(e.busy, name)
		e.ready = append(e.ready, e.held[name]...)
		delete(e.held, name)
	}
}

// settle is for items that there is nothing left to do for.
func (e *endpoint) settle(items []item) {
	e.discount(items)
	for i := range items {
		items[i].share.settle()
	}
}

func (e *endpoint) drop(items []item, outcome, why string) {
	if len(items) == 0 {
		return
	}
	e.metrics.Webhooks(outcome, len(items))
	e.drops.add(len(items), why)
	e.settle(items)
}
