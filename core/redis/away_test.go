package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/redis/redistest"
)

// Who enters while Redis is away is given a list without those whom its node does
// not know, and must be told of them later.
func TestEnterWhileAway(t *testing.T) {
	s := redistest.Start(t)
	proxy := redistest.NewProxy(t, s)
	elsewhere, here := channel.Topic{App: "1", Channel: "presence-b"}, channel.Topic{App: "1", Channel: "presence-a"}
	other, _ := follow(t, s.URL(), lease, here)
	n, told := follow(t, proxy.URL(), lease, elsewhere)
	err := other.Enter(t.Context(), here, "1.1", presence.Member{UserID: "there"}, 0, func([]presence.Member) {})
	if err != nil {
		t.Fatal(err)
	}
	proxy.Cut()
	if err := n.Broker().Subscribe(t.Context(), here); err != nil {
		t.Fatal(err)
	}
	var list []presence.Member
	err = n.Enter(context.Background(), here, "2.2", presence.Member{UserID: "me"}, 0, func(l []presence.Member) { list = l })
	if err != nil || len(list) != 1 || list[0].UserID != "me" {
		t.Fatalf("got %v, %v", list, err)
	}
	proxy.Heal()
	next(t, told, "there", true)
}

// Who has come and gone while Redis was away was never there, as Redis has it:
// those to whom its node has told of the coming hear of the going.
func TestComeAndGoWhileAway(t *testing.T) {
	s := redistest.Start(t)
	proxy := redistest.NewProxy(t, s)
	topic := channel.Topic{App: "1", Channel: "presence-a"}
	n, told := follow(t, proxy.URL(), 2*time.Second, topic)
	enter := func(socket, user string) {
		err := n.Enter(context.Background(), topic, socket, presence.Member{UserID: user}, 0, func([]presence.Member) {})
		if err != nil {
			t.Fatal(err)
		}
	}
	enter("1.1", "keeper")
	proxy.Hang()
	waitFor(t, func() bool { return !n.Stats().Up })
	enter("2.2", "ghost")
	n.Depart(context.Background(), topic, "2.2", "ghost")
	proxy.Heal()
	next(t, told, "ghost", true)
	next(t, told, "ghost", false)
}
