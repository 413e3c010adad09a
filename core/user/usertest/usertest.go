// Package usertest checks that a user.Users keeps its promises. Every
// implementation runs it:
//
//	func TestUsers(t *testing.T) {
//		usertest.Run(t, func(t *testing.T) user.Users { return new(user.Memory) })
//	}
package usertest

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/revurb/revurb/core/user"
)

var amy = user.User{App: "app", ID: "amy"}

// Run runs every check, each on Users of its own from open.
func Run(t *testing.T, open func(t *testing.T) user.Users) {
	for _, check := range []struct {
		name string
		run  func(*testing.T, user.Users)
	}{
		{"the first connection of a user is first, the last is last", firstAndLast},
		{"signing in twice with one connection counts once", twice},
		{"who has not signed in is not the last", nobody},
		{"who is online is told in the order that was asked for", order},
		{"apps and users are apart", apart},
		{"a user comes and goes once, whoever races", race},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, open(t)) })
	}
}

func signIn(t *testing.T, us user.Users, u user.User, socket string) (first bool) {
	t.Helper()
	first, err := us.SignIn(t.Context(), u, socket)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

func signOut(t *testing.T, us user.Users, u user.User, socket string) (last bool) {
	t.Helper()
	last, err := us.SignOut(t.Context(), u, socket)
	if err != nil {
		t.Fatal(err)
	}
	return last
}

func wantOnline(t *testing.T, us user.Users, app, asked, want string) {
	t.Helper()
	online, err := us.Online(t.Context(), app, strings.Fields(asked))
	if got := strings.Join(online, " "); err != nil || got != want {
		t.Errorf("of %q are online %q, %v, want %q", asked, got, err, want)
	}
}

func firstAndLast(t *testing.T, us user.Users) {
	if !signIn(t, us, amy, "1") {
		t.Error("the first connection is not first")
	}
	if signIn(t, us, amy, "2") {
		t.Error("the second connection is first")
	}
	if signOut(t, us, amy, "1") {
		t.Error("one of two is the last")
	}
	wantOnline(t, us, "app", "amy", "amy")
	if !signOut(t, us, amy, "2") {
		t.Error("the last connection is not last")
	}
	wantOnline(t, us, "app", "amy", "")
	if !signIn(t, us, amy, "3") {
		t.Error("who comes back after leaving is not first")
	}
}

func twice(t *testing.T, us user.Users) {
	signIn(t, us, amy, "1")
	if signIn(t, us, amy, "1") {
		t.Error("signing in again is first")
	}
	if !signOut(t, us, amy, "1") {
		t.Error("signing out once is not last")
	}
}

func nobody(t *testing.T, us user.Users) {
	if signOut(t, us, amy, "1") {
		t.Error("who was never there is the last")
	}
	signIn(t, us, amy, "1")
	if signOut(t, us, amy, "2") {
		t.Error("another connection is the last")
	}
	wantOnline(t, us, "app", "amy", "amy")
	signOut(t, us, amy, "1")
	if signOut(t, us, amy, "1") {
		t.Error("who has left is the last again")
	}
}

func order(t *testing.T, us user.Users) {
	for _, id := range []string{"zoe", "amy", "bob"} {
		signIn(t, us, user.User{App: "app", ID: id}, id)
	}
	wantOnline(t, us, "app", "bob eve zoe amy", "bob zoe amy")
	wantOnline(t, us, "app", "", "")
}

func apart(t *testing.T, us user.Users) {
	signIn(t, us, amy, "1")
	if !signIn(t, us, user.User{App: "other", ID: "amy"}, "1") {
		t.Error("a user of the same name in another app was there")
	}
	if !signOut(t, us, amy, "1") {
		t.Error("a user is kept online by one of another app")
	}
	wantOnline(t, us, "app", "amy", "")
	wantOnline(t, us, "other", "amy", "amy")
}

func race(t *testing.T, us user.Users) {
	const sockets, rounds = 8, 200
	var came, went atomic.Int64
	var wg sync.WaitGroup
	for s := range sockets {
		wg.Go(func() {
			socket, u := fmt.Sprint(s), user.User{App: "app", ID: fmt.Sprint(s % 2)}
			for range rounds {
				first, err := us.SignIn(t.Context(), u, socket)
				if err != nil {
					t.Error(err)
				}
				if first {
					came.Add(1)
				}
				if online, err := us.Online(t.Context(), u.App, []string{u.ID}); err != nil || len(online) != 1 {
					t.Errorf("who is signed in is not online: %v, %v", online, err)
				}
				last, err := us.SignOut(t.Context(), u, socket)
				if err != nil {
					t.Error(err)
				}
				if last {
					went.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if came.Load() != went.Load() || came.Load() == 0 {
		t.Errorf("came online %d times, went offline %d times", came.Load(), went.Load())
	}
	wantOnline(t, us, "app", "0 1", "")
}
