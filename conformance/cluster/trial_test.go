package cluster_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// channels are what a feed publishes to: enough of them to be in many
// partitions, one that remembers its last event, and one that knows its members.
var channels = []string{"c0", "c1", "c2", "c3", "c4", "c5", "cache-c", "presence-c"}

// A trial is a cluster with clients and backends that go on while something is
// broken.
type trial struct {
	*testing.T
	nodes     []*node
	listeners []*listener
	feed      *feed
	lostWas   float64 // of the metric, at the beginning

	mu      sync.Mutex   // guards what follows
	begun   time.Time    // of the fault
	dying   [2]time.Time // when Redis died: what it was told last it may have lost
	usable  time.Time    // from when on Redis can be used again, or could be all the time
	excused map[int]bool
	behind  int // the node for which Redis has not kept everything; 0 is none
}

// startNodes starts n nodes, each with its own lines for [redis].
func startNodes(t *testing.T, n int, redis func(node int) string) []*node {
	t.Helper()
	readSources(t)
	var all []*node
	for i := range n {
		d := newNode(t, redis(i))
		if err := d.begin(); err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// newNode returns a node that does not run yet. It ends with the test.
func newNode(t *testing.T, redis string) *node {
	t.Helper()
	d := &node{tb: t, file: filepath.Join(t.TempDir(), "revurb.toml"), port: "0"}
	d.configure("0", redis)
	t.Cleanup(func() {
		if d.cmd != nil {
			_ = d.kill() // it may be dead
		}
		if t.Failed() {
			t.Logf("the node at port %s wrote:\n%.8000s", d.port, d.output.String())
		}
	})
	return d
}

// begin starts a node, which from then on keeps its port.
func (n *node) begin() error {
	if err := n.start(); err != nil {
		return err
	}
	b, err := os.ReadFile(n.file)
	if err != nil {
		return err
	}
	text := strings.Replace(string(b), "\nport = 0\n", "\nport = "+n.port+"\n", 1)
	return os.WriteFile(n.file, []byte(text), 0o600)
}

// configure writes the configuration of a node whose metrics can be read.
func (n *node) configure(port, redis string) {
	n.tb.Helper()
	text := fmt.Sprintf(`
[server]
host = "127.0.0.1"
port = %s
drain_timeout = "500ms"

[admin]
listen = "127.0.0.1:0"

[redis]
%s

[[apps]]
id = "main-id"
key = "main-key"
secret = "main-secret"
max_presence_members = 0
`, port, redis)
	if err := os.WriteFile(n.file, []byte(text), 0o600); err != nil {
		n.tb.Fatal(err)
	}
}

// metric returns the sum of the values of a metric of n; 0 if there is none.
func (n *node) metric(name string) (float64, error) {
	text := n.output.String()
	_, rest, ok := strings.Cut(text[strings.LastIndex(text, "Admin "):], "http://")
	if !ok {
		return 0, errors.New("the node does not say where its metrics are")
	}
	addr, _, _ := strings.Cut(rest, "/")
	res, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		return 0, err
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for line := range strings.Lines(string(b)) {
		id, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if id == name || strings.HasPrefix(id, name+"{") {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return 0, err
			}
			sum += v
		}
	}
	return sum, nil
}

// metric returns the sum of a metric over all nodes that can be asked.
func (tr *trial) metric(name string) float64 {
	sum := 0.0
	for _, n := range tr.nodes {
		if v, err := n.metric(name); err == nil {
			sum += v
		}
	}
	return sum
}

// newTrial connects each clients to every node and begins to publish. It returns
// when events reach everybody.
func newTrial(t *testing.T, nodes []*node, clients int) *trial {
	t.Helper()
	tr := &trial{T: t, nodes: nodes, excused: map[int]bool{}}
	for i, n := range nodes {
		for k := range clients {
			tr.listeners = append(tr.listeners, listen(t, i, n.port, fmt.Sprintf("u%d-%d", i, k), channels))
		}
	}
	tr.until("everybody is subscribed", 30*time.Second, func() bool {
		for _, l := range tr.listeners {
			if err := l.end(); err != nil {
				t.Fatalf("a client of node %d cannot subscribe: %v", l.node, err)
			}
			if !l.ready() {
				return false
			}
		}
		return true
	})
	tr.feed = startFeed(t, nodes, channels)
	begun := time.Now()
	if !tr.within(30*time.Second, func() bool { return tr.flows(begun) }) {
		t.Fatalf("events do not reach everybody: %s", tr.stuck(begun))
	}
	tr.lostWas = tr.metric("revurb_cluster_lost_events_total")
	return tr
}

// until waits for a condition, and fails the test if it does not come true.
func (tr *trial) until(what string, limit time.Duration, check func() bool) {
	tr.Helper()
	if !tr.within(limit, check) {
		tr.Fatalf("not within %v: %s", limit, what)
	}
}

func (tr *trial) within(limit time.Duration, check func() bool) bool {
	for deadline := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		if check() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// pass lets the feed go on for a while.
func (tr *trial) pass(d time.Duration) {
	select {
	case <-time.After(d):
	case <-tr.Context().Done():
	}
}

// now notes that the fault begins.
func (tr *trial) now() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.begun = time.Now()
}

// dies does what makes Redis lose what it was told last.
func (tr *trial) dies(f func()) {
	begun := time.Now()
	f()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.dying = [2]time.Time{begun, time.Now()}
}

// heals notes that Redis can be used again.
func (tr *trial) heals() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.usable = time.Now()
}

