package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
)

// A server that stops tells backends of everyone who was there, and of those
// who might have come back; it needs no more time than it was given.
func TestStopTellsBackends(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []string
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var webhook struct {
			Events []struct{ Name, Channel string }
		}
		if err := json.Unmarshal(body, &webhook); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range webhook.Events {
			told = append(told, e.Name+" "+e.Channel)
		}
	}))
	defer backend.Close()
	release := make(chan struct{})
	hole := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hole.Close()
	defer close(release)

	s := serve(t, func(c *config.Config) {
		c.WebSocket.CloseTimeout = 10 * time.Second // which the hole takes altogether, and a busy backend may
		c.Webhooks.Allow = []string{"127.0.0.1"}
		for _, url := range []string{backend.URL, hole.URL + "/canary-path"} {
			w := app.DefaultWebhook
			w.URL, w.Headers, w.Timeout = url, []string{"X-Token: canary-header"}, time.Hour
			c.Apps[0].Webhooks = append(c.Apps[0].Webhooks, w)
		}
	})
	gone, stays := s.connect(), s.connect()
	must(t, gone.subscribe("left", nil))
	must(t, stays.subscribe("presence-room", stays.credentials("presence-room", `{"user_id":"1"}`)))
	must(t, gone.Close())
	eventually(t, "the first client has gone", func() bool {
		connections, _, _ := s.gauges()
		return connections == 1
	})
	s.stop()
	must(t, seeShutdown(stays))
	must(t, stays.answerClose(4200))
	s.wait()

	mu.Lock()
	defer mu.Unlock()
	slices.Sort(told)
	want := "channel_occupied left, channel_occupied presence-room, channel_vacated left, channel_vacated presence-room, " +
		"member_added presence-room, member_removed presence-room"
	if got := strings.Join(told, ", "); got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	log := s.log.String()
	if !strings.Contains(log, "webhooks were not delivered in time") {
		t.Errorf("the log does not say that some are lost:\n%s", log)
	}
	if strings.Contains(log, "canary") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
}
