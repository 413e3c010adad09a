package conn_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/conn"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks"
)

// TestTranscripts plays the conversations of testdata. Each file is one story:
// what clients and backends do and, under the line of dashes, what every
// client receives. Socket IDs are shown as the names of their clients.
//
// After a change of behavior that you mean, run
//
//	go test ./core/conn -rewrite
//
// and read the diff: it is the change as clients see it.
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newStage(t)
		datadriven.RunTest(t, path, s.act)
	})
}

// stage is where the conversations of one file take place.
type stage struct {
	app     *app.App
	hub     *hub.Hub
	metrics *metrics.Metrics
	broker  *topics
	cache   *cache.Memory
	clients map[string]*client
	hooks   hooks.Hooks
	plugins []*hooks.Member
	now     time.Duration
	wall    time.Time
}

// topics is a broker that remembers which channels there were, also those that
// only the server knows of.
type topics struct {
	broker.Memory
	all map[string]bool
}

func (b *topics) Subscribe(ctx context.Context, t channel.Topic) error {
	b.all[t.Channel] = true
	return b.Memory.Subscribe(ctx, t)
}

// client is a Transport that remembers.
type client struct {
	name string
	conn *conn.Conn

	mu  sync.Mutex
	got []string
}

func (c *client) Send(f *frame.Frame) {
	for _, text := range split(f.Wire()) {
		c.note(text)
	}
}
func (c *client) Ping() { c.note("ping") }
func (c *client) Close(code int, reason string) {
	c.note(fmt.Sprintf("closed: %d %s", code, reason))
}

func (c *client) note(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, text)
}

// split returns the payloads of a row of frames.
func split(wire []byte) (all []string) {
	for len(wire) > 0 {
		header, n := 2, int(wire[1])
		if n == 126 {
			header, n = 4, int(wire[2])<<8|int(wire[3])
		}
		all = append(all, string(wire[header:header+n]))
		wire = wire[header+n:]
	}
	return all
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{clients: map[string]*client{}, metrics: metrics.New(), broker: &topics{all: map[string]bool{}}, wall: time.Unix(0, 0)}
	s.cache = &cache.Memory{Now: func() time.Time { return s.wall }}
	ports := hub.Ports{Broker: s.broker, Members: new(presence.Memory), Cache: s.cache, Hooks: &s.hooks}
	h, err := hub.New(ports, s.metrics, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.hub = h
	s.use(app.Default(protocol.Pusher))
	return s
}

// use has the clients that connect from now on be those of a.
func (s *stage) use(a app.App) {
	a.ID, a.Key, a.Secret = "1", "key", "secret"
	s.app = &a
}

// act does one command:
//
//	app KEY=VALUE...            change the app for those who connect later
//	connect NAME [KEY=VALUE]... a client connects: protocol, origin, key
//	subscribe NAME CHANNEL      it subscribes, signed as the app's backend would;
//	                            the line below is the channel_data
//	signin NAME                 it signs in, signed as the app's backend would; the
//	                            line below is the user_data
//	terminate USER              the backend ends the connections of a user
//	send NAME                   it sends the frames on the lines below
//	pong NAME                   it answers a ping, or sends another control frame
//	close NAME                  it goes away
//	publish CHANNEL EVENT [except=NAME]
//	                            the backend publishes the data on the line below
//	after DURATION              so much time passes, for all who are watched
//	plugin, unplug, subscribe-as  see the functions of these names
//	end NAME                    the server shuts down, for this client
func (s *stage) act(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "app":
		s.change(t, d)
	case "connect":
		s.connect(t, d)
	case "subscribe":
		s.subscribe(t, d)
	case "signin":
		s.signIn(t, d)
	case "terminate":
		if err := s.hub.Terminate(t.Context(), s.app, d.CmdArgs[0].Key); err != nil {
			d.Fatalf(t, "terminate: %v", err)
		}
	case "send":
		c := s.client(t, d).conn
		for line := range strings.Lines(d.Input) {
			c.Seen(s.now)
			c.Handle(t.Context(), []byte(s.fill(strings.TrimSuffix(line, "\n"))))
		}
	case "pong":
		s.client(t, d).conn.Seen(s.now)
	case "close":
		s.client(t, d).conn.Closed(t.Context())
	case "publish":
		s.publish(t, d)
	case "after":
		s.pass(t, d.CmdArgs[0].Key)
	case "plugin":
		s.plugin(t, d)
	case "unplug":
		s.unplug()
	case "subscribe-as":
		s.subscribeAs(t, d)
	case "end":
		s.client(t, d).conn.Session().Fail(protocol.ErrShutdown)
	default:
		d.Fatalf(t, "unknown command %q", d.Cmd)
	}
	return s.received(t)
}

func (s *stage) client(t *testing.T, d *datadriven.TestData) *client {
	c := s.clients[d.CmdArgs[0].Key]
	if c == nil {
		d.Fatalf(t, "nobody is called %s", d.CmdArgs[0].Key)
	}
	return c
}

