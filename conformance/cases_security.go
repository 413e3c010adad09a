package conformance

import (
	"slices"
)

// Where the promises are made that keep hostile clients out.
const (
	srcMessage    = "RFC 9112, section 11.2: Request smuggling"
	srcHandshake  = "RFC 6455, section 4.2.1: Reading the client's opening handshake"
	srcLimits     = "RFC 6455, section 10.4: Implementation-specific limits"
	srcOrigin     = "RFC 6455, section 10.2: Origin considerations; Laravel Reverb, allowed_origins"
	srcSignatures = "Pusher docs, Authentication signatures"
	srcNames      = "Pusher docs, Channels: Channel naming conventions"
)

// securityCases are what hostile clients try.
var securityCases = slices.Concat(handshakeSecurity, frameSecurity, messageSecurity, httpSecurity)
