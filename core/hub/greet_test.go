package hub_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/presence"
)

// broken is a cache that cannot be read.
type broken struct{ cache.Memory }

func (*broken) Get(context.Context, channel.Topic) (cache.Event, time.Duration, bool, error) {
	return cache.Event{}, 0, false, errors.New("the cache is gone")
}

// A subscription that fails leaves nothing behind: no member whom nobody can
// remove, and no channel that nobody is in.
func TestFailedSubscriptionLeavesNoMember(t *testing.T) {
	_, _, a := newHub(t)
	ports := hub.Ports{Broker: new(broker.Memory), Members: new(presence.Memory), Cache: new(broken)}
	h, err := hub.New(ports, metrics.New(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	const room, data = "presence-cache-room", `{"user_id":"amy"}`
	s := connect(t, h, a, new(peer))
	sub := hub.Subscription{Channel: room, ChannelData: data, Auth: a.Key + ":" + auth.Sign(a.Secret, auth.ChannelText(s.ID, room, data))}
	if err := h.Subscribe(t.Context(), s, sub); err == nil {
		t.Fatal("the subscription succeeds without a cache")
	}
	if n, err := h.UserCount(t.Context(), a, room); err != nil || n != 0 {
		t.Errorf("UserCount = %d, %v, want 0", n, err)
	}
	if n, err := h.Subscriptions(t.Context(), a, room); err != nil || n != 0 {
		t.Errorf("Subscriptions = %d, %v, want 0", n, err)
	}
}

// impatient is a broker whose subscribers have gone before it has an answer.
type impatient struct {
	broker.Memory
	topics map[channel.Topic]bool
}

func (b *impatient) Subscribe(_ context.Context, t channel.Topic) error {
	b.topics[t] = true
	return context.Canceled
}

func (b *impatient) Unsubscribe(_ context.Context, t channel.Topic) error {
	delete(b.topics, t)
	return nil
}

// A client that goes while the broker is asked leaves no topic to which the node
// listens for nobody.
func TestFailedSubscriptionLeavesNoTopic(t *testing.T) {
	_, _, a := newHub(t)
	b := &impatient{topics: map[channel.Topic]bool{}}
	ports := hub.Ports{Broker: b, Members: new(presence.Memory), Cache: new(cache.Memory)}
	h, err := hub.New(ports, metrics.New(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := connect(t, h, a, new(peer))
	if err := h.Subscribe(t.Context(), s, hub.Subscription{Channel: "news"}); err == nil {
		t.Fatal("the subscription succeeds")
	}
	if len(b.topics) > 0 {
		t.Errorf("the node still listens to %v", b.topics)
	}
}
