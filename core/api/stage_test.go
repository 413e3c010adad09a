package api_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/api"
	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks"
)

// stage is a server with the API of two apps, and clients that hear what is
// published.
type stage struct {
	t       testing.TB
	apps    app.List // of which the first is the one that requests are of
	hub     *hub.Hub
	broker  *broker.Memory
	metrics *metrics.Metrics
	server  *httptest.Server
	log     *syncBuffer
	now     time.Time // of the cache
	clients map[string]*client
}

// options change a stage before it is set. Nil ones change nothing.
type options struct {
	app    func(*app.App)
	config api.Config
	prefix string
	finder func(app.Finder) app.Finder
	broker func(broker.Broker) broker.Broker
	server func(*http.Server)
	hooks  *hooks.Hooks
}

func newStage(t testing.TB, o options) *stage {
	t.Helper()
	s := &stage{
		t: t, broker: new(broker.Memory), metrics: metrics.New(), log: new(syncBuffer),
		now: time.Now(), clients: map[string]*client{},
	}
	for i := range 2 {
		a := app.Default(protocol.Pusher)
		n := strconv.Itoa(i + 1)
		a.ID, a.Key, a.Secret = n, "key"+n, "secret"+n
		s.apps = append(s.apps, a)
	}
	if o.app != nil {
		o.app(&s.apps[0])
	}
	ports := hub.Ports{Broker: s.broker, Members: new(presence.Memory), Cache: &cache.Memory{Now: func() time.Time { return s.now }}, Hooks: o.hooks}
	if o.broker != nil {
		ports.Broker = o.broker(s.broker)
	}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if s.hub, err = hub.New(ports, s.metrics, log); err != nil {
		t.Fatal(err)
	}
	var finder app.Finder = s.apps
	if o.finder != nil {
		finder = o.finder(finder)
	}
	mux := http.NewServeMux()
	api.New(o.config, finder, s.hub, s.metrics, log).Register(mux, o.prefix)
	s.server = httptest.NewUnstartedServer(mux)
	if o.server != nil {
		o.server(s.server.Config)
	}
	s.server.Start()
	t.Cleanup(s.server.Close)
	return s
}

// call is a request to the API.
type call struct {
	method, path string
	query        string // as it is sent, without what signs it
	signed       string // how the query is signed, if not as it is sent: k=v&...
	body         string
	header       http.Header

	// sign changes the parameters before they are signed; their order is the
	// one in which they are sent. after changes them afterwards.
	sign, after func(params *[]string)
}

// result is the response to a call.
type result struct {
	status int
	body   string
	header http.Header
}

// do sends c, signed as a library of the app's backend would.
func (s *stage) do(c call) result {
	s.t.Helper()
	req := s.request(c)
	resp, err := s.server.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return result{resp.StatusCode, string(body), resp.Header}
}

func (s *stage) request(c call) *http.Request {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), c.method, s.server.URL, strings.NewReader(c.body))
	if err != nil {
		s.t.Fatal(err)
	}
	path, err := url.PathUnescape(c.path)
	if err != nil {
		s.t.Fatal(err)
	}
	req.URL.Path, req.URL.RawPath = path, c.path
	req.URL.RawQuery = s.signedQuery(c)
	for k, v := range c.header {
		req.Header[k] = v
	}
	return req
}

// signedQuery is written from the documentation, not from the code under test.
func (s *stage) signedQuery(c call) string {
	a := s.apps[0]
	params := []string{"auth_key=" + a.Key, fmt.Sprintf("auth_timestamp=%d", time.Now().Unix()), "auth_version=1.0"}
	if c.body != "" {
		sum := md5.Sum([]byte(c.body))
		params = append(params, "body_md5="+hex.EncodeToString(sum[:]))
	}
	if c.sign != nil {
		c.sign(&params)
	}
	sent := slices.Clone(params)
	if c.query != "" {
		sent = append(sent, c.query)
	}
	switch {
	case c.signed != "":
		params = append(params, strings.Split(c.signed, "&")...)
	case c.query != "":
		params = append(params, strings.Split(c.query, "&")...)
	}
	slices.SortStableFunc(params, func(a, b string) int {
		ka, _, _ := strings.Cut(a, "=")
		kb, _, _ := strings.Cut(b, "=")
		return strings.Compare(ka, kb)
	})
	mac := hmac.New(sha256.New, []byte(a.Secret))
	fmt.Fprintf(mac, "%s\n%s\n%s", c.method, c.path, strings.Join(params, "&"))
	sent = append(sent, "auth_signature="+hex.EncodeToString(mac.Sum(nil)))
	if c.after != nil {
		c.after(&sent)
	}
	return strings.Join(sent, "&")
}

