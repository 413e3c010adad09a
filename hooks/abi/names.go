package abi

// The names that host and guest share.
const (
	// Module is where a guest imports the functions of the host from.
	Module = "revurb_v1"

	Prefix       = "revurb_"
	MarkerPrefix = "revurb_abi_" // and a major version: the guest's promise, never called
	Marker       = MarkerPrefix + "1"
	Memory       = "memory"
	Initialize   = "_initialize" // of a reactor; called once
	Start        = "_start"      // called once where there is no Initialize
	Buffer       = "revurb_buffer"
	Configure    = "revurb_configure"

	// What the host adds to a guest so that it can be stopped. A guest that has
	// one of them already is refused.
	Yield = "yield"
	Fuel  = "revurb_fuel"
)

// BufferSize is how many bytes the host asks Buffer for when an instance
// starts. It asks again only for a frame that is larger.
const BufferSize = 64 << 10

// Fields of a request frame, the same for every hook. Those that have no meaning
// for a hook are absent.
const (
	App      = iota // the app's ID
	Channel         // its name
	SocketID        // of the client
	UserID          // of the user who has signed in, or of the member
	Event           // OnMessage: the event's name
	Data            // OnMessage: the event's data as its receivers read it; Authorize, OnSubscribe: channel_data; OnSignin: user_data
	Auth            // Authorize: what the client sent as auth; OnSignin likewise
	Flags           // an integer: see Flag

	Fields // how many there are
)

// Fields of the frame that Configure is called with.
const (
	ConfigJSON  = iota // the plugin's config, a JSON object
	ConfigApps         // the IDs of its apps, a JSON array of strings; ["*"] is all
	ConfigHost         // the server's version, as "1.2.3"
	ConfigNames        // how many there are
)

// Fields of a response frame.
const (
	ResponseStatus   = iota // an integer: see Status
	ResponseCode            // an integer: a close code of 4000 to 4399 for OnConnect, an error code for the others; 0 is the usual one
	ResponseMessage         // Deny: what the client or the backend is told, UTF-8
	ResponseChannel         // for later versions
	ResponseEvent           // OnMessage, Replace: the event's name
	ResponseData            // OnMessage, Replace: the event's data
	ResponseUserID          // Authorize with authorize.mode = "replace": the presence member's user_id
	ResponseUserInfo        // Authorize, OnSubscribe, OnSignin: user_info, a JSON object

	ResponseFields // how many there are
)

// Flag is a bit of the field Flags.
type Flag = uint64

// The flags.
const (
	FromAPI    Flag = 1 << iota // OnMessage: it came over the HTTP API, not from a client
	InBatch                     // OnMessage: it is one of several in a request
	CacheEvent                  // the channel is a cache channel
	Unsigned                    // Authorize: the signature is not checked; the plugin's yes is the authorization
	Came                        // OnPresence: the member was added, OnChannel: the channel is occupied; without it the opposite
)

// Fields that a guest reads with the import ctx_get: what few need.
const (
	CtxOrigin      = iota // the Origin header that the client connected with
	CtxRemoteIP           // the client's address
	CtxQuery              // the query that the client connected with, as "protocol=7&client=js"
	CtxUserInfo           // user_info of the user, a JSON object
	CtxSubscribers        // an integer: how many are subscribed to the channel on this node

	CtxFields // how many there are
)

// What an import returns in place of a length.
const (
	ErrNotFound   = -1
	ErrDenied     = -2
	ErrArgument   = -3
	ErrQuota      = -4
	ErrTimeout    = -5
	ErrTooLarge   = -6
	HMACKeyBytes  = 0 // hmac_sha256's key_ref: the key is the bytes that the guest gives
	HMACAppSecret = 1 // hmac_sha256's key_ref: the key is the secret of the event's app, which the guest never sees
)
