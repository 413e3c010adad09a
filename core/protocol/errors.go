package protocol

import (
	"fmt"
	"strconv"
)

// Error is what a client is told in a pusher:error message.
//
// What the hosted service says in Code and Message, Laravel Reverb may say in
// other words; apps match on both, so an Error has both.
//
// See https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol/#error-codes
type Error struct {
	Code    int // 0 is null on the wire: an error that has no code
	Message string

	// The same in the dialect of Reverb, where it differs.
	ReverbCode    int
	ReverbMessage string

	// Channel is set when the error is that of a subscription. Type and Status
	// are then what pusher:subscription_error says of it.
	Channel string
	Type    string
	Status  int

	// Closes says that the connection ends, with Code in the close frame.
	Closes bool
}

// Errors that end the connection. Codes of 4000 to 4099 tell a client not to
// come back, 4100 to come back after a while, 4200 to 4299 to come back at
// once.
var (
	ErrTLSOnly            = &Error{Code: 4000, Message: "Application only accepts SSL connections, reconnect using wss://", Closes: true}
	ErrAppNotFound        = &Error{Code: 4001, Message: "Application does not exist", Closes: true}
	ErrAppDisabled        = &Error{Code: 4003, Message: "Application disabled", Closes: true}
	ErrOverQuota          = &Error{Code: 4004, Message: "Application is over connection quota", Closes: true}
	ErrPathNotFound       = &Error{Code: 4005, Message: "Path not found", Closes: true}
	ErrBadVersion         = &Error{Code: 4006, Message: "Invalid version string format", Closes: true}
	ErrUnsupportedVersion = &Error{Code: 4007, Message: "Unsupported protocol version", Closes: true}
	ErrNoVersion          = &Error{Code: 4008, Message: "No protocol version supplied", Closes: true}
	ErrOrigin             = &Error{Code: 4009, Message: "Origin not allowed", Closes: true}
	ErrNotAuthorized      = &Error{Code: 4009, Message: "Connection not authorized within timeout", Closes: true}
	ErrOverCapacity       = &Error{Code: 4100, Message: "Over capacity", Closes: true}
	ErrSlowConsumer       = &Error{Code: 4100, Message: "Client does not keep up with its messages", Closes: true}
	ErrShutdown           = &Error{Code: 4200, Message: "Server shutting down", Closes: true}
	ErrPongTimeout        = &Error{Code: 4201, Message: "Pong reply not received", ReverbCode: 4201, ReverbMessage: "Pong reply not received in time", Closes: true}
)

// Errors after which the connection stays open.
var (
	ErrBadMessage      = &Error{Message: "Invalid message format", ReverbCode: 4200}
	ErrTooManyMessages = &Error{Code: 4301, Message: "Rate limit exceeded"}
	ErrClientEventRate = &Error{Code: 4301, Message: "Client event rejected due to rate limit", ReverbMessage: "Rate limit exceeded"}
	ErrAway            = &Error{Message: "The event could not be sent: try again in a moment", ReverbCode: 4200}
	ErrWatchlistLimit  = &Error{Code: 4302, Message: "Watchlist limit exceeded. Only the first 100 user IDs are accepted."}
	ErrClientEventForm = &Error{Message: "Invalid client event (must contain channel and data)", ReverbCode: 4200, ReverbMessage: "Invalid message format"}
	ErrNoClientEvents  = &Error{
		Message:    `To send client events, you must enable this feature: set client_events = "members" for this app.`,
		ReverbCode: 4301, ReverbMessage: "The app does not have client messaging enabled.",
	}
)

// Errorf returns an error that leaves the connection open and has no code of
// its own. Reverb gives such errors the code 4200.
func Errorf(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), ReverbCode: 4200}
}

// Unauthorized returns the error of a subscription to channel that is not
// allowed, for the reason that message gives.
func Unauthorized(channel, message string) *Error {
	return &Error{
		Message:    message,
		ReverbCode: 4009, ReverbMessage: "Connection is unauthorized",
		Channel: channel, Type: "AuthError", Status: 401,
	}
}

