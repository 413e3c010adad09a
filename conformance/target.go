package conformance

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// Target is the server to judge, and what is known of it.
type Target struct {
	URLs    []*url.URL // of ws or wss, with the path prefix if there is one; more than one are the nodes of a cluster
	HTTP    *url.URL   // of the HTTP API, with the path prefix
	App     Credentials
	Dialect Dialect

	// Apps are further apps, by what is special about them: see Fixture.
	Apps map[Fixture]Credentials

	Capabilities []Capability
	Limits       Limits
	Webhooks     *WebhookReceiver // nil if the target sends none to us
	Control      func(verb string, node int) error

	// Dial, if not nil, is how cases connect. Nil is client.DialTCP.
	Dial func(context.Context, *url.URL) (net.Conn, error)

	Timeout time.Duration // for whatever must happen
	Quiet   time.Duration // in which what must not happen would have
}

// Credentials are those of an app.
type Credentials struct{ ID, Key, Secret string }

// Fixture says what is special about a further app.
type Fixture string

// The fixtures.
const (
	Second         Fixture = "second"           // nothing, but that it is another one
	Quota          Fixture = "quota"            // at most two connections
	Disabled       Fixture = "disabled"         // switched off
	NoClientEvents Fixture = "no-client-events" // client events are switched off
	ShortLived     Fixture = "short-lived"      // pings after 1 s, waits 1 s for the pong, caches for 2 s
	TLSOnly        Fixture = "tls-only"         // refuses connections without TLS
	Strict         Fixture = "strict"           // refuses clients that name no protocol version
	Origins        Fixture = "origins"          // allowed_origins is allowed.example and *.allowed.example

	// Of servers that know of such things.
	AuthorizedOnly Fixture = "authorized-only"    // connections that authorize nothing within 2 s are closed
	Counting       Fixture = "subscription-count" // says how many are subscribed
	NoWatchlist    Fixture = "no-watchlist"       // watchlist events are switched off
)

// Limits are those that the target has; 0 is none, or unknown.
type Limits struct {
	EventData        int // bytes of the data of an event
	Message          int // bytes of a message
	ChannelsPerEvent int
	Batch            int
	EventName        int
	ChannelName      int
	PresenceMembers  int
	PresenceMember   int // bytes of channel_data
	UserID           int
	ClientEventRate  int // a second
}

// PusherLimits are the limits of the hosted service.
var PusherLimits = Limits{
	EventData: 10_240, Message: 10_000, ChannelsPerEvent: 100, Batch: 10, EventName: 200, ChannelName: 200,
	PresenceMembers: 100, PresenceMember: 1_024, UserID: 128, ClientEventRate: 10,
}

// dial connects to u, without a word.
func (t *Target) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	if t.Dial != nil {
		return t.Dial(ctx, u)
	}
	return client.DialTCP(ctx, u) //nolint:wrapcheck // it says what it did
}

// Has reports whether the target has a capability.
func (t *Target) Has(c Capability) bool { return slices.Contains(t.Capabilities, c) }

// Lacks returns those of needs that the target does not have.
func (t *Target) Lacks(needs []Capability) (lacks []Capability) {
	for _, c := range needs {
		if !t.Has(c) {
			lacks = append(lacks, c)
		}
	}
	return lacks
}

// api is the URL of the HTTP API of a node, without a slash at its end.
func (t *Target) api(node int) string {
	u := *t.HTTP
	if node = min(node, len(t.URLs)-1); node > 0 {
		u = *t.URLs[node]
		u.Scheme = strings.Replace(u.Scheme, "ws", "http", 1)
	}
	return strings.TrimSuffix(u.String(), "/")
}
