// Package user is what a cluster must agree on: which users have signed in, and
// which connection of a user was the first to come and the last to leave.
//
// Memory, in this package, serves a single node. Another implementation is
// another package that implements Users and passes usertest.Run. None of them
// tells anyone who has come or left, nor knows who wants to hear of it: package
// hub does.
package user

import "context"

// User names a user of an app, across the cluster.
type User struct {
	App string // its ID
	ID  string
}

// Users knows who has signed in. All methods may be called concurrently; those
// for one user take effect one after the other.
type Users interface {
	// SignIn adds a connection of u. It is first if no other connection of the
	// user is signed in: the user has come online. A connection that signs in
	// again as the same user is never first.
	SignIn(ctx context.Context, u User, socketID string) (first bool, err error)

	// SignOut removes a connection of u. It is last if no other connection of
	// the user is left: the user has gone offline. A connection that is not
	// signed in as u is not the last.
	SignOut(ctx context.Context, u User, socketID string) (last bool, err error)

	// Online returns those of ids who are signed in, in the order of ids.
	Online(ctx context.Context, app string, ids []string) ([]string, error)
}
