package hub

import (
	"context"
	"fmt"
	"slices"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/protocol"
)

// maxWatched is how many users one connection may watch. Clients are told this
// number, in protocol.ErrWatchlistLimit.
const maxWatched = 100

// What becomes of a user, as watchlist events name it.
const (
	online  = "online"
	offline = "offline"
)

// watchTopic is where those who watch a user hear of it. Who watches whom is
// who is subscribed to which topic: so the nodes of a cluster need not agree on
// it, and each hears only of users whom somebody there watches.
func watchTopic(a *app.App, userID string) channel.Topic {
	return channel.Topic{App: a.ID, Channel: channel.WatchPrefix + userID}
}

func watchTopics(a *app.App, userIDs []string) []channel.Topic {
	topics := make([]channel.Topic, len(userIDs))
	for i, id := range userIDs {
		topics[i] = watchTopic(a, id)
	}
	return topics
}

// tellWatchers publishes what has become of a user. It is called with the
// user's topic told.
func (h *Hub) tellWatchers(ctx context.Context, a *app.App, userID, what string) {
	if !a.Watchlist {
		return
	}
	m := protocol.Message{Event: protocol.EventWatchlist, Data: encodeWatch(change{what, []string{userID}})}
	h.announce(ctx, watchTopic(a, userID), m, "")
}

// watch has s hear of its friends, after it was told who of them is there. It is
// called with their topics told, so that nobody comes or goes between the two.
// An error is logged: the client is signed in all the same.
func (h *Hub) watch(ctx context.Context, s *Session, friends []string) {
	if len(friends) == 0 {
		return
	}
	if h.ports.Cluster != nil {
		h.watchTogether(ctx, s, friends)
		return
	}
	for _, id := range friends {
		if checkUserID(s.App, id) != nil {
			continue // nobody can sign in as this user
		}
		if err := h.watchOne(ctx, s, watchTopic(s.App, id)); err != nil {
			h.log.Error("watch user", "app", s.App.ID, "err", err)
			return
		}
	}
	there, err := h.ports.Users.Online(ctx, s.App.ID, friends)
	if err != nil {
		h.log.Error("look who is online", "app", s.App.ID, "err", err)
		return
	}
	h.tellWatched(s, friends, there)
}

// tellWatched tells s which of its friends are there, and which are not.
func (h *Hub) tellWatched(s *Session, friends, there []string) {
	away := slices.DeleteFunc(slices.Clone(friends), func(id string) bool { return slices.Contains(there, id) })
	s.Reply(protocol.Message{Event: protocol.EventWatchlist, Data: encodeWatch(change{online, there}, change{offline, away})})
}

// watched returns the channel of those who watch a user.
func (h *Hub) watched(ctx context.Context, s *Session, topic channel.Topic) (*channel.Channel, error) {
	ch := s.t.channel(topic.Channel)
	if ch == nil {
		if err := h.ports.Broker.Subscribe(ctx, topic); err != nil {
			h.leaveTopic(ctx, topic)
			return nil, fmt.Errorf("subscribe to broker: %w", err)
		}
		ch = s.t.newChannel(topic.Channel)
		s.t.open(ch)
	}
	return ch, nil
}

func (h *Hub) watchOne(ctx context.Context, s *Session, topic channel.Topic) error {
	ch, err := h.watched(ctx, s, topic)
	if err != nil {
		return err
	}
	ch.Add(s)
	s.watching = append(s.watching, ch)
	return nil
}

func (h *Hub) unwatch(ctx context.Context, s *Session, ch *channel.Channel) {
	topic := channel.Topic{App: s.App.ID, Channel: ch.Name}
	defer h.tell(topic)()
	if ch.Remove(s) {
		s.t.close(ch)
		h.leaveTopic(ctx, topic)
	}
}

// change is what has become of some users.
type change struct {
	name  string
	users []string
}

// encodeWatch is the data of a watchlist event: the changes of which there are
// any. The message has no channel; the .NET client would look no further.
func encodeWatch(changes ...change) []byte {
	b := []byte(`{"events":[`)
	for _, c := range changes {
		if len(c.users) == 0 {
			continue
		}
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = protocol.AppendString(append(b, `{"name":`...), c.name)
		b = append(b, `,"user_ids":[`...)
		for i, id := range c.users {
			if i > 0 {
				b = append(b, ',')
			}
			b = protocol.AppendString(b, id)
		}
		b = append(b, "]}"...)
	}
	return protocol.Text(append(b, "]}"...))
}
