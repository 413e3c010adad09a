package broker

import (
	"context"
	"time"

	"github.com/revurb/revurb/core/channel"
)

// Position is a place in the log of a topic. Within an epoch, offsets count the
// messages: 1, 2, 3. An epoch ends when the log is forgotten; epochs are only
// compared for equality, and 0 is none. The zero Position is before everything.
type Position struct {
	Epoch, Offset int64
}

// Log is what was published on each topic lately, for those who have missed some
// of it. It is the second half of a Broker: what Publish sends to a topic that
// somebody has, it appends in the same step.
//
// All methods may be called concurrently.
type Log interface {
	// Tip is the position of the last message of t.
	Tip(ctx context.Context, t channel.Topic) (Position, error)

	// Read returns the first messages after a position, at most limit of them. A
	// limit of less than 1 is 1.
	Read(ctx context.Context, t channel.Topic, after Position, limit int) (Page, error)
}

// Page is a part of a log.
type Page struct {
	Messages []Message // the oldest first, each with its Position
	Tip      Position  // of the whole log

	// Complete is false if something that came after the position is not there
	// anymore: it is too old, or its epoch has ended.
	Complete bool

	// Missing is how many those are, as far as that can be known: the epoch has not
	// changed.
	Missing int64
}

// Retention is how much of a log is kept. Each bound holds for each topic; the
// last message is kept in any case, for For. The zero Retention keeps nothing.
type Retention struct {
	For    time.Duration // a message can be read at least for so long; older ones go as more are published
	Events int
	Bytes  int
}
