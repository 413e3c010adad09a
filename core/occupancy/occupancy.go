// Package occupancy is what the backends of a cluster are told of: when a
// channel is occupied and when it is vacated, when a user has come into it and
// when it has gone. Short absences are not told.
//
// Memory, in this package, serves a single node. Another implementation is
// another package that implements Tracker and passes occupancytest.Run. None of
// them knows how a backend is told: package hub has it done.
package occupancy

import (
	"context"
	"time"

	"github.com/revurb/revurb/core/channel"
)

// DefaultGrace is how long a channel or a user may be gone before it is told, where
// nobody says otherwise.
const DefaultGrace = 3 * time.Second

// Change is that a channel is occupied, or is so no more; or the same of one
// user in it.
type Change struct {
	channel.Topic
	UserID string // of the user, or "" if the change is the channel's
	Came   bool   // else it has gone

	At      time.Time // when it happened; zero is now
	Receipt Receipt   // of who waits until backends have been told; nil if nobody does
}

// Receipt is how a tracker hears what became of a change. Its methods may be called
// concurrently, and do not block.
type Receipt interface {
	// Settled is called once, when the change has been told, or given up, or is
	// nobody's concern. A change that another server is to tell is never settled.
	Settled()

	// Void reports whether another server tells the change by now. Once it does,
	// it always will.
	Void() bool
}

// Settled says that there is nothing left to do for a change.
func (c Change) Settled() {
	if c.Receipt != nil {
		c.Receipt.Settled()
	}
}

// Tracker follows the subscriptions of all channels. Its methods may be called
// concurrently; those for one topic take effect one after the other.
type Tracker interface {
	// Start has changes told. It is called once, before all other methods.
	// tell must not block, nor call the tracker. Each change is told once in
	// the cluster, and those of a topic in the order in which they happen: that
	// a channel is occupied before that someone is in it, and that someone has
	// gone before that it is vacated. One that has a receipt is told again, by
	// another server and in the same order, if it was not settled.
	Start(tell func(Change))

	// Join counts a subscription, of a user if the channel is a presence
	// channel. If it is the first of the channel or of the user, that is told,
	// unless the last one has left within the grace: then nothing is.
	Join(ctx context.Context, t channel.Topic, userID string) error

	// Leave takes back what Join counted. If nobody is left, that is told when
	// nobody has come back after the grace.
	Leave(ctx context.Context, t channel.Topic, userID string) error

	// Missed reports whether a miss of the cache of t is worth telling: of those
	// within the grace, the first is.
	Missed(ctx context.Context, t channel.Topic) (bool, error)

	// Flush tells at once of all who have left, because the server stops.
	Flush(ctx context.Context) error
}
