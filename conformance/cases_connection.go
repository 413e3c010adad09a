package conformance

// connectionCases are what holds from the handshake to the close frame.
var connectionCases []Case
