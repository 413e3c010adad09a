package cluster_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/client"
)

// rate is how many requests a second a feed sends to each node.
const rate = 30

// An event is one that was published to one channel. The others of its request
// are events of their own, with the same answer.
type event struct {
	key   string // its channel and its number, which is its data
	node  int    // that was asked to publish it
	shape shape  // of its request
	sent  time.Time

	// Once it is answered:
	answered time.Time
	status   int    // 0: there was no answer
	problem  string // with the answer, whatever the status
}

// A feed publishes numbered events on each node of a cluster at a steady rate,
// whether they are answered or not, as many backends would.
type feed struct {
	urls     []string
	channels []string
	client   *http.Client
	stop     chan struct{}
	wg       sync.WaitGroup

	mu      sync.Mutex // guards what follows
	events  []*event
	next    int
	padding string // of what is published, after its number
}

func startFeed(t *testing.T, nodes []*node, channels []string) *feed {
	t.Helper()
	f := &feed{channels: channels, stop: make(chan struct{})}
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	f.client = &http.Client{Transport: transport, Timeout: time.Minute}
	for i, n := range nodes {
		f.urls = append(f.urls, "http://127.0.0.1:"+n.port)
		f.wg.Go(func() { f.run(i) })
	}
	t.Cleanup(func() {
		f.end()
		transport.CloseIdleConnections()
	})
	return f
}

// end stops publishing, and waits for the answers.
func (f *feed) end() {
	select {
	case <-f.stop:
	default:
		close(f.stop)
	}
	f.wg.Wait()
}

func (f *feed) run(node int) {
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-f.stop:
			return
		case <-tick.C:
			f.wg.Go(func() { f.publish(node, nth(i)) })
		}
	}
}

// A shape is which of the requests that publish is made.
type shape int

const (
	single shape = iota // one event for one channel
	multi               // one event for two channels
	batch               // three events
)

func (s shape) String() string { return [...]string{"single", "multi", "batch"}[s] }

// nth is the shape of a feed's nth request: of most it is a single one.
func nth(n int) shape {
	switch n % 10 {
	case 4:
		return multi
	case 9:
		return batch
	}
	return single
}

// publish makes one request, and notes how it was answered.
func (f *feed) publish(node int, s shape) []*event {
	events, path, body := f.compose(node, s)
	status, problem := f.post(node, path, body)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range events {
		e.answered, e.status, e.problem = time.Now(), status, problem
	}
	return events
}

// pad makes events longer from now on.
func (f *feed) pad(with string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.padding = with
}

// compose numbers the events of a request and writes its body.
func (f *feed) compose(node int, s shape) (events []*event, path string, body any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.next
	f.next++
	number := fmt.Sprint(n)
	data := strings.TrimSpace(number + " " + f.padding)
	channel := func(i int) string { return f.channels[(n+i)%len(f.channels)] }
	add := func(channel string) string {
		e := &event{key: channel + "/" + number, node: node, shape: s, sent: time.Now()}
		events = append(events, e)
		f.events = append(f.events, e)
		return channel
	}
	switch s {
	case multi:
		return events, "/events", map[string]any{"name": "n", "data": data, "channels": []string{add(channel(0)), add(channel(1))}}
	case batch:
		var all []map[string]any
		for i := range 3 {
			all = append(all, map[string]any{"name": "n", "data": data, "channel": add(channel(i))})
		}
		return events, "/batch_events", map[string]any{"batch": all}
	}
	return events, "/events", map[string]any{"name": "n", "data": data, "channel": add(channel(0))}
}

// post signs and sends a request.
func (f *feed) post(node int, path string, body any) (status int, problem string) {
	b, err := json.Marshal(body)
	if err != nil {
		return 0, err.Error()
	}
	path = "/apps/main-id" + path
	query := client.SignQuery("main-key", "main-secret", http.MethodPost, path, nil, b, time.Now())
	res, err := f.client.Post(f.urls[node]+path+"?"+conformance.Encode(query), "application/json", bytes.NewReader(b))
	var failed *url.Error // whose URL differs in each
	if errors.As(err, &failed) {
		err = failed.Err
	}
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return 0, err.Error()
	case res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") == "":
		problem = "503 does not say when to try again"
	case res.StatusCode != http.StatusOK && res.StatusCode != http.StatusServiceUnavailable:
		problem = fmt.Sprintf("%d %s", res.StatusCode, strings.TrimSpace(string(text)))
	}
	return res.StatusCode, problem
}

// burst makes n requests at once, one event each, and waits for the answers.
func (f *feed) burst(node, n int) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { f.publish(node, single) })
	}
	wg.Wait()
}

// forget drops all events that have their answer.
func (f *feed) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = slices.DeleteFunc(f.events, func(e *event) bool { return !e.answered.IsZero() })
}

// problems counts what was wrong with answers.
func (f *feed) problems() map[string]int {
	all := map[string]int{}
	for _, e := range f.answered() {
		if e.problem != "" {
			all[e.problem]++
		}
	}
	return all
}

// answered returns a copy of all events that have their answer.
func (f *feed) answered() []event {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []event
	for _, e := range f.events {
		if !e.answered.IsZero() {
			all = append(all, *e)
		}
	}
	return all
}
