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
