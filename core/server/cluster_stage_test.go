package server_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/redis/redistest"
)

// shares has a server share r with others. Nobody waits for the dead here, nor
// should a node that is not given the processor be taken for one, or for slow.
func shares(r *redistest.Server) func(*config.Config) {
	return func(c *config.Config) {
		c.Redis.URL = r.URL()
		c.Redis.Lease = 30 * time.Second
		c.Redis.PublishWait = 20 * time.Second
	}
}

func lease(d time.Duration) func(*config.Config) {
	return func(c *config.Config) { c.Redis.Lease = d }
}

// publishWait is for who does not want to wait for a Redis that is away.
func publishWait(d time.Duration) func(*config.Config) {
	return func(c *config.Config) { c.Redis.PublishWait = d }
}

// join runs such a server, and waits until it has joined.
func join(t *testing.T, r *redistest.Server, change ...func(*config.Config)) *stage {
	t.Helper()
	s := serve(t, append([]func(*config.Config){shares(r)}, change...)...)
	eventually(t, "it has joined", func() bool { return s.status("/ready") == http.StatusOK })
	return s
}

// pair is two servers that share a Redis of their own.
func pair(t *testing.T, change ...func(*config.Config)) (a, b *stage, r *redistest.Server) {
	t.Helper()
	r = redistest.Start(t)
	return join(t, r, change...), join(t, r, change...), r
}

func (s *stage) status(path string) int {
	s.t.Helper()
	status, _ := get(s.t, s.server.Addr(), path)
	return status
}

// answer is what the HTTP API said.
type answer struct {
	status int
	header http.Header
	body   string
}

// call asks the HTTP API, signed. The path is what comes after the app; a query
// without signature may come with it.
func (s *stage) call(method, path, body string) answer {
	s.t.Helper()
	path, more, _ := strings.Cut("/apps/"+appID+path, "?")
	query := fmt.Sprintf("auth_key=%s&auth_timestamp=%d&auth_version=1.0", appKey, time.Now().Unix())
	if body != "" {
		sum := md5.Sum([]byte(body))
		query += "&body_md5=" + hex.EncodeToString(sum[:])
	}
	if more != "" {
		query += "&" + more
	}
	query += "&auth_signature=" + auth.Sign(appSecret, method+"\n"+path+"\n"+query)
	r, err := http.NewRequest(method, "http://"+s.server.Addr().String()+path+"?"+query, strings.NewReader(body))
	must(s.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	must(s.t, err)
	b, err := io.ReadAll(res.Body)
	must(s.t, err)
	_ = res.Body.Close()
	return answer{res.StatusCode, res.Header, string(b)}
}

// post publishes an event, which is to be accepted.
func (s *stage) post(channel, data, except string) {
	s.t.Helper()
	if a := s.publish(channel, data, except); a.status != http.StatusOK {
		s.t.Fatalf("publish %s: got %d %s", data, a.status, a.body)
	}
}

func (s *stage) publish(channel, data, except string) answer {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"name": "event", "channel": channel, "data": data, "socket_id": except})
	must(s.t, err)
	if except == "" {
		body, err = json.Marshal(map[string]string{"name": "event", "channel": channel, "data": data})
		must(s.t, err)
	}
	return s.call(http.MethodPost, "/events", string(body))
}

// wantQuery wants path to be answered so, soon: a client that has just come or
// gone need not be known to all nodes at the same instant.
func (s *stage) wantQuery(path, want string) {
	s.t.Helper()
	var got answer
	defer func() {
		if s.t.Failed() {
			s.t.Logf("GET %s: last got %d %s, want %s", path, got.status, got.body, want)
		}
	}()
	eventually(s.t, "GET "+path, func() bool {
		got = s.call(http.MethodGet, path, "")
		return got.status == http.StatusOK && got.body == want
	})
}

// ear is a client that hears all the time, and keeps what it hears.
type ear struct {
	*client
	t    *testing.T
	mu   sync.Mutex
	all  []string // "event data"; a close frame is "close code"
	done chan struct{}
}

// hear is a client that is subscribed to channels; as a user, if there is one.
func (s *stage) hear(user string, channels ...string) *ear {
	s.t.Helper()
	e := &ear{client: s.connect(), t: s.t, done: make(chan struct{})}
	go func() {
		defer close(e.done)
		for {
			m, err := e.read()
			if err != nil {
				return
			}
			line := m.Event + " " + m.text()
			if m.close != 0 {
				line = fmt.Sprint("close ", m.close)
			}
			e.mu.Lock()
			e.all = append(e.all, line)
			e.mu.Unlock()
			if m.close != 0 {
				return
			}
		}
	}()
	for _, channel := range channels {
		e.enter(channel, user)
	}
	return e
}

// enter subscribes to a channel, and waits until that is done.
func (e *ear) enter(channel, user string) {
	e.t.Helper()
	const succeeded = "pusher_internal:subscription_succeeded"
	before := len(e.only(succeeded))
	data := map[string]string{"channel": channel}
	if strings.HasPrefix(channel, "presence-") {
		data = e.credentials(channel, `{"user_id":"`+user+`"}`)
		data["channel"] = channel
	}
	must(e.t, e.send("pusher:subscribe", data))
	eventually(e.t, "subscribe to "+channel, func() bool { return len(e.only(succeeded)) > before })
}

// signIn makes e a connection of a user who watches others.
func (e *ear) signIn(user string, watchlist ...string) {
	e.t.Helper()
	data, err := json.Marshal(map[string]any{"id": user, "watchlist": watchlist})
	must(e.t, err)
	must(e.t, e.send("pusher:signin", map[string]string{
		"user_data": string(data), "auth": appKey + ":" + auth.Sign(appSecret, auth.UserText(e.socketID, string(data))),
	}))
	e.await("pusher:signin_success")
}

// hang closes the connection, and waits until nothing more is heard.
func (e *ear) hang() {
	_ = e.Close()
	<-e.done
}

func (e *ear) heard() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

// await waits until a line that begins so was heard, and returns it.
func (e *ear) await(prefix string) (line string) {
	e.t.Helper()
	defer func() {
		if e.t.Failed() {
			e.t.Logf("heard %q", e.heard())
		}
	}()
	eventually(e.t, "hear "+prefix, func() bool {
		for _, l := range e.heard() {
			if strings.HasPrefix(l, prefix) {
				line = l
				return true
			}
		}
		return false
	})
	return line
}

// only returns what was heard of the events that begin so.
func (e *ear) only(prefixes ...string) (lines []string) {
	for _, l := range e.heard() {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(l, p) }) {
			lines = append(lines, l)
		}
	}
	return lines
}

// want wants that of the events that begin so, exactly these were heard.
func (e *ear) want(prefixes []string, lines ...string) {
	e.t.Helper()
	if got := e.only(prefixes...); !slices.Equal(got, lines) {
		e.t.Errorf("heard %q, want %q", got, lines)
	}
}

// wantMetric wants a line among the metrics, soon.
func (s *stage) wantMetric(line string) {
	s.t.Helper()
	eventually(s.t, line, func() bool {
		_, text := get(s.t, s.server.AdminAddr(), "/metrics")
		return strings.Contains(text, "\n"+line+"\n")
	})
}