// excuse has a node answer as late as it likes, for it is paused.
func (tr *trial) excuse(node int) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.excused[node] = true
}

// forgets notes that a node is cut off for longer than Redis keeps events.
func (tr *trial) forgets(node int) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.behind = node
}

// present returns the clients that were connected all the time.
func (tr *trial) present() []*listener {
	var all []*listener
	for _, l := range tr.listeners {
		if l.end() == nil {
			all = append(all, l)
		}
	}
	return all
}

// flows reports whether an event of each node, and one of each channel, that was
// sent since then has reached everybody.
func (tr *trial) flows(since time.Time) bool {
	_, flows := tr.back(since)
	return flows
}

// back returns when the last channel, and the last node, had its first event that
// was sent since then and reached everybody.
func (tr *trial) back(since time.Time) (last time.Time, all bool) {
	first := map[string]time.Time{}
	present := tr.present()
	for _, e := range tr.feed.answered() {
		if e.status != http.StatusOK || e.sent.Before(since) {
			continue
		}
		at, reached := everybody(present, e.key)
		if !reached {
			continue
		}
		channel, _, _ := strings.Cut(e.key, "/")
		for _, what := range []string{channel, fmt.Sprint("node ", e.node)} {
			if t, ok := first[what]; !ok || at.Before(t) {
				first[what] = at
			}
		}
	}
	for _, at := range first {
		if at.After(last) {
			last = at
		}
	}
	return last, len(first) == len(tr.feed.channels)+len(tr.feed.urls)
}

// stuck says what keeps events that were sent since then from everybody.
func (tr *trial) stuck(since time.Time) string {
	answers, missed := map[int]int{}, map[string]int{}
	for _, e := range tr.feed.answered() {
		if e.sent.Before(since) {
			continue
		}
		answers[e.status]++
		channel, _, _ := strings.Cut(e.key, "/")
		for _, l := range tr.present() {
			if e.status == http.StatusOK && l.whenHeard(e.key).IsZero() {
				missed[fmt.Sprintf("%s from %d to %d", channel, e.node, l.node)]++
			}
		}
	}
	return fmt.Sprintf("answers %v, missed %v, connected clients %d of %d", answers, missed, len(tr.present()), len(tr.listeners))
}

// everybody returns when the last of the clients heard an event.
func everybody(clients []*listener, key string) (last time.Time, all bool) {
	for _, l := range clients {
		at := l.whenHeard(key)
		if at.IsZero() {
			return last, false
		}
		if at.After(last) {
			last = at
		}
	}
	return last, true
}
