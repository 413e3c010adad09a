// Package protocol is the vocabulary of the Pusher Channels protocol, version
// 7: the message envelope, the event names and the errors.
//
// It knows nothing of connections, channels or apps, and imports nothing but
// the standard library. Every other package may import it.
package protocol

// Event names that the protocol gives a meaning.
const (
	EventConnectionEstablished = "pusher:connection_established"
	EventError                 = "pusher:error"
	EventPing                  = "pusher:ping"
	EventPong                  = "pusher:pong"
	EventSubscribe             = "pusher:subscribe"
	EventUnsubscribe           = "pusher:unsubscribe"
	EventCacheMiss             = "pusher:cache_miss"
	EventSignin                = "pusher:signin"
	EventSigninSuccess         = "pusher:signin_success"

	// EventSubscriptionError is not in Pusher's documentation. Echo and the
	// official clients hand it to the channel that it names, which they do not
	// do with pusher:error.
	EventSubscriptionError = "pusher:subscription_error"

	EventSubscriptionSucceeded = "pusher_internal:subscription_succeeded"
	EventMemberAdded           = "pusher_internal:member_added"
	EventMemberRemoved         = "pusher_internal:member_removed"
	EventSubscriptionCount     = "pusher_internal:subscription_count"
	EventWatchlist             = "pusher_internal:watchlist_events"
)

// Prefixes of event names.
const (
	ClientEventPrefix   = "client-"          // what clients send one another
	ReservedPrefix      = "pusher:"          // what only a server may send
	InternalEventPrefix = "pusher_internal:" // what only a server may send, and clients hide
)

// The versions of the protocol that a client may ask for. Version 4 is the
// first in which data is a string.
const (
	MinVersion = 4
	MaxVersion = 7
)

// Dialect names whose habits an app follows where Pusher and Laravel Reverb
// differ and a client can tell.
type Dialect string

// The dialects.
const (
	Pusher Dialect = "pusher"
	Reverb Dialect = "reverb"
)