// Unauthenticated returns the error of a sign-in that is not allowed, for the reason
// that message gives.
func Unauthenticated(message string) *Error {
	return &Error{Message: message, ReverbCode: 4009, ReverbMessage: "Connection is unauthorized"}
}

// Terminated returns the error of a client that the app's backend has thrown
// out, with the code that the app wants for it.
func Terminated(code int) *Error {
	return &Error{Code: code, Message: "You got disconnected by the app.", Closes: true}
}

// Rejected returns the error of a subscription to channel that would exceed a
// limit, whoever asks for it.
func Rejected(channel, format string, args ...any) *Error {
	e := Errorf(format, args...)
	e.Channel, e.Type, e.Status = channel, "LimitReached", 400
	return e
}

// Denied returns the error of a subscription to channel that a plugin does not
// allow, in the plugin's words. A code of 0 is the usual one.
func Denied(channel string, code, status int, message string) *Error {
	e := deniedBy(code, message)
	e.Channel, e.Type, e.Status = channel, "AuthError", status
	return e
}

// DeniedSignin returns the error of a sign-in that a plugin does not allow.
func DeniedSignin(code int, message string) *Error { return deniedBy(code, message) }

// DeniedEvent returns the error of a client event that a plugin does not allow.
func DeniedEvent(code int, message string) *Error {
	e := deniedBy(code, message)
	if code == 0 {
		e.ReverbCode = ErrNoClientEvents.ReverbCode
	}
	return e
}

func deniedBy(code int, message string) *Error {
	if code == 0 {
		return &Error{Message: message, ReverbCode: 4009}
	}
	return &Error{Code: code, Message: message}
}

// InvalidChannel returns the error of a subscription to a channel that cannot
// be, because of its name. The message has at most the given part of it.
func InvalidChannel(channel, part string) *Error {
	e := Errorf("Invalid channel name %q", part)
	e.Channel, e.Type, e.Status = channel, "InvalidChannel", 400
	return e
}

// ErrNotSubscribed is the error of a client event to a channel that its
// sender is not in.
func ErrNotSubscribed(channel string) *Error {
	return &Error{
		Message:    fmt.Sprintf("Cannot broadcast client event (connection not subscribed to channel %s)", channel),
		ReverbCode: 4009, ReverbMessage: "The client is not a member of the specified channel.",
	}
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

// In returns the code and the message as d has them.
func (e *Error) In(d Dialect) (code int, message string) {
	code, message = e.Code, e.Message
	if d == Reverb {
		if e.ReverbCode != 0 {
			code = e.ReverbCode
		}
		if e.ReverbMessage != "" {
			message = e.ReverbMessage
		}
	}
	return code, message
}

// Encode writes e as the payload of a pusher:error frame. Its data is an
// object, not a string: native clients read nothing else.
func (e *Error) Encode(d Dialect) []byte {
	code, message := e.In(d)
	data := append([]byte(nil), `{"code":`...)
	if code == 0 {
		data = append(data, "null"...)
	} else {
		data = strconv.AppendInt(data, int64(code), 10)
	}
	data = append(data, `,"message":`...)
	data = AppendString(data, message)
	data = append(data, '}')
	m := Message{Event: EventError, Data: data}
	if d == Reverb {
		m.Channel = e.Channel
	}
	return m.Encode()
}

// EncodeSubscription writes e as the payload of a pusher:subscription_error
// frame, which clients hand to the channel that they could not subscribe to.
func (e *Error) EncodeSubscription() []byte {
	data := append([]byte(nil), `{"type":`...)
	data = AppendString(data, e.Type)
	data = append(data, `,"error":`...)
	data = AppendString(data, e.Message)
	data = append(data, `,"status":`...)
	data = strconv.AppendInt(data, int64(e.Status), 10)
	data = append(data, '}')
	return Message{Event: EventSubscriptionError, Channel: e.Channel, Data: data}.Encode()
}
