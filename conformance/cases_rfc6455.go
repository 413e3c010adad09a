package conformance

// rfc6455Cases are the frames beneath the protocol.
func rfc6455Cases() []Case { return nil }
