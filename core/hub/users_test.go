package hub_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/protocol"
)

// listener is a client that keeps what it is sent.
type listener struct {
	news

	mu     sync.Mutex
	frames []protocol.Message
	closed []int
}

func (l *listener) Send(f *frame.Frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for payload := range f.Payloads() {
		m, err := protocol.Decode(payload)
		if err != nil {
			panic(err)
		}
		l.frames = append(l.frames, m)
	}
	l.fire()
}

func (l *listener) Close(code int, _ string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = append(l.closed, code)
}

// heard is the data of the events called name, so far.
func (l *listener) heard(name string) (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.frames {
		if m.Event == name {
			text, _ := protocol.String(m.Data)
			all = append(all, text)
		}
	}
	return all
}

func signIn(t *testing.T, h *hub.Hub, s *hub.Session, data string) {
	t.Helper()
	in := hub.Signin{UserData: data, Auth: s.App.Key + ":" + auth.Sign(s.App.Secret, auth.UserText(s.ID, data))}
	if err := h.SignIn(t.Context(), s, in); err != nil {
		t.Error(err)
	}
}

// A channel with many subscribers is told how many they are every five seconds,
// and the last thing that it is told is right.
func TestCountsAreHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, a := newHub(t)
		a.SubscriptionCount = true
		first := new(listener)
		subscribe(t, h, connect(t, h, a, first), "chat", "")
		sessions := make([]*hub.Session, 149)
		for i := range sessions {
			sessions[i] = connect(t, h, a, new(listener))
			subscribe(t, h, sessions[i], "chat", "")
		}
		told := func(when string, want ...int) {
			t.Helper()
			synctest.Wait()
			var counts []int
			for _, text := range first.heard(protocol.EventSubscriptionCount) {
				counts = append(counts, countOf(t, text))
			}
			if !slices.Equal(counts, want) {
				t.Errorf("%s the counts are %v, want %v", when, counts, want)
			}
		}
		var want []int
		for n := 1; n <= 101; n++ {
			want = append(want, n)
		}
		told("at once", want...)
		time.Sleep(5 * time.Second)
		want = append(want, 150)
		told("after five seconds", want...)

		h.Disconnect(t.Context(), sessions[0])
		h.Disconnect(t.Context(), sessions[1])
		time.Sleep(5*time.Second - time.Millisecond)
		told("before five more", want...)
		time.Sleep(time.Millisecond)
		want = append(want, 148)
		told("after five more", want...)

		time.Sleep(time.Minute) // in which nothing changes
		told("without a change", want...)
		h.Disconnect(t.Context(), sessions[2])
		want = append(want, 147)
		told("when it was long silent", want...)

		// Once they are few, each is told of; what was held back is no news then.
		for i, s := range sessions[3:] {
			h.Disconnect(t.Context(), s)
			if n := 146 - i; n <= 100 {
				want = append(want, n)
			}
		}
		told("when few are left", want...)
		time.Sleep(time.Minute)
		told("long after", want...)
	})
}

// With the last subscriber goes what holds the count back.
func TestCountsEndWithTheChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, a := newHub(t)
		a.SubscriptionCount = true
		start := time.Now()
		var sessions []*hub.Session
		for range 120 {
			s := connect(t, h, a, new(listener))
			subscribe(t, h, s, "chat", "")
			sessions = append(sessions, s)
		}
		for _, s := range sessions {
			h.Disconnect(t.Context(), s)
		}
		synctest.Wait()
		late := new(listener)
		subscribe(t, h, connect(t, h, a, late), "chat", "")
		synctest.Wait()
		if got := late.heard(protocol.EventSubscriptionCount); len(got) != 1 || countOf(t, got[0]) != 1 || time.Since(start) != 0 {
			t.Errorf("who comes into the empty channel is told %v, want 1 at once", got)
		}
	})
}

func countOf(t *testing.T, text string) int {
	t.Helper()
	var data struct {
		Count int `json:"subscription_count"`
	}
	if err := json.Unmarshal([]byte(text), &data); err != nil {
		t.Fatal(err)
	}
	return data.Count
}

// Users come and go with several connections at once, and some of them watch
// one another. What each watcher is told fits together: what it hears is always
// a change, and in the end it is right.
func TestWatchlistChurn(t *testing.T) {
	h, _, a := newHub(t)
	const users = 3
	var list []string
	for i := range users {
		list = append(list, fmt.Sprintf("user%d", i))
	}
	watchlist, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	watchers := make(chan *listener, 1000)
	watch := func(id string) *hub.Session {
		l := new(listener)
		watchers <- l
		s := connect(t, h, a, l)
		signIn(t, h, s, fmt.Sprintf(`{"id":%q,"watchlist":%s}`, id, watchlist))
		return s
	}
	stays := watch("stays")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				h.Disconnect(t.Context(), watch(fmt.Sprintf("user%d", i%users)))
			}
		})
	}
	wg.Wait()
	online := connect(t, h, a, new(listener))
	signIn(t, h, online, `{"id":"user1"}`)
	close(watchers)
	first := true
	for w := range watchers {
		if !first {
			if _, fault := follow(w.heard(protocol.EventWatchlist)); fault != "" {
				t.Fatal(fault)
			}
			continue
		}
		first = false
		w.wait(t, func() string {
			state, fault := follow(w.heard(protocol.EventWatchlist))
			if fault != "" {
				t.Fatal(fault)
			}
			if got := fmt.Sprint(state); got != "map[user0:false user1:true user2:false]" {
				return "who stays is told " + got
			}
			return ""
		})
	}
	h.Disconnect(t.Context(), stays)
	h.Disconnect(t.Context(), online)
}

