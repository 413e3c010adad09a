package clustertest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/webhook"
)

// backend is what webhooks of all nodes are posted to. It may fail, and takes
// nothing from nodes that are dead.
type backend struct {
	url  string
	tell func(news)

	mu      sync.Mutex // guards what follows; held while it tells, which keeps the order
	failing bool
	refused map[string]bool // by the labels of nodes
}

func newBackend(tb testing.TB, tell func(news)) *backend {
	tb.Helper()
	b := &backend{tell: tell, refused: map[string]bool{}}
	server := httptest.NewServer(b)
	tb.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// webhook is where a node tells of channels and members.
func (b *backend) webhook(label string) app.Webhook {
	w := app.DefaultWebhook
	w.URL = b.url + "/" + label
	w.Events = []string{"channel_existence", "presence"}
	w.Batch, w.BatchWindow = true, 10*time.Millisecond
	return w
}

// dispatch is how nodes post: again and again, for as long as a run may take.
func dispatch() webhook.Config {
	c := webhook.DefaultConfig()
	c.Allow = []string{"127.0.0.0/8"}
	c.RetryAfter, c.RetryFor = 50*time.Millisecond, time.Hour
	return c
}

// refuse has the backend take nothing of a node anymore.
func (b *backend) refuse(label string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused[label] = true
}

// fail has the backend take nothing at all, or all again.
func (b *backend) fail(failing bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failing = failing
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Events []struct {
			Name    string
			Channel string
			UserID  string `json:"user_id"`
		}
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil || b.failing || b.refused[strings.TrimPrefix(r.URL.Path, "/")] {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	for _, e := range body.Events {
		came := e.Name == app.ChannelOccupied || e.Name == app.MemberAdded
		b.tell(news{subject{e.Channel, e.UserID}, came})
	}
}
