package webhook

import (
	"strconv"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
)

// Event is what happened in a channel.
type Event struct {
	Name    string // app.ChannelOccupied and so on
	Channel string

	UserID   string // of the member, or of the member who sent a client event
	Event    string // of a client event: its name
	Data     string // of a client event, as its receivers read it
	SocketID string // of the sender of a client event
	Count    int    // of subscribers

	At      time.Time // when it happened; zero is now
	Receipt Receipt   // of who waits until it has been told; nil if nobody does
}

// append appends e as JSON. All values are strings and numbers: a library for
// .NET reads each event as a dictionary of strings.
func (e *Event) append(b []byte) []byte {
	text := func(key, value string) {
		b = append(b, `,"`+key+`":`...)
		b = protocol.AppendString(b, value)
	}
	b = append(b, `{"name":`...)
	b = protocol.AppendString(b, e.Name)
	text("channel", e.Channel)
	switch e.Name {
	case app.ClientEvent:
		text("event", e.Event)
		text("data", e.Data)
		text("socket_id", e.SocketID)
		if e.UserID != "" {
			text("user_id", e.UserID)
		}
	case app.MemberAdded, app.MemberRemoved:
		text("user_id", e.UserID)
	case app.SubscriptionCount:
		b = append(b, `,"subscription_count":`...)
		b = strconv.AppendInt(b, int64(e.Count), 10)
	}
	return append(b, '}')
}

// size is what e takes of max_queued_bytes.
func (e *Event) size() int {
	const overhead = 192
	return overhead + len(e.Channel) + len(e.UserID) + len(e.Event) + len(e.Data)
}

// encode returns the body of a request for items, which has the time of the
// first.
func encode(items []item) []byte {
	b := strconv.AppendInt([]byte(`{"time_ms":`), items[0].at.UnixMilli(), 10)
	b = append(b, `,"events":[`...)
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = items[i].event.append(b)
	}
	return append(b, ']', '}')
}