// follow is what a client knows that is told these watchlist events, and what is
// wrong with them.
func follow(events []string) (state map[string]bool, fault string) {
	state = map[string]bool{}
	for i, text := range events {
		var data struct {
			Events []struct {
				Name  string
				Users []string `json:"user_ids"`
			}
		}
		if err := json.Unmarshal([]byte(text), &data); err != nil {
			return nil, err.Error()
		}
		for _, e := range data.Events {
			for _, id := range e.Users {
				is, known := state[id]
				if known == (i == 0) || known && is == (e.Name == "online") {
					return nil, fmt.Sprintf("%s is no news in %s", text, strings.Join(events, " "))
				}
				state[id] = e.Name == "online"
			}
		}
	}
	return state, ""
}

// Nothing is kept of who has left: the next to sign in is first again, and
// nobody is terminated in its place.
func TestNothingIsLeftOfAUser(t *testing.T) {
	h, m, a := newHub(t)
	a.Dialect = protocol.Reverb
	gone := new(listener)
	s := connect(t, h, a, gone)
	signIn(t, h, s, `{"id":"amy","watchlist":["bob","amy"]}`)
	subscribe(t, h, s, "#server-to-user-amy", "")
	subscribe(t, h, s, "presence-room", "")
	if channels, err := h.Channels(t.Context(), a, ""); err != nil || len(channels) != 1 {
		t.Errorf("channels = %v, %v, want the presence channel alone", channels, err)
	}
	wantGauges(t, m, 1, "presence")
	h.Disconnect(t.Context(), s)
	wantGauges(t, m, 0, "presence")

	if err := h.Terminate(t.Context(), a, "amy"); err != nil {
		t.Fatal(err)
	}
	if len(gone.closed) > 0 {
		t.Errorf("who has left is closed with %v", gone.closed)
	}
	for _, name := range []string{"#server-to-user-amy", "#watch-bob", "#watch-amy", "presence-room"} {
		if n, err := h.Subscriptions(t.Context(), a, name); err != nil || n != 0 {
			t.Errorf("%s has %d subscribers, %v", name, n, err)
		}
	}
	bob := new(listener)
	signIn(t, h, connect(t, h, a, bob), `{"id":"bob","watchlist":["amy"]}`)
	if got := bob.heard(protocol.EventWatchlist); len(got) != 1 || !strings.Contains(got[0], `"offline","user_ids":["amy"]`) {
		t.Errorf("bob is told %v, want that amy is offline", got)
	}
}

// Users of one name in two apps have nothing to do with one another.
func TestUsersOfAppsAreApart(t *testing.T) {
	h, _, a := newHub(t)
	b := *a
	b.ID = "2"
	watcher, theirs := new(listener), new(listener)
	signIn(t, h, connect(t, h, a, watcher), `{"id":"bob","watchlist":["amy"]}`)
	other := connect(t, h, &b, theirs)
	signIn(t, h, other, `{"id":"amy"}`)
	if err := h.Terminate(t.Context(), a, "amy"); err != nil {
		t.Fatal(err)
	}
	if len(theirs.closed) > 0 {
		t.Error("a user of another app was terminated")
	}
	h.Disconnect(t.Context(), other)
	signIn(t, h, connect(t, h, a, new(listener)), `{"id":"amy"}`)
	want := []string{`{"events":[{"name":"offline","user_ids":["amy"]}]}`, `{"events":[{"name":"online","user_ids":["amy"]}]}`}
	watcher.wait(t, func() string {
		if got := watcher.heard(protocol.EventWatchlist); !slices.Equal(got, want) {
			return fmt.Sprintf("the watcher heard %v, want %v", got, want)
		}
		return ""
	})
}

// wantGauges expects so many connections and subscriptions, and so many channels
// of a kind and none of any other. Those that only the server knows of, and
// those of users, are not counted.
func wantGauges(t *testing.T, m *metrics.Metrics, n int, kind string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		want := n
		switch {
		case strings.HasPrefix(name, "revurb_channels{") && !strings.Contains(name, fmt.Sprintf("%q", kind)):
			want = 0
		case strings.HasPrefix(name, "revurb_channels{"), strings.HasPrefix(name, "revurb_subscriptions{"), strings.HasPrefix(name, "revurb_connections{"):
		default:
			continue
		}
		if value != fmt.Sprint(want) {
			t.Errorf("%s is %s, want %d", name, value, want)
		}
	}
}
