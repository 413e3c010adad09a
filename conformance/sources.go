package conformance

// Where the promises of the WebSocket protocol are made. The pages are those of
// https://pusher.com/docs/channels; clients are named by what they depend on.
const (
	docProtocol  = "Pusher docs, WebSocket protocol"
	docAuth      = "Pusher docs, Authentication signatures"
	docChannels  = "Pusher docs, Channels"
	docPresence  = "Pusher docs, Presence channels"
	docCache     = "Pusher docs, Cache channels"
	docEncrypted = "Pusher docs, Encrypted channels"
	docEvents    = "Pusher docs, Events"
	docUsers     = "Pusher docs, Authenticating users"
	docTerminate = "Pusher docs, Terminating user connections"
	docWatchlist = "Pusher docs, Watchlist events"
	docREST      = "Pusher docs, HTTP API reference"
	docConnect   = "Pusher docs, Authorized connections"
)
