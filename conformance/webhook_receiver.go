package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// WebhookReceiver takes the webhooks that the target sends. It is an HTTP
// server whose URL the target must have been given beforehand, since no API of
// the protocol sets it; all cases share it, and each looks for the channels
// that it has named itself.
type WebhookReceiver struct {
	// Static after construction.
	URL  string // of the webhooks of all events
	Only string // of the webhooks of channel_existence alone

	server *http.Server

	mu      sync.Mutex // guards what follows
	calls   []WebhookCall
	refuse  map[string]int           // how many more calls that name a channel are answered with 500
	hang    map[string]chan struct{} // calls that name a channel wait for the channel to be closed
	changed chan struct{}            // is closed, and made anew, when a call comes
}

// WebhookCall is one POST of the target.
type WebhookCall struct {
	At     time.Time
	Path   string
	Header http.Header
	Body   string
	Status int // with which it was answered
	Events []WebhookEvent
	TimeMS json.RawMessage
}

// WebhookEvent is one event of a webhook, with its values as they came.
type WebhookEvent map[string]json.RawMessage

// Text is a value that is a string; anything else is "".
func (e WebhookEvent) Text(key string) string {
	var s string
	if json.Unmarshal(e[key], &s) != nil {
		return ""
	}
	return s
}

// NewWebhookReceiver listens on address; port 0 is any free one.
func NewWebhookReceiver(address string) (*WebhookReceiver, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for webhooks: %w", err)
	}
	base := "http://" + ln.Addr().String()
	w := &WebhookReceiver{
		URL: base + "/all", Only: base + "/channel_existence",
		refuse: map[string]int{}, hang: map[string]chan struct{}{}, changed: make(chan struct{}),
	}
	w.server = &http.Server{Handler: w, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.server.Serve(ln) }() // until Close
	return w, nil
}

// Close stops the receiver.
func (w *WebhookReceiver) Close() error {
	w.mu.Lock()
	for channel, release := range w.hang {
		close(release)
		delete(w.hang, channel)
	}
	w.mu.Unlock()
	return w.server.Close()
}

// maxWebhook is how large a webhook may be.
const maxWebhook = 4 << 20

// ServeHTTP records a call, and answers it as it was told to.
func (w *WebhookReceiver) ServeHTTP(res http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, maxWebhook))
	if err != nil || req.Method != http.MethodPost {
		http.Error(res, "a webhook is a POST", http.StatusMethodNotAllowed)
		return
	}
	call := WebhookCall{At: time.Now(), Path: req.URL.Path, Header: req.Header.Clone(), Body: string(body), Status: http.StatusOK}
	var payload struct {
		TimeMS json.RawMessage `json:"time_ms"`
		Events []WebhookEvent  `json:"events"`
	}
	if json.Unmarshal(body, &payload) == nil {
		call.Events, call.TimeMS = payload.Events, payload.TimeMS
	}
	status, release := w.take(call)
	if release != nil {
		select {
		case <-release:
		case <-req.Context().Done():
		}
	}
	res.WriteHeader(status)
}

// take records a call and says how to answer it.
func (w *WebhookReceiver) take(call WebhookCall) (status int, release <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range call.Events {
		channel := e.Text("channel")
		if call.Path != allWebhooks { // what is told twice is refused once
			break
		}
		if w.refuse[channel] > 0 && call.Status == http.StatusOK {
			w.refuse[channel]--
			call.Status = http.StatusInternalServerError
		}
		if r := w.hang[channel]; r != nil {
			release = r
		}
	}
	w.calls = append(w.calls, call)
	close(w.changed)
	w.changed = make(chan struct{})
	return call.Status, release
}

// Refuse has the next n calls to URL that name a channel answered with 500.
func (w *WebhookReceiver) Refuse(channel string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse[channel] = n
}

// Hang has calls to URL that name a channel wait for an answer, until release.
func (w *WebhookReceiver) Hang(channel string) (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan struct{})
	w.hang[channel] = c
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.hang[channel] == c {
			close(c)
			delete(w.hang, channel)
		}
	}
}

// Calls returns those calls to path that name a channel, in their order, and a
// channel that is closed when there are more.
func (w *WebhookReceiver) Calls(path, channel string) (calls []WebhookCall, more <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		names := slices.ContainsFunc(c.Events, func(e WebhookEvent) bool { return e.Text("channel") == channel })
		if c.Path == path && names {
			calls = append(calls, c)
		}
	}
	return calls, w.changed
}

// delivered are those events of calls, of a channel, that were answered with
// 200.
func delivered(calls []WebhookCall, channel string) (events []WebhookEvent) {
	for _, c := range calls {
		if c.Status != http.StatusOK {
			continue
		}
		for _, e := range c.Events {
			if e.Text("channel") == channel {
				events = append(events, e)
			}
		}
	}
	return events
}

var errNoReceiver = errors.New("no webhook receiver was given")

// Webhooks is the receiver of the target.
func (t *T) Webhooks() *WebhookReceiver {
	if t.Target.Webhooks == nil {
		t.Skipf("%v", errNoReceiver)
	}
	return t.Target.Webhooks
}

const (
	allWebhooks       = "/all"
	existenceWebhooks = "/channel_existence"
)

// webhookWait is how long a webhook may take that is delayed by 3 s, and sent
// again after some more.
func (t *T) webhookWait() time.Duration { return t.Target.Timeout + 15*time.Second }

// AwaitWebhooks waits until ok holds of the calls that name a channel.
func (t *T) AwaitWebhooks(path, channel, what string, ok func([]WebhookCall) bool) []WebhookCall {
	w := t.Webhooks()
	timer := time.NewTimer(t.webhookWait())
	defer timer.Stop()
	for {
		calls, more := w.Calls(path, channel)
		if ok(calls) {
			return calls
		}
		select {
		case <-more:
		case <-timer.C:
			t.Mismatch("webhooks of "+channel, what, t.describe(calls))
		case <-t.ctx.Done():
			t.Mismatch("webhooks of "+channel, what, t.describe(calls))
		}
	}
}

func (t *T) describe(calls []WebhookCall) string {
	if len(calls) == 0 {
		return "none"
	}
	text := ""
	for _, c := range calls {
		text += fmt.Sprintf("%d %s\n", c.Status, c.Body)
	}
	return text
}

// AwaitWebhook waits for the nth event of a name on a channel, the first of
// which is 1.
func (t *T) AwaitWebhook(name, channel string, nth int) (WebhookEvent, WebhookCall) {
	var event WebhookEvent
	var call WebhookCall
	t.AwaitWebhooks(allWebhooks, channel, fmt.Sprintf("%s, %d of them", name, nth), func(calls []WebhookCall) bool {
		n := 0
		for _, c := range calls {
			for _, e := range delivered([]WebhookCall{c}, channel) {
				if e.Text("name") == name {
					if n++; n == nth {
						event, call = e, c
						return true
					}
				}
			}
		}
		return false
	})
	t.record("note", "", "webhook "+call.Body)
	return event, call
}

// CountWebhooks is how many events of a name have come for a channel.
func (t *T) CountWebhooks(name, channel string) (n int) {
	calls, _ := t.Webhooks().Calls(allWebhooks, channel)
	for _, e := range delivered(calls, channel) {
		if e.Text("name") == name {
			n++
		}
	}
	return n
}
