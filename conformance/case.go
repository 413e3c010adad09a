// Package conformance judges a server of the Pusher Channels protocol from
// outside: over WebSockets, the HTTP API and webhooks, as its clients see it.
// It works on any server, and has been written against none.
//
// A Case is one promise of the protocol. A Runner runs cases against a Target
// and reports Results; package report shows them. The package imports nothing
// of a server's code, not even of the one that lies beside it.
package conformance

import (
	"fmt"
	"slices"
	"strings"
)

// Level says how much a promise matters.
type Level string

// The levels of RFC 2119.
const (
	Must   Level = "MUST"   // an official client or library breaks without it, or security does
	Should Level = "SHOULD" // it is documented, and clients get along without it
	May    Level = "MAY"    // legacy, undocumented but seen, or a convenience
	NA     Level = "N/A"    // means nothing in this dialect
)

// Dialect names whose habits a server follows where Pusher and Laravel Reverb
// differ.
type Dialect string

// The dialects.
const (
	Pusher Dialect = "pusher"
	Reverb Dialect = "reverb"
)

// Case is one promise, and how to find out whether it is kept.
type Case struct {
	ID    string // AREA-NN or dotted words; once published it never means anything else
	Title string // what is promised, in a few words
	Level Level

	// Reverb is the level in the dialect of Reverb, if it is another one.
	Reverb Level

	// Source is where the promise is made: a section of Pusher's documentation,
	// an RFC, or the client that relies on it.
	Source string

	// Requirement is the promise in a sentence, for who reads a report.
	Requirement string

	// Needs are the capabilities without which the case means nothing. A
	// target that does not claim them skips the case.
	Needs []Capability

	// Alias is the number that another suite has for the same, as ab:6.12.1.
	Alias string

	// Serial says that the case needs the app to itself, for instance because
	// it looks at the list of all channels.
	Serial bool

	// Timing says that the case waits for something not to happen where only
	// time can tell, or for a time that passes.
	Timing bool

	// Heavy says that the case sends much: profile hosted leaves it out.
	Heavy bool

	Run func(*T)
}

// Area is the part of the protocol that the case belongs to.
func (c *Case) Area() string {
	if area, _, ok := strings.Cut(c.ID, "-"); ok && area == strings.ToUpper(area) {
		return area
	}
	area, _, _ := strings.Cut(c.ID, ".")
	return area
}

// LevelIn is the level of the case in dialect d.
func (c *Case) LevelIn(d Dialect) Level {
	if d == Reverb && c.Reverb != "" {
		return c.Reverb
	}
	return c.Level
}

// Capability is something that a server can do, or cannot.
type Capability string

// The capabilities that cases ask for.
const (
	CapClientEvents      Capability = "client-events"
	CapPresence          Capability = "presence"
	CapCache             Capability = "cache-channels"
	CapEncrypted         Capability = "encrypted"
	CapBatch             Capability = "batch-events"
	CapSignin            Capability = "signin"
	CapWatchlist         Capability = "watchlist"
	CapTerminate         Capability = "terminate"
	CapWebhooks          Capability = "webhooks"
	CapSubscriptionCount Capability = "subscription-count"
	CapBatchedWebhooks   Capability = "batched-webhooks"   // several events in a webhook
	CapUnbatchedWebhooks Capability = "unbatched-webhooks" // one event in each
	CapFilteredWebhooks  Capability = "filtered-webhooks"  // the second URL gets channel_existence alone
	CapOriginCheck       Capability = "origin-check"
	CapCompression       Capability = "compression"
	CapMultiNode         Capability = "multi-node"
	CapConnections       Capability = "connections-endpoint"
	CapSecondApp         Capability = "second-app"       // credentials of another app were given
	CapNodeControl       Capability = "node-control"     // the suite may stop and start nodes
	CapQuotaApp          Capability = "quota-app"        // an app with a connection quota was given
	CapDisabledApp       Capability = "disabled-app"     // an app that is switched off was given
	CapShortLiveness     Capability = "short-liveness"   // silent clients are found within seconds
	CapShortCache        Capability = "short-cache"      // cached events expire within seconds
	CapPathPrefix        Capability = "path-prefix"      // the server has a path prefix
	CapNoClientEvents    Capability = "no-client-events" // an app without client events was given
	CapTLSOnly           Capability = "tls-only-app"     // an app for TLS only was given
	CapStrict            Capability = "strict-app"       // an app that wants a protocol version was given
	CapMemberLimits      Capability = "member-limits"    // presence channels are limited as Pusher's are
	CapReverb            Capability = "reverb-endpoints" // the server has the endpoints of Reverb
	CapClientEventRate   Capability = "client-event-rate"
	CapAuthorizedOnly    Capability = "authorized-connections"
)

// All returns every case there is, in the order of the protocol.
func All() []Case {
	all := slices.Concat(
		connectionCases, heartbeatCases, subscriptionCases, presenceCases, cacheCases, countCases,
		clientEventCases, userCases, watchlistCases, httpAuthCases, httpEventCases, httpQueryCases,
		webhookCases, rfc6455Cases(), securityCases, clusterCases, clusterFaultCases,
	)
	return all
}

// Select returns the cases of all whose ID matches one of the patterns run, or
// all if there are none, and none of the patterns skip. It is an error if a
// pattern matches nothing: that is most often a slip of the pen.
//
// A pattern is an ID in which * stands for any characters.
func Select(all []Case, run, skip []string) ([]Case, error) {
	for _, p := range slices.Concat(run, skip) {
		if !slices.ContainsFunc(all, func(c Case) bool { return Match(p, c.ID) }) {
			return nil, fmt.Errorf("%w %q: revurb conformance list shows them all", ErrNoMatch, p)
		}
	}
	var selected []Case
	for _, c := range all {
		wanted := len(run) == 0 || slices.ContainsFunc(run, func(p string) bool { return Match(p, c.ID) })
		if wanted && !slices.ContainsFunc(skip, func(p string) bool { return Match(p, c.ID) }) {
			selected = append(selected, c)
		}
	}
	if len(selected) == 0 {
		return nil, fmt.Errorf("%w what is left", ErrNoMatch)
	}
	return selected, nil
}

// ErrNoMatch is the error of a selection that selects nothing.
var ErrNoMatch = fmt.Errorf("no case matches")

// Match reports whether id matches pattern as a whole, in which * stands for
// any characters. Case does not matter.
func Match(pattern, id string) bool {
	pattern, id = strings.ToLower(pattern), strings.ToLower(id)
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return id == pattern
	}
	id, ok := strings.CutPrefix(id, head)
	if !ok {
		return false
	}
	for {
		part, tail, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(id, part)
		}
		i := strings.Index(id, part)
		if i < 0 {
			return false
		}
		id, rest = id[i+len(part):], tail
	}
}
