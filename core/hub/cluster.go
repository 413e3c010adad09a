package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
)

// Cluster is what a hub shares with the other nodes beyond its other ports. It
// tells each node itself of members and users who come and go, since one of
// those that it had may be gone. Its methods may be called concurrently.
type Cluster interface {
	// Changes has changes told of members of presence channels, and of users on
	// the topics on which those hear of them who watch them: of the topics that
	// this node is subscribed to, each once and in order. It is called once,
	// before the broker is started. tell must not block, nor call the cluster.
	Changes(tell func(presence.Change))

	// Enter makes m a member through a connection of this node, as Members.Join
	// does. It calls enter, which must not block, with the list, between two
	// changes: those before are in the list, and those after it are told.
	Enter(ctx context.Context, t channel.Topic, socketID string, m presence.Member, limit int, enter func(list []presence.Member)) error

	// Depart takes back one Enter. What is published then comes after what is told
	// of it.
	Depart(ctx context.Context, t channel.Topic, socketID, userID string)

	// Watching calls enter with those of users who are signed in, between two
	// changes. This node is subscribed to their topics.
	Watching(ctx context.Context, app string, userIDs []string, enter func(there []string))

	// Count notes how many subscriptions of t this node has.
	Count(t channel.Topic, subscriptions int)

	// Subscriptions and Channels count those of all nodes.
	Subscriptions(ctx context.Context, t channel.Topic) (int, error)
	Channels(ctx context.Context, app, prefix string) (map[string]int, error)

	// Admit takes a place for a client of an app, of which all nodes together have
	// limit; 0 is no limit. It reports whether there was one. When it returns the
	// client is counted on all nodes; where they cannot be reached, it decides soon,
	// and so it does when ctx ends. Release gives the place back.
	Admit(ctx context.Context, app string, limit int) bool
	Release(app string)

	// Connections counts the clients of an app on all nodes.
	Connections(ctx context.Context, app string) (int, error)

	// Allow reports whether count more may pass of what is limited to so many a
	// second of an app, on all nodes together, or how long it takes until they
	// might.
	Allow(ctx context.Context, app, limit string, count, perSecond int) (wait time.Duration, ok bool, err error)

	// PublishCached replaces what a cache channel keeps and publishes m, with
	// nothing between the two.
	PublishCached(ctx context.Context, m broker.Message, e cache.Event, ttl time.Duration) error
}

// controlTopic is where nodes tell one another what to do with an app's clients:
// so far, the ID of a user whose connections are to end.
func controlTopic(app string) channel.Topic {
	return channel.Topic{App: app, Channel: "#server-control"}
}

// changedMember tells the clients here of a member or user who has come or gone
// on any node.
func (h *Hub) changedMember(c presence.Change) {
	var m protocol.Message
	switch {
	case strings.HasPrefix(c.Channel, channel.WatchPrefix):
		what := offline
		if c.Came {
			what = online
		}
		m = protocol.Message{Event: protocol.EventWatchlist, Data: encodeWatch(change{what, []string{c.UserID}})}
	case c.Came:
		m = protocol.Message{Event: protocol.EventMemberAdded, Channel: c.Channel, Data: encodeMember(c.Member)}
	default:
		m = protocol.Message{Event: protocol.EventMemberRemoved, Channel: c.Channel, Data: encodeUserID(c.UserID)}
	}
	t := h.tenantOf(c.App)
	if t == nil {
		return
	}
	if ch := t.channel(c.Channel); ch != nil {
		ch.Announce(encode(m), t.subscriber(c.Except))
	}
}

// enter puts s into a presence channel of a cluster.
func (h *Hub) enter(ctx context.Context, s *Session, t channel.Topic, m presence.Member, admit func([]presence.Member)) error {
	err := h.ports.Cluster.Enter(ctx, t, s.ID, m, s.App.MaxPresenceMembers, admit)
	switch {
	case errors.Is(err, presence.ErrFull):
		return fullChannel(s, t)
	case err != nil:
		return fmt.Errorf("join presence channel: %w", err)
	}
	return nil
}

// count tells the cluster how many subscriptions of a channel are here.
func (h *Hub) count(t channel.Topic, n int) {
	if h.ports.Cluster != nil {
		h.ports.Cluster.Count(t, n)
	}
}

// takePlace registers s, unless there are as many clients of its app as there may be,
// on all nodes together.
func (h *Hub) takePlace(ctx context.Context, s *Session) bool {
	limit := s.App.MaxConnections
	if h.ports.Cluster == nil {
		return s.t.add(s, limit)
	}
	return h.ports.Cluster.Admit(ctx, s.App.ID, limit) && s.t.add(s, 0)
}

// freePlace gives back the place of s, so that another client may come to any node.
func (h *Hub) freePlace(s *Session) {
	if h.ports.Cluster != nil {
		h.ports.Cluster.Release(s.App.ID)
	}
}

// controlWait is how long the first client of an app waits until this node hears of
// it from the others. After that they are heard when the broker is back.
const controlWait = 500 * time.Millisecond

// control has this node hear what the others want of an app's clients.
func (h *Hub) control(ctx context.Context, t *tenant) {
	if h.ports.Cluster == nil {
		return
	}
	t.control.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, controlWait)
		defer cancel()
		err := h.ports.Broker.Subscribe(ctx, controlTopic(t.app.ID))
		if err != nil && ctx.Err() == nil {
			h.log.Error("listen to the other nodes", "app", t.app.ID, "err", err)
		}
	})
}

// AllowTogether is the Allow of a cluster. It reports shared when there is one, and
// it can say: else each node has the limit for itself.
func (h *Hub) AllowTogether(ctx context.Context, a *app.App, limit string, count, perSecond int) (wait time.Duration, ok, shared bool) {
	if h.ports.Cluster == nil || perSecond <= 0 {
		return 0, false, false
	}
	wait, ok, err := h.ports.Cluster.Allow(ctx, a.ID, limit, count, perSecond)
	return wait, ok, err == nil
}

// watchTogether is watch in a cluster.
func (h *Hub) watchTogether(ctx context.Context, s *Session, friends []string) {
	watched := slices.DeleteFunc(slices.Clone(friends), func(id string) bool { return checkUserID(s.App, id) != nil })
	for _, id := range watched {
		if _, err := h.watched(ctx, s, watchTopic(s.App, id)); err != nil {
			h.log.Error("watch user", "app", s.App.ID, "err", err)
			return
		}
	}
	h.ports.Cluster.Watching(ctx, s.App.ID, watched, func(there []string) {
		for _, id := range watched {
			ch := s.t.channel(watchTopic(s.App, id).Channel)
			ch.Add(s)
			s.watching = append(s.watching, ch)
		}
		h.tellWatched(s, friends, there)
	})
}

// terminateEverywhere has all nodes end the connections of a user.
func (h *Hub) terminateEverywhere(ctx context.Context, app, userID string) error {
	err := h.ports.Broker.Publish(ctx, broker.Message{Topic: controlTopic(app), Frame: frame.Text([]byte(userID))})
	if err != nil {
		return fmt.Errorf("tell the other nodes: %w", err)
	}
	return nil
}
