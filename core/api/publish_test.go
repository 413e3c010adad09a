package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/app"
)

// trigger is a call that publishes v, a value that is encoded to JSON.
func trigger(t testing.TB, v any) call {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return call{method: "POST", path: "/apps/1/events", body: string(b)}
}

type object = map[string]any

// HE-04: what was sent as data is what a client reads as data.
func TestDataArrivesAsItWasSent(t *testing.T) {
	s := newStage(t, options{})
	s.join("amy", "news", "")
	for _, data := range []string{
		`{"a":1}`, "plain", `"quoted"`, "null", "12", "", "é", "😀", "\u0000", "</script>&", "\u2028", `\`, "a\r\n\tb", "\x7f",
	} {
		t.Run(strconv.Quote(data), func(t *testing.T) {
			s.t = t
			if got := s.do(trigger(t, object{"name": "e", "channel": "news", "data": data})); got.status != http.StatusOK {
				t.Fatalf("got %d %s, want 200", got.status, got.body)
			}
			heard := s.heard()["amy"]
			if len(heard) != 1 {
				t.Fatalf("amy heard %q, want one message", heard)
			}
			var m struct{ Data string }
			if err := json.Unmarshal([]byte(heard[0]), &m); err != nil || m.Data != data {
				t.Errorf("amy read %q (%v), want %q", m.Data, err, data)
			}
		})
	}
}

// The bytes of a string are not written anew, however its author escaped them.
func TestDataIsNotReencoded(t *testing.T) {
	s := newStage(t, options{})
	s.join("amy", "news", "")
	for _, raw := range []string{`"\u00e9\/\u003c"`, `"é/<"`, `"\ud83d\ude00"`, `"\ud800"`, `""`} {
		s.do(call{method: "POST", path: "/apps/1/events", body: `{"name":"e","channel":"news","data":` + raw + `}`})
		want := []string{`{"event":"e","channel":"news","data":` + raw + `}`}
		if got := s.heard()["amy"]; !reflect.DeepEqual(got, want) {
			t.Errorf("amy heard %q, want %q", got, want)
		}
	}
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = "c" + strconv.Itoa(i)
	}
	return list
}

func TestLimitsOfEvents(t *testing.T) {
	event := func(change object) object {
		e := object{"name": "e", "channel": "c0", "data": "x"}
		for k, v := range change {
			e[k] = v
		}
		return e
	}
	batch := func(n int, last object) object {
		events := make([]object, n)
		for i := range events {
			events[i] = event(nil)
		}
		events[n-1] = event(last)
		return object{"batch": events}
	}
	big := func(n int) string { return strings.Repeat("é", n/2) + strings.Repeat("x", n%2) }
	tests := []struct {
		name   string
		body   object
		status int
		heard  int
	}{
		{"HE-07 data of 10240 bytes", event(object{"data": big(10240)}), 200, 1},
		{"HE-07 data of 10241 bytes", event(object{"data": big(10241)}), 413, 0},
		{"HE-07 data of 10241 bytes to two channels", event(object{"channels": []string{"c1", "c2"}, "data": big(10241)}), 413, 0},
		{"HE-08 100 channels", object{"name": "e", "data": "x", "channels": names(100)}, 200, 1},
		{"HE-08 101 channels", object{"name": "e", "data": "x", "channels": names(101)}, 400, 0},
		{"HE-08 100 channels, one of them twice", event(object{"channels": names(100)}), 200, 1},
		{"HE-08 a channel and 100 others", event(object{"channel": "other", "channels": names(100)}), 400, 0},
		{"HE-08 no channels", object{"name": "e", "data": "x", "channels": []string{}}, 400, 0},
		{"HE-09 a name of 200 characters", event(object{"name": strings.Repeat("é", 200)}), 200, 1},
		{"HE-09 a name of 201 characters", event(object{"name": strings.Repeat("é", 201)}), 400, 0},
		{"HE-09 no name at all", event(object{"name": ""}), 400, 0},
		{"HE-12 a channel that can be none", event(object{"channels": []string{"c0", "a/b"}}), 400, 0},
		{"HE-12 a channel with a long name", event(object{"channels": []string{strings.Repeat("x", 201)}}), 400, 0},
		{"HE-14 any characters in a name", event(object{"name": `App\Events\Ünread "x" 😀.`}), 200, 1},
		{"HE-16 info that there is not", event(object{"info": "nope"}), 400, 0},
		{"HE-16 info that is no list", event(object{"info": 7}), 400, 0},
		{"info that is an array", event(object{"info": []string{"subscription_count"}}), 200, 1},
		{"info that is null", event(object{"info": nil}), 200, 1},
		{"a channel that is null", event(object{"channel": nil, "channels": []string{"c0"}}), 200, 1},
		{"channels that are null", event(object{"channels": nil}), 200, 1},
		{"the channel of a user", event(object{"channels": []string{"c0", "#server-to-user-7"}}), 200, 1},
		{"HE-22 a batch of 10", batch(10, nil), 200, 10},
		{"HE-22 a batch of 11", batch(11, nil), 400, 0},
		{"HE-23 a batch with one that is too big", batch(3, object{"data": big(10241)}), 413, 0},
		{"HE-23 a batch with a reserved name", batch(3, object{"name": "pusher:x"}), 400, 0},
	}
	s := newStage(t, options{})
	s.join("amy", "c0", "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			c := trigger(t, tt.body)
			if tt.body["batch"] != nil {
				c.path = "/apps/1/batch_events"
			}
			if got := s.do(c); got.status != tt.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, tt.status)
			}
			if got := len(s.heard()["amy"]); got != tt.heard {
				t.Errorf("amy heard %d messages, want %d", got, tt.heard)
			}
		})
	}
}

func TestTextOfTooMuchData(t *testing.T) {
	s := newStage(t, options{})
	got := s.do(trigger(t, object{"name": "e", "channel": "news", "data": strings.Repeat("x", 10241)}))
	if want := "The data content of this event exceeds the allowed maximum (10240 bytes)"; !strings.HasPrefix(got.body, want) {
		t.Errorf("got %q, want it to begin with %q", got.body, want)
	}
}

// HE-05: who is left out is left out in all channels.
func TestExcludedEverywhere(t *testing.T) {
	s := newStage(t, options{})
	amy := s.join("amy", "a", "")
	s.join("amy", "b", "")
	s.join("bob", "a", "")
	s.join("bob", "b", "")
	s.do(trigger(t, object{"name": "e", "channels": []string{"a", "b"}, "data": "x", "socket_id": amy.session.ID}))
	want := map[string][]string{"bob": {`{"event":"e","channel":"a","data":"x"}`, `{"event":"e","channel":"b","data":"x"}`}}
	if got := s.heard(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A body has room for very many names; they are counted in no time.
func TestVeryManyChannels(t *testing.T) {
	s := newStage(t, options{})
	got := s.do(trigger(t, object{"name": "e", "data": "x", "channels": names(90_000)}))
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, "not to 90000") {
		t.Errorf("got %d %s, want 400 that says how many there were", got.status, got.body)
	}
}

// HE-25: an app that is disabled publishes nothing; who cannot sign is not told.
func TestDisabledApp(t *testing.T) {
	s := newStage(t, options{app: func(a *app.App) { a.Enabled = false }})
	s.join("amy", "news", "")
	c := trigger(t, object{"name": "e", "channel": "news", "data": "x"})
	if got := s.do(c); got.status != http.StatusForbidden || got.body != "Application disabled\n" {
		t.Errorf("got %d %q, want 403", got.status, got.body)
	}
	if heard := s.heard(); len(heard) > 0 {
		t.Errorf("clients heard %v, want nothing", heard)
	}
	c.after = drop("auth_signature")
	if got := s.do(c); got.status != http.StatusUnauthorized {
		t.Errorf("unsigned: got %d, want 401", got.status)
	}
}

// HE-26: requests follow one another on one connection, those that fail too.
func TestKeepAlive(t *testing.T) {
	s := newStage(t, options{})
	// The client would open another connection if it had not put the first back yet.
	s.server.Client().Transport.(*http.Transport).MaxConnsPerHost = 1
	connections := map[string]bool{}
	for i := range 100 {
		c := trigger(t, object{"name": "e", "channel": "news", "data": "x"})
		want := http.StatusOK
		switch i % 4 {
		case 1:
			c, want = call{method: "GET", path: "/apps/1/channels"}, http.StatusOK
		case 2:
			c.after, want = drop("auth_key"), http.StatusUnauthorized
		case 3:
			c.body, want = "{", http.StatusBadRequest
		}
		r := s.request(c)
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			GotConn: func(info httptrace.GotConnInfo) { connections[info.Conn.LocalAddr().String()] = true },
		}))
		resp, err := s.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if resp.ContentLength < 0 {
			t.Errorf("request %d: no Content-Length in the response", i)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("request %d: got %d, want %d", i, resp.StatusCode, want)
		}
	}
	if len(connections) != 1 {
		t.Errorf("got %d connections, want 1", len(connections))
	}
}
