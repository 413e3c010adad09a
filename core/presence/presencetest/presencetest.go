// Package presencetest checks that a presence.Members keeps its promises.
// Every implementation runs it:
//
//	func TestMembers(t *testing.T) {
//		presencetest.Run(t, func(t *testing.T) presence.Members { return new(presence.Memory) })
//	}
package presencetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/presence"
)

var topic = channel.Topic{App: "app", Channel: "presence-a"}

// Run runs every check, each on Members of its own from open.
func Run(t *testing.T, open func(t *testing.T) presence.Members) {
	for _, check := range []struct {
		name string
		run  func(*testing.T, presence.Members)
	}{
		{"the first connection of a user is first, the last is last", firstAndLast},
		{"members are listed as they came", order},
		{"a member keeps the info of the first connection", info},
		{"a channel may be full, but not for its members", full},
		{"topics are apart", apart},
		{"who was never there leaves as nobody", nobody},
		{"joining twice with one connection counts once", twice},
		{"users are added and removed once, whoever races", race},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, open(t)) })
	}
}

func join(t *testing.T, p presence.Members, socket, user string) (list string, first bool) {
	t.Helper()
	members, first, err := p.Join(t.Context(), topic, socket, presence.Member{UserID: user}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return ids(members), first
}

func leave(t *testing.T, p presence.Members, socket string) (user string, last bool) {
	t.Helper()
	m, last, err := p.Leave(t.Context(), topic, socket)
	if err != nil {
		t.Fatal(err)
	}
	return m.UserID, last
}

func ids(members []presence.Member) string {
	var all []string
	for _, m := range members {
		all = append(all, m.UserID)
	}
	return strings.Join(all, " ")
}

func wantCount(t *testing.T, p presence.Members, want int) {
	t.Helper()
	if n, err := p.Count(t.Context(), topic); err != nil || n != want {
		t.Errorf("Count = %d, %v, want %d", n, err, want)
	}
}

func firstAndLast(t *testing.T, p presence.Members) {
	if _, first := join(t, p, "1", "amy"); !first {
		t.Error("the first connection is not first")
	}
	if list, first := join(t, p, "2", "amy"); first || list != "amy" {
		t.Errorf("the second connection: first = %v, list = %s", first, list)
	}
	wantCount(t, p, 1)
	if user, last := leave(t, p, "1"); last || user != "amy" {
		t.Errorf("one of two leaves: %q, last = %v", user, last)
	}
	if user, last := leave(t, p, "2"); !last || user != "amy" {
		t.Errorf("the last leaves: %q, last = %v", user, last)
	}
	wantCount(t, p, 0)
	if _, first := join(t, p, "3", "amy"); !first {
		t.Error("who comes back after leaving is not first")
	}
}

func order(t *testing.T, p presence.Members) {
	join(t, p, "1", "zoe")
	join(t, p, "2", "amy")
	join(t, p, "3", "bob")
	leave(t, p, "2")
	if list, _ := join(t, p, "4", "amy"); list != "zoe bob amy" {
		t.Errorf("list = %s, want zoe bob amy", list)
	}
	members, err := p.List(t.Context(), topic)
	if err != nil || ids(members) != "zoe bob amy" {
		t.Errorf("List = %s, %v, want zoe bob amy", ids(members), err)
	}
}

func info(t *testing.T, p presence.Members) {
	for socket, info := range []string{`{"n": 1}`, `{"n": 2}`} {
		list, _, err := p.Join(t.Context(), topic, fmt.Sprint(socket), presence.Member{UserID: "amy", Info: []byte(info)}, 0)
		if err != nil || len(list) != 1 || string(list[0].Info) != `{"n": 1}` {
			t.Errorf("list = %v, %v, want amy with the bytes of her first info", list, err)
		}
	}
}

func full(t *testing.T, p presence.Members) {
	for i := range 2 {
		if _, _, err := p.Join(t.Context(), topic, fmt.Sprint(i), presence.Member{UserID: fmt.Sprint(i)}, 2); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := p.Join(t.Context(), topic, "x", presence.Member{UserID: "x"}, 2); !errors.Is(err, presence.ErrFull) {
		t.Errorf("a third user: %v, want ErrFull", err)
	}
	if _, _, err := p.Join(t.Context(), topic, "y", presence.Member{UserID: "1"}, 2); err != nil {
		t.Errorf("a second connection of a member: %v", err)
	}
	if user, last := leave(t, p, "x"); user != "" || last {
		t.Errorf("who was not let in leaves as %q, last = %v", user, last)
	}
	wantCount(t, p, 2)
}

func apart(t *testing.T, p presence.Members) {
	join(t, p, "1", "amy")
	for _, other := range []channel.Topic{{App: "other", Channel: topic.Channel}, {App: topic.App, Channel: "presence-b"}} {
		if list, err := p.List(t.Context(), other); err != nil || list == nil || len(list) != 0 {
			t.Errorf("List of %v = %v, %v, want an empty list", other, list, err)
		}
	}
}

func nobody(t *testing.T, p presence.Members) {
	if user, last := leave(t, p, "1"); user != "" || last {
		t.Errorf("left as %q, last = %v", user, last)
	}
}

func twice(t *testing.T, p presence.Members) {
	join(t, p, "1", "amy")
	if _, first := join(t, p, "1", "amy"); first {
		t.Error("joining again is first")
	}
	if _, last := leave(t, p, "1"); !last {
		t.Error("leaving once is not last")
	}
}

func race(t *testing.T, p presence.Members) {
	const sockets, rounds = 8, 200
	var added, removed atomic.Int64
	var wg sync.WaitGroup
	for s := range sockets {
		wg.Go(func() {
			socket, user := fmt.Sprint(s), fmt.Sprint(s%2)
			for range rounds {
				list, first, err := p.Join(t.Context(), topic, socket, presence.Member{UserID: user}, 0)
				if err != nil || !slices.ContainsFunc(list, func(m presence.Member) bool { return m.UserID == user }) {
					t.Errorf("list = %v, %v, want %s in it", list, err, user)
				}
				if first {
					added.Add(1)
				}
				_, last, err := p.Leave(t.Context(), topic, socket)
				if err != nil {
					t.Error(err)
				}
				if last {
					removed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if added.Load() != removed.Load() || added.Load() == 0 {
		t.Errorf("%d added, %d removed", added.Load(), removed.Load())
	}
	wantCount(t, p, 0)
}
