// Package app describes the apps that the server serves: one set of
// credentials and limits each.
//
// It knows where apps are found, and nothing of who is connected to them.
package app

import (
	"context"
	"errors"
	"time"

	"github.com/revurb/revurb/core/protocol"
)

// ErrNotFound is returned by a Finder that has no such app.
var ErrNotFound = errors.New("app not found")

// ClientEvents says from whom an app takes client events.
type ClientEvents string

// The modes of client events.
const (
	FromMembers ClientEvents = "members" // those who are subscribed to the channel
	FromAll     ClientEvents = "all"     // everyone who is connected
	FromNone    ClientEvents = "none"
)

// App is one tenant. A limit of 0 is no limit, unless its comment says
// otherwise.
type App struct {
	ID      string           `koanf:"id"`
	Key     string           `koanf:"key"`
	Secret  string           `koanf:"secret"`
	Enabled bool             `koanf:"enabled"`
	Dialect protocol.Dialect `koanf:"dialect"`

	// Who may connect, and for how long.
	AllowedOrigins  []string      `koanf:"allowed_origins"` // globs of hosts; "*" is everyone
	MaxConnections  int           `koanf:"max_connections"`
	TLSOnly         bool          `koanf:"tls_only"`         // refuse connections that came without TLS
	StrictProtocol  bool          `koanf:"strict_protocol"`  // refuse clients that name no protocol version
	ActivityTimeout time.Duration `koanf:"activity_timeout"` // what clients are told, in whole seconds
	PingInterval    time.Duration `koanf:"ping_interval"`    // of silence, after which a client is pinged
	PongTimeout     time.Duration `koanf:"pong_timeout"`     // for the answer

	// Who has signed in.
	AuthorizedConnectionsOnly bool          `koanf:"authorized_connections_only"` // end those that the backend has signed nothing for
	AuthorizationTimeout      time.Duration `koanf:"authorization_timeout"`       // after which they are ended
	TerminateCode             int           `koanf:"terminate_code"`              // of the close frame of a user whom the backend throws out
	Watchlist                 bool          `koanf:"watchlist"`                   // tell users who of their watchlist is online

	SubscriptionCount bool `koanf:"subscription_count"` // tell subscribers how many they are

	// What a client may send.
	MaxMessageSize           int          `koanf:"max_message_size"` // bytes of one message; never unlimited
	MaxChannelsPerConnection int          `koanf:"max_channels_per_connection"`
	ClientEvents             ClientEvents `koanf:"client_events"`
	ClientEventRate          int          `koanf:"client_event_rate"` // a second, of one connection
	MessageRate              MessageRate  `koanf:"message_rate"`

	// What may be published.
	MaxEventSize        int           `koanf:"max_event_size"` // bytes of one event's data
	MaxEventName        int           `koanf:"max_event_name"`
	MaxChannelName      int           `koanf:"max_channel_name"`
	MaxChannelsPerEvent int           `koanf:"max_channels_per_event"`
	MaxBatchEvents      int           `koanf:"max_batch_events"`
	CacheTTL            time.Duration `koanf:"cache_ttl"`
	PublishRate         int           `koanf:"publish_rate"` // events a second over the HTTP API
	QueryRate           int           `koanf:"query_rate"`   // other requests a second
	TimestampWindow     time.Duration `koanf:"timestamp_window"`

	// Who may be present.
	MaxPresenceMembers    int `koanf:"max_presence_members"`
	MaxPresenceMemberSize int `koanf:"max_presence_member_size"` // bytes of channel_data
	MaxUserID             int `koanf:"max_user_id"`

	// Who is told what happens.
	Webhooks []Webhook `koanf:"webhooks"`
}

// MessageRate limits the messages of any kind that one connection sends.
type MessageRate struct {
	Enabled          bool          `koanf:"enabled"`
	MaxAttempts      int           `koanf:"max_attempts"`
	Decay            time.Duration `koanf:"decay"` // the time in which MaxAttempts may be made
	TerminateOnLimit bool          `koanf:"terminate_on_limit"`
}

// Default is an app of dialect d without credentials.
func Default(d protocol.Dialect) App {
	a := App{
		Enabled: true,
		Dialect: d,

		AllowedOrigins:  []string{"*"},
		ActivityTimeout: 30 * time.Second,
		PingInterval:    60 * time.Second,
		PongTimeout:     30 * time.Second,

		AuthorizationTimeout: 10 * time.Second,
		TerminateCode:        4009,
		Watchlist:            true,

		MaxMessageSize:           10_000,
		MaxChannelsPerConnection: 1_000,
		ClientEvents:             FromMembers,
		ClientEventRate:          10,
		MessageRate:              MessageRate{MaxAttempts: 60, Decay: time.Minute},

		MaxEventSize:        10_240,
		MaxEventName:        200,
		MaxChannelName:      200,
		MaxChannelsPerEvent: 100,
		MaxBatchEvents:      10,
		CacheTTL:            30 * time.Minute,
		TimestampWindow:     600 * time.Second,

		MaxPresenceMembers:    100,
		MaxPresenceMemberSize: 1_024,
		MaxUserID:             128,
	}
	if d == protocol.Reverb { // which has none of these limits
		a.ClientEventRate = 0
		a.MaxPresenceMembers, a.MaxPresenceMemberSize, a.MaxUserID = 0, 0, 0
	}
	return a
}

// Finder looks an app up, by the key that clients send or by the ID that the
// HTTP API names. An app that it has returned is never changed.
type Finder interface {
	ByKey(ctx context.Context, key string) (*App, error)
	ByID(ctx context.Context, id string) (*App, error)
}

// List is a Finder over the apps of the configuration.
type List []App

var _ Finder = List(nil)

// ByKey implements Finder.
func (l List) ByKey(_ context.Context, key string) (*App, error) {
	return l.find(func(a *App) bool { return a.Key == key })
}

// ByID implements Finder.
func (l List) ByID(_ context.Context, id string) (*App, error) {
	return l.find(func(a *App) bool { return a.ID == id })
}

func (l List) find(match func(*App) bool) (*App, error) {
	for i := range l {
		if match(&l[i]) {
			return &l[i], nil
		}
	}
	return nil, ErrNotFound
}
