// Package presence is what a cluster must agree on: who is in a presence
// channel, and who was the first to come and the last to leave.
//
// Memory, in this package, serves a single node. Another implementation is
// another package that implements Members and passes presencetest.Run. None of
// them sends anything to anyone: package hub does.
package presence

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/revurb/revurb/core/channel"
)

// ErrFull is returned by Join when the channel has as many members as it may.
var ErrFull = errors.New("presence channel is full")

// Member is a user who is in a channel, through one connection or several.
type Member struct {
	UserID string
	Info   json.RawMessage // user_info as it was signed, an object; nil is none
}

// Change is that a user has become a member of a channel, or is one no more, on
// all nodes of a cluster.
type Change struct {
	channel.Topic
	Member        // of who has gone, the ID alone
	Came   bool   // else it has gone
	Except string // the socket ID of the connection that it came with, which knows
}

// Members knows the members of every presence channel. All methods may be
// called concurrently; those for one topic take effect one after the other.
type Members interface {
	// Join adds a connection of m. It is first if no other connection of the
	// user is in the channel: the other members want to know. The list is of
	// all members, m among them, in the order in which they came. A member who
	// is already there keeps the Info of the first connection. A limit of 0 is
	// none; a further connection of a member is always let in.
	Join(ctx context.Context, t channel.Topic, socketID string, m Member, limit int) (list []Member, first bool, err error)

	// Leave removes a connection. It is last if no other connection of the
	// user is left in the channel. A connection that is not in the channel
	// leaves as nobody: the zero Member, and not the last.
	Leave(ctx context.Context, t channel.Topic, socketID string) (m Member, last bool, err error)

	// List returns the members, in the order in which they came.
	List(ctx context.Context, t channel.Topic) ([]Member, error)

	// Count is the number of members.
	Count(ctx context.Context, t channel.Topic) (int, error)
}
