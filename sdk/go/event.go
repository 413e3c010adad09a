package plugin

import "encoding/binary"

// Fields of a request, see package hooks/abi.
const (
	fieldApp = iota
	fieldChannel
	fieldSocketID
	fieldUserID
	fieldEvent
	fieldData
	fieldAuth
	fieldFlags
)

const (
	flagFromAPI = 1 << iota
	flagInBatch
	flagCache
	flagUnsigned
	flagCame
)

// Event is what has happened. Fields that have no meaning for a hook are nil.
type Event struct{ frame []byte }

// field returns a field, or nil if it is absent, which is not the same as empty.
func (e *Event) field(i int) []byte {
	if i >= int(binary.LittleEndian.Uint16(e.frame[2:])) {
		return nil
	}
	at := e.frame[8+8*i:]
	off, n := binary.LittleEndian.Uint32(at), binary.LittleEndian.Uint32(at[4:])
	if off == 0 {
		return nil
	}
	return e.frame[off : off+n : off+n]
}

// App is the app's ID.
func (e *Event) App() []byte { return e.field(fieldApp) }

// Channel is the channel's name.
func (e *Event) Channel() []byte { return e.field(fieldChannel) }

// SocketID is the client's.
func (e *Event) SocketID() []byte { return e.field(fieldSocketID) }

// UserID is that of the user who has signed in, or of the member.
func (e *Event) UserID() []byte { return e.field(fieldUserID) }

// Event is the name of a message's event.
func (e *Event) Event() []byte { return e.field(fieldEvent) }

// Data is a message's data, channel_data or user_data.
func (e *Event) Data() []byte { return e.field(fieldData) }

// Auth is what the client sent as auth.
func (e *Event) Auth() []byte { return e.field(fieldAuth) }

// AppString, ChannelString and the like return a copy of a field that may be kept.
func (e *Event) AppString() string { return string(e.App()) }

// ChannelString is Channel as a string.
func (e *Event) ChannelString() string { return string(e.Channel()) }

// SocketIDString is SocketID as a string.
func (e *Event) SocketIDString() string { return string(e.SocketID()) }

// UserIDString is UserID as a string.
func (e *Event) UserIDString() string { return string(e.UserID()) }

// EventString is Event as a string.
func (e *Event) EventString() string { return string(e.Event()) }

// DataString is Data as a string.
func (e *Event) DataString() string { return string(e.Data()) }

// AuthString is Auth as a string.
func (e *Event) AuthString() string { return string(e.Auth()) }

// Flags are all the flags, those of later versions too.
func (e *Event) Flags() uint64 {
	if b := e.field(fieldFlags); len(b) == 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// FromAPI reports whether a message came over the HTTP API, not from a client.
func (e *Event) FromAPI() bool { return e.Flags()&flagFromAPI != 0 }

// InBatch reports whether a message is one of several in a request.
func (e *Event) InBatch() bool { return e.Flags()&flagInBatch != 0 }

// IsCache reports whether the channel is a cache channel.
func (e *Event) IsCache() bool { return e.Flags()&flagCache != 0 }

// Unsigned reports whether the signature is not checked: what the plugin allows
// is allowed.
func (e *Event) Unsigned() bool { return e.Flags()&flagUnsigned != 0 }

// Came reports whether a member was added, or a channel became occupied.
func (e *Event) Came() bool { return e.Flags()&flagCame != 0 }
