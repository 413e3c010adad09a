package api_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

// censor decides by what an event's data is.
func censor() *hookstest.Plugin {
	return hookstest.New("censor", map[abi.Hook]hookstest.Func{
		abi.OnMessage: func(ctx context.Context, e *hooks.Event, v *hooks.Verdict) error {
			switch e.Data {
			case "spam":
				return hookstest.Deny("no advertisements")(ctx, e, v)
			case "crash":
				return errors.New("it has trapped")
			case "psst":
				return hookstest.Drop()(ctx, e, v)
			case "damn":
				return hookstest.Replace(func(v *hooks.Verdict) { v.Event, v.Data = []byte("mild"), []byte(`"****"`) })(ctx, e, v)
			case "mad":
				return hookstest.Replace(func(v *hooks.Verdict) { v.Event = []byte("pusher:error") })(ctx, e, v)
			}
			return nil
		},
	})
}

func TestPluginsScreenEvents(t *testing.T) {
	for data, want := range map[string]struct {
		status int
		body   string
		heard  string
	}{
		"hello": {http.StatusOK, "{}", `{"event":"e","channel":"news","data":"hello"}`},
		"damn":  {http.StatusOK, "{}", `{"event":"mild","channel":"news","data":"\"****\""}`},
		"psst":  {http.StatusOK, "{}", ""},
		"spam":  {http.StatusForbidden, "no advertisements", ""},
		"crash": {http.StatusServiceUnavailable, "try again later", ""},
		"mad":   {http.StatusServiceUnavailable, "try again later", ""},
	} {
		t.Run(data, func(t *testing.T) {
			s := newStage(t, options{hooks: hookstest.Hooks(t, censor())})
			s.join("amy", "news", "")
			got := s.do(trigger(t, object{"name": "e", "channel": "news", "data": data}))
			if got.status != want.status || !strings.Contains(got.body, want.body) {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, want.status, want.body)
			}
			if again := got.header.Get("Retry-After"); (again != "") != (want.status == http.StatusServiceUnavailable) {
				t.Errorf("Retry-After is %q", again)
			}
			if heard := strings.Join(s.heard()["amy"], " "); heard != want.heard {
				t.Errorf("amy heard %s, want %s", heard, want.heard)
			}
		})
	}
}

// A plugin is asked once for each channel, whoever is in it, and told who does
// not get the event.
func TestPluginsAreAskedOncePerChannel(t *testing.T) {
	p := censor()
	s := newStage(t, options{hooks: hookstest.Hooks(t, p)})
	for _, name := range []string{"amy", "bob", "cid"} {
		s.join(name, "news", "")
	}
	s.do(trigger(t, object{"name": "e", "channels": []string{"news", "cache-more"}, "data": "x", "socket_id": "1.1"}))
	calls := p.Calls()
	if len(calls) != 2 {
		t.Fatalf("asked %d times, want 2", len(calls))
	}
	first := hooks.Event{App: "1", Channel: "news", SocketID: "1.1", Name: "e", Data: "x", HasData: true, Flags: abi.FromAPI, Subscribers: 3}
	if !reflect.DeepEqual(calls[0].Event, first) {
		t.Errorf("asked of %+v, want %+v", calls[0].Event, first)
	}
	if f := calls[1].Event.Flags; f != abi.FromAPI|abi.CacheEvent {
		t.Errorf("the flags of the other are %b", f)
	}
}

// Of several events, or of one to several channels, all are asked about before
// any is published.
func TestPluginsScreenAllOrNothing(t *testing.T) {
	p := censor()
	s := newStage(t, options{hooks: hookstest.Hooks(t, p)})
	s.join("amy", "news", "")
	s.join("bob", "more", "")
	event := func(channel, data string) object { return object{"name": "e", "channel": channel, "data": data} }
	batch := func(events ...object) result {
		c := trigger(t, object{"batch": events})
		c.path = "/apps/1/batch_events"
		return s.do(c)
	}

	got := batch(event("news", "hello"), event("more", "spam"))
	if got.status != http.StatusForbidden || !strings.Contains(got.body, "no advertisements (in batch[1])") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	got = batch(event("news", "hello"), event("more", "crash"))
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("got %d %s %v", got.status, got.body, got.header)
	}
	if heard := s.heard(); len(heard["amy"])+len(heard["bob"]) != 0 {
		t.Errorf("heard %v of refused batches", heard)
	}
	if f := p.Calls()[0].Event.Flags; f != abi.FromAPI|abi.InBatch {
		t.Errorf("the flags are %b", f)
	}
	if got := batch(event("news", "psst"), event("more", "damn")); got.status != http.StatusOK {
		t.Errorf("got %d %s", got.status, got.body)
	}
	heard := s.heard()
	if len(heard["amy"]) != 0 || len(heard["bob"]) != 1 || !strings.Contains(heard["bob"][0], "****") {
		t.Errorf("heard %v", heard)
	}
}

// What a cache channel replays is what went out.
func TestCacheKeepsWhatPluginsLeave(t *testing.T) {
	s := newStage(t, options{hooks: hookstest.Hooks(t, censor())})
	s.do(trigger(t, object{"name": "e", "channel": "cache-news", "data": "damn"}))
	s.do(trigger(t, object{"name": "e", "channel": "cache-news", "data": "psst"}))
	got := s.do(call{method: "GET", path: "/apps/1/channels/cache-news", query: "info=cache"})
	if !strings.Contains(got.body, "****") {
		t.Errorf("the cache has %s", got.body)
	}
}
