package cluster_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// TestOrder has backends publish one request after the other to one channel, each
// at a node of its own: clients of all nodes hear the same in the same order, and
// what a backend has sent in its order.
func TestOrder(t *testing.T) {
	requests := 200
	if os.Getenv("REVURB_LONG") == "1" {
		requests = 1000
	}
	for _, publishers := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d publishers", publishers), func(t *testing.T) {
			r := redistest.Start(t)
			nodes := startNodes(t, 3, func(int) string { return fmt.Sprintf("url = %q", r.URL()) })
			tr := &trial{T: t, nodes: nodes}
			for i, n := range nodes {
				tr.listeners = append(tr.listeners, listen(t, i, n.port, fmt.Sprint("u", i), []string{"c0"}))
			}
			tr.until("everybody is subscribed", 20*time.Second, func() bool {
				return !slices.ContainsFunc(tr.listeners, func(l *listener) bool { return !l.ready() })
			})
			tr.feed = startFeed(t, nil, nil)
			for _, n := range nodes {
				tr.feed.urls = append(tr.feed.urls, "http://127.0.0.1:"+n.port)
			}
			var wg sync.WaitGroup
			for p := range publishers {
				wg.Go(func() { tr.inOrder(p, requests) })
			}
			wg.Wait()
			all := publishers * requests * 10
			for _, l := range tr.listeners {
				tr.within(20*time.Second, func() bool { return len(l.sequence("c0")) == all })
			}
			for _, l := range tr.listeners {
				got := l.sequence("c0")
				if len(got) != all || l.repeated() > 0 {
					t.Errorf("a client of node %d hears %d events and %d of them again, want %d", l.node, len(got), l.repeated(), all)
				}
				if !slices.Equal(got, tr.listeners[0].sequence("c0")) {
					t.Errorf("clients of nodes 0 and %d hear events in another order", l.node)
				}
				for p := range publishers {
					if mine := of(p, got); !slices.IsSorted(mine) {
						t.Errorf("a client of node %d hears what backend %d has sent in another order", l.node, p)
					}
				}
			}
		})
	}
}

// inOrder publishes batches of ten events, numbered with their publisher.
func (tr *trial) inOrder(publisher, requests int) {
	for i := range requests {
		var all []map[string]any
		for k := range 10 {
			all = append(all, map[string]any{"name": "n", "channel": "c0", "data": fmt.Sprintf("%d-%d", publisher, i*10+k)})
		}
		status, problem := tr.feed.post(publisher, "/batch_events", map[string]any{"batch": all})
		if status != http.StatusOK {
			tr.Errorf("a batch is answered with %d %s", status, problem)
			return
		}
	}
}

// of returns the numbers of a publisher's events, as they came.
func of(publisher int, keys []string) (numbers []int) {
	for _, key := range keys {
		if rest, ok := strings.CutPrefix(key, fmt.Sprintf("c0/%d-", publisher)); ok {
			n, _ := strconv.Atoi(rest) // else it is out of order
			numbers = append(numbers, n)
		}
	}
	return numbers
}
