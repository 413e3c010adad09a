package abi

// Hook is a point where plugins are asked, or told, of what happens.
type Hook uint8

// The hooks. The first five are decisions: the client or the backend that
// causes them waits for the verdict. The others are notifications, told in the
// background once it has happened, and their verdict means nothing.
const (
	OnConnect   Hook = iota // a client has connected
	Authorize               // a client subscribes to a private or presence channel
	OnSignin                // a client signs in
	OnSubscribe             // a client subscribes to any channel, and is authorized
	OnMessage               // a client event, or an event over the HTTP API; once, whoever receives it

	OnSubscribed   // a client has subscribed
	OnUnsubscribed // a client has left a channel, or gone
	OnPresence     // a user is, or is no longer, a member of a presence channel
	OnChannel      // a channel is occupied, or vacated
	OnDisconnect   // a client has gone
	Tick           // a second has passed

	Hooks // how many there are
)

var hookNames = [Hooks]string{
	"on_connect", "authorize", "on_signin", "on_subscribe", "on_message",
	"on_subscribed", "on_unsubscribed", "on_presence", "on_channel", "on_disconnect", "tick",
}

// String returns the name of h, as "on_message".
func (h Hook) String() string { return hookNames[h] }

// MarshalText implements encoding.TextMarshaler.
func (h Hook) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// Export returns the name of the function that a guest exports for h, as
// "revurb_on_message".
func (h Hook) Export() string { return Prefix + hookNames[h] }

// Decides reports whether somebody waits for the verdict.
func (h Hook) Decides() bool { return h <= OnMessage }

// ParseHook returns the hook with the given name, and whether there is one.
func ParseHook(name string) (h Hook, ok bool) {
	for h := range Hooks {
		if hookNames[h] == name {
			return h, true
		}
	}
	return 0, false
}

// Names returns the names of all hooks, in their order.
func Names() []string { return append([]string(nil), hookNames[:]...) }

// Status is what a plugin decides.
type Status uint32

// The statuses. Any other is a failure of the plugin.
const (
	Continue Status = iota // no opinion: the next plugin is asked, and at last the server
	Allow                  // yes, and no other plugin is asked
	Deny                   // no, and no other plugin is asked
	Replace                // go on with the fields of the response in place of the event's
	Drop                   // OnMessage alone: nobody receives it, and the sender is not told
)

var statusNames = [...]string{"continue", "allow", "deny", "replace", "drop"}

// String returns the name of s, as "deny".
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "invalid"
}

// MarshalText implements encoding.TextMarshaler.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseStatus returns the status with the given name, and whether there is one.
func ParseStatus(name string) (Status, bool) {
	for i, n := range statusNames {
		if n == name {
			return Status(i), true
		}
	}
	return 0, false
}
