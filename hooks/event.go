package hooks

import "github.com/revurb/revurb/hooks/abi"

// Event is what happened, as plugins are told it: see the fields of package abi.
// A field that is "" is absent, but for Data, for which HasData decides.
type Event struct {
	App      string
	Channel  string
	SocketID string
	UserID   string
	Name     string
	Data     string // as its receivers read it, not as JSON has it
	HasData  bool
	Auth     string
	Flags    abi.Flag

	// What few plugins ask for.
	Client      *Client // nil is a client that nothing is known of, or none
	UserInfo    string
	Subscribers int
}

// Client is how a client connected.
type Client struct {
	Origin   string
	RemoteIP string
	Query    string
}