// client is a connection as the hub sees it.
type client struct {
	session  *hub.Session
	channels []string

	mu       sync.Mutex // guards what follows
	payloads []string
	arrived  chan struct{} // closed and replaced when something arrives
}

// Send implements hub.Peer.
func (c *client) Send(f *frame.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for wire := f.Wire(); len(wire) > 0; {
		n, header := int(wire[1]), 2
		switch n {
		case 126:
			n, header = int(binary.BigEndian.Uint16(wire[2:])), 4
		case 127:
			n, header = int(binary.BigEndian.Uint64(wire[2:])), 10
		}
		c.payloads = append(c.payloads, string(wire[header:header+n]))
		wire = wire[header+n:]
	}
	close(c.arrived)
	c.arrived = make(chan struct{})
}

// Close implements hub.Peer. The code and the reason are heard like a message.
func (c *client) Close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.payloads = append(c.payloads, fmt.Sprintf("closed: %d %s", code, reason))
}

// join connects a client called name, unless it is connected, and subscribes it
// to a channel. user is who it is in a presence channel.
func (s *stage) join(name, ch, user string) *client {
	s.t.Helper()
	c := s.connect(name)
	sub := hub.Subscription{Channel: ch}
	if user != "" {
		sub.ChannelData = `{"user_id":` + strconv.Quote(user) + `}`
	}
	if channel.KindOf(ch).Auth {
		a := s.apps[0]
		sub.Auth = a.Key + ":" + auth.Sign(a.Secret, auth.ChannelText(c.session.ID, ch, sub.ChannelData))
	}
	if err := s.hub.Subscribe(s.t.Context(), c.session, sub); err != nil {
		s.t.Fatalf("subscribe %s to %s: %v", name, ch, err)
	}
	c.channels = append(c.channels, ch)
	s.heard() // the greetings
	return c
}

// connect returns the client called name, which is connected if it is not yet.
func (s *stage) connect(name string) *client {
	s.t.Helper()
	c := s.clients[name]
	if c == nil {
		c = &client{arrived: make(chan struct{})}
		var err error
		if c.session, err = s.hub.Connect(s.t.Context(), &s.apps[0], c, nil); err != nil {
			s.t.Fatal(err)
		}
		s.clients[name] = c
	}
	return c
}

// signIn signs the client called name in as a user.
func (s *stage) signIn(name, user string) {
	s.t.Helper()
	c, a, data := s.connect(name), s.apps[0], `{"id":`+strconv.Quote(user)+`}`
	in := hub.Signin{UserData: data, Auth: a.Key + ":" + auth.Sign(a.Secret, auth.UserText(c.session.ID, data))}
	if err := s.hub.SignIn(s.t.Context(), c.session, in); err != nil {
		s.t.Fatalf("sign %s in as %s: %v", name, user, err)
	}
	s.heard() // that it has
}

// leave disconnects a client.
func (s *stage) leave(name string) {
	s.hub.Disconnect(s.t.Context(), s.clients[name].session)
	delete(s.clients, name)
	s.heard()
}

// heard returns what each client has received since the last time, channel by
// channel: between channels, there is no order. It waits for what is on its way: what is published to a channel arrives in order,
// so that it need only publish something itself and wait for that.
func (s *stage) heard() map[string][]string {
	s.t.Helper()
	const barrier = `{"event":"barrier"}`
	published := map[string]bool{}
	for _, c := range s.clients {
		for _, ch := range c.channels {
			if published[ch] {
				continue
			}
			published[ch] = true
			m := broker.Message{Topic: channel.Topic{App: s.apps[0].ID, Channel: ch}, Frame: frame.Text([]byte(barrier))}
			if err := s.broker.Publish(s.t.Context(), m); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	all := map[string][]string{}
	for name, c := range s.clients {
		if got := c.take(s.t, barrier, len(c.channels)); len(got) > 0 {
			slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(channelOf(a), channelOf(b)) })
			all[name] = got
		}
	}
	return all
}

func channelOf(payload string) string {
	var m struct{ Channel string }
	if err := json.Unmarshal([]byte(payload), &m); err != nil {
		return err.Error()
	}
	return m.Channel
}

// take returns what c has received up to the nth barrier, without the barriers.
func (c *client) take(t testing.TB, barrier string, n int) []string {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		c.mu.Lock()
		var got []string
		barriers := 0
		for _, p := range c.payloads {
			if p == barrier {
				barriers++
			} else {
				got = append(got, p)
			}
		}
		if barriers == n {
			c.payloads = nil
			c.mu.Unlock()
			return got
		}
		arrived := c.arrived
		c.mu.Unlock()
		select {
		case <-arrived:
		case <-timeout:
			t.Fatalf("got %d barriers in a minute, want %d", barriers, n)
		}
	}
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