func (s *stage) change(t *testing.T, d *datadriven.TestData) {
	a := *s.app
	for _, arg := range d.CmdArgs {
		v := arg.Vals[0]
		n, _ := strconv.Atoi(v)
		switch arg.Key {
		case "dialect":
			a = app.Default(protocol.Dialect(v))
		case "client_events":
			a.ClientEvents = app.ClientEvents(v)
		case "client_event_rate":
			a.ClientEventRate = n
		case "max_connections":
			a.MaxConnections = n
		case "max_channels":
			a.MaxChannelsPerConnection = n
		case "max_members":
			a.MaxPresenceMembers = n
		case "max_event_size":
			a.MaxEventSize = n
		case "message_rate":
			a.MessageRate.Enabled, a.MessageRate.MaxAttempts, a.MessageRate.Decay = true, n, time.Hour
		case "terminate":
			a.MessageRate.TerminateOnLimit = v == "true"
		case "enabled":
			a.Enabled = v == "true"
		case "strict":
			a.StrictProtocol = v == "true"
		case "tls_only":
			a.TLSOnly = v == "true"
		case "authorized_only":
			a.AuthorizedConnectionsOnly = v == "true"
		case "terminate_code":
			a.TerminateCode = n
		case "watchlist":
			a.Watchlist = v == "true"
		case "subscription_count":
			a.SubscriptionCount = v == "true"
		case "origins":
			a.AllowedOrigins = arg.Vals
		default:
			d.Fatalf(t, "unknown key %q", arg.Key)
		}
	}
	s.use(a)
}

func (s *stage) connect(t *testing.T, d *datadriven.TestData) {
	hs := conn.Handshake{Key: s.app.Key, Query: url.Values{}}
	for _, arg := range d.CmdArgs[1:] {
		switch arg.Key {
		case "protocol":
			hs.Query.Set("protocol", strings.Join(arg.Vals, ""))
		case "origin":
			hs.Origin = arg.Vals[0]
		case "key":
			hs.Key = arg.Vals[0]
		}
	}
	c := &client{name: d.CmdArgs[0].Key}
	s.clients[c.name] = c
	log := slog.New(slog.DiscardHandler)
	a, err := conn.Admit(t.Context(), app.List{*s.app}, hs)
	if err != nil {
		conn.Reject(a, s.metrics, c, err, log)
		return
	}
	about := &hooks.Client{Origin: hs.Origin}
	c.conn = conn.Open(t.Context(), s.app, about, s.hub, s.metrics, c, s.now, log)
}

func (s *stage) subscribe(t *testing.T, d *datadriven.TestData) {
	c, name := s.client(t, d), d.CmdArgs[1].Key
	data, extra := strings.TrimSuffix(d.Input, "\n"), ""
	token := s.app.Key + ":" + auth.Sign(s.app.Secret, auth.ChannelText(c.conn.Session().ID, name, data))
	if data != "" {
		extra = `,"channel_data":` + string(protocol.AppendString(nil, data))
	}
	c.conn.Handle(t.Context(), fmt.Appendf(nil, `{"event":"pusher:subscribe","data":{"channel":%q,"auth":%q%s}}`, name, token, extra))
}

func (s *stage) signIn(t *testing.T, d *datadriven.TestData) {
	c, data := s.client(t, d).conn, strings.TrimSuffix(d.Input, "\n")
	token := s.app.Key + ":" + auth.Sign(s.app.Secret, auth.UserText(c.Session().ID, data))
	c.Handle(t.Context(), fmt.Appendf(nil, `{"event":"pusher:signin","data":{"auth":%q,"user_data":%s}}`, token, protocol.AppendString(nil, data)))
}

func (s *stage) publish(t *testing.T, d *datadriven.TestData) {
	e := hub.Event{Channel: d.CmdArgs[0].Key, Name: d.CmdArgs[1].Key, Data: []byte(strings.TrimSuffix(d.Input, "\n"))}
	for _, arg := range d.CmdArgs[2:] {
		e.Except = arg.Vals[0]
		if c := s.clients[arg.Vals[0]]; c != nil {
			e.Except = c.conn.Session().ID
		}
	}
	if err := s.hub.Publish(t.Context(), s.app, e); err != nil {
		d.Fatalf(t, "publish: %v", err)
	}
}

// pass lets time pass, a second at a time.
func (s *stage) pass(t *testing.T, text string) {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	s.wall = s.wall.Add(d)
	for end := s.now + d; s.now < end; {
		s.now += time.Second
		for _, c := range s.clients {
			if c.conn != nil {
				c.conn.Check(s.now)
			}
		}
	}
}

// fill puts socket IDs in the place of {NAME}.
func (s *stage) fill(text string) string {
	for name, c := range s.clients {
		if c.conn != nil {
			text = strings.ReplaceAll(text, "{"+name+"}", c.conn.Session().ID)
		}
	}
	return text
}

// received tells what every client has received since the last time.
func (s *stage) received(t *testing.T) string {
	s.settle(t)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s.clients)) {
		c := s.clients[name]
		c.mu.Lock()
		for _, text := range c.got {
			for name, other := range s.clients {
				if other.conn != nil {
					text = strings.ReplaceAll(text, other.conn.Session().ID, "{"+name+"}")
				}
			}
			lines = append(lines, c.name+": "+text)
		}
		c.got = nil
		c.mu.Unlock()
	}
	return strings.Join(lines, "\n")
}

// fence is what settle publishes, and nobody else does.
const fence = `{"event":"fence","data":"{}"}`

// settle publishes to every channel and waits until all its subscribers have
// that, and so all that was published before.
func (s *stage) settle(t *testing.T) {
	t.Helper()
	want := 0
	for name := range s.broker.all {
		n, err := s.hub.Subscriptions(t.Context(), s.app, name)
		if err != nil {
			t.Fatal(err)
		}
		want += n
		m := broker.Message{Topic: channel.Topic{App: s.app.ID, Channel: name}, Frame: frame.Text([]byte(fence))}
		if err := s.broker.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(time.Minute); want > 0; time.Sleep(50 * time.Microsecond) {
		for _, c := range s.clients {
			want -= c.takeFences()
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited for %d fences in vain", want)
		}
	}
}

func (c *client) takeFences() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.got)
	c.got = slices.DeleteFunc(c.got, func(text string) bool { return text == fence })
	return before - len(c.got)
}
