package hub

import (
	"crypto/rand"
	"encoding/binary"
	"strconv"
	"sync/atomic"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/limit"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks"
)

// Peer carries frames to one client. Its methods must not block, and may be
// called concurrently.
type Peer interface {
	Send(f *frame.Frame)

	// Close sends a close frame with code and reason after what was sent
	// before, and ends the connection.
	Close(code int, reason string)
}

var _ channel.Subscriber = (*Session)(nil)

// Session is one connected client, as the hub sees it. Send, Fail and End may
// be called by anyone; the verbs of the hub are called for a session by one
// goroutine at a time, its reader.
type Session struct {
	// Static once the session is connected.
	ID   string // the socket ID
	App  *app.App
	peer Peer
	t    *tenant

	client *hooks.Client // nil unless there were plugins when it connected

	ended      atomic.Bool
	authorized atomic.Bool

	// Owned by the reader.
	subs     map[string]*subscription
	events   *limit.Rate        // of client events; nil before the first, or without a limit
	user     *identity          // nil unless it has signed in
	watching []*channel.Channel // of the users on its watchlist
}

// subscription is a session's place in a channel.
type subscription struct {
	channel *channel.Channel
	userID  string // of the member, in a presence channel
	counted bool   // by the tracker of occupancy
}

// newSocketID returns an ID that cannot be guessed, of the form that clients
// and libraries of the protocol expect: two numbers and a dot between them.
func newSocketID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	const n = 1_000_000_000
	major := 1 + binary.LittleEndian.Uint32(b[:4])%n
	minor := 1 + binary.LittleEndian.Uint32(b[4:])%n
	return strconv.Itoa(int(major)) + "." + strconv.Itoa(int(minor))
}

// Send implements channel.Subscriber.
func (s *Session) Send(f *frame.Frame) { s.peer.Send(f) }

// Reply sends a message to this client alone.
func (s *Session) Reply(m protocol.Message) { s.reply(encode(m)) }

func (s *Session) reply(f *frame.Frame) {
	s.t.metrics.Deliveries.Inc()
	s.t.metrics.BytesOut.Add(float64(len(f.Wire())))
	s.peer.Send(f)
}

// Fail tells the client of e, and ends the session if e does.
func (s *Session) Fail(e *protocol.Error) {
	if e.Closes {
		s.End(e, e.Code)
		return
	}
	s.tell(e)
}

// End tells the client of e and closes the connection with code, which may
// differ from that of e. Only the first call has an effect.
func (s *Session) End(e *protocol.Error, code int) {
	if !s.ended.CompareAndSwap(false, true) {
		return
	}
	s.tell(e)
	s.t.metrics.Closed(code)
	_, message := e.In(s.App.Dialect)
	s.peer.Close(code, message)
}

// Ended reports whether the session was ended: what the client still sends is
// to be ignored.
func (s *Session) Ended() bool { return s.ended.Load() }

// Authorized reports whether the app's backend has vouched for the client: it
// has signed in, or subscribed to a channel for which that is needed.
func (s *Session) Authorized() bool { return s.authorized.Load() }

func (s *Session) tell(e *protocol.Error) {
	code, _ := e.In(s.App.Dialect)
	s.t.metrics.Error(code)
	s.reply(frame.Text(e.Encode(s.App.Dialect)))
	if e.Channel != "" {
		s.reply(frame.Text(e.EncodeSubscription()))
	}
}
