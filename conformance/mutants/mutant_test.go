package mutants

import (
	"slices"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/hub"
)

// mutant is a server with a bug. All fields but the first three are ways to
// have one; most mutants use one of them.
type mutant struct {
	name string
	bug  string // a sentence

	// killedBy are the cases that find the bug, or patterns of them: every one
	// of them must fail.
	killedBy []string

	// also are neighbors of those cases that may find it as well. All other
	// neighbors must pass.
	also []string

	// total says that little works at all with the bug: any other case may fail, too.
	total bool

	config func(*config.Config) // the server is set up wrongly
	ports  func(*hub.Ports)     // a part of the server is wrong
	node   func(*hub.Ports)     // a part of each of two servers is wrong that share a Redis
	up     hook                 // what clients send arrives otherwise
	down   hook                 // what the server sends arrives otherwise
	head   func(string) string  // the handshake arrives otherwise
	answer func(string) string  // the answer to the handshake arrives otherwise
	http   func(*exchange) answer
	reads  func(l *link, b []byte) []byte // what is read of a client at a time arrives otherwise
	lax    func(head string) bool         // requests that are answered with 200, without a look
	keep   bool                           // that a client has gone is not noticed
	told   func(*telling)                 // what backends are told arrives otherwise
}

// hook is given a frame on its way, and returns what goes on in its place.
type hook func(l *link, f frame) []frame

// mutants are all there are.
func mutants() []mutant {
	return slices.Concat(wireMutants(), connectionMutants(), subscriptionMutants(), presenceMutants(),
		cacheMutants(), clientEventMutants(), httpMutants(), webhookMutants(), userMutants(), clusterMutants())
}
