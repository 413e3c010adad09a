package protocol

import (
	"regexp"
	"strings"
)

const masked = "***"

// signatures are what HMACs in hex look like.
var signatures = regexp.MustCompile(`[0-9A-Fa-f]{32,}`)

// objects are JSON objects in a text, from the first to the last bracket.
var objects = regexp.MustCompile(`(?s)\{.*\}`)

// RedactText returns text without the signatures that are in it, and without
// JSON objects, which are most often what an app says of a user.
func RedactText(text string) string {
	return redactSignatures(objects.ReplaceAllString(text, masked))
}

func redactSignatures(text string) string { return signatures.ReplaceAllString(text, masked) }

// Redact returns a frame that a client sent as it may be logged: without
// signatures, and without what an app says of its users. What is no message of
// the protocol is not shown at all, since nobody knows what is in it.
func Redact(frame []byte) string {
	m, err := Decode(frame)
	if err != nil {
		return "not a message: " + err.Error()
	}
	if strings.HasPrefix(m.Event, ClientEventPrefix) {
		return string(Message{Event: m.Event, Channel: m.Channel, Data: MustText(masked)}.Encode())
	}
	data := []byte{'{'}
	if err := m.Fields(func(key string, value []byte) error {
		switch key {
		case "auth", "channel_data", "user_data":
			value = AppendString(nil, masked)
		}
		if len(data) > 1 {
			data = append(data, ',')
		}
		data = append(AppendString(data, key), ':')
		data = append(data, value...)
		return nil
	}); err != nil {
		data = AppendString(nil, masked)
	} else {
		data = append(data, '}')
	}
	return redactSignatures(string(Message{Event: m.Event, Channel: m.Channel, Data: data}.Encode()))
}

// RedactSent returns a frame that the server sends as it may be logged: what
// the protocol says itself is shown, but for signatures; what apps say, and what
// they say of their users, is not.
func RedactSent(payload []byte) string {
	m, err := Decode(payload)
	switch {
	case err != nil:
		return "not a message: " + err.Error()
	case m.Event == EventError || m.Event == EventSubscriptionError:
		m.Data = redactError(m.Data)
	case m.Event == EventSigninSuccess, !strings.HasPrefix(m.Event, ReservedPrefix) && string(m.Data) != string(EmptyData):
		m.Data = MustText(masked)
	}
	m.UserID = ""
	return string(m.Encode())
}

// redactError masks what an error quotes of its cause.
func redactError(data []byte) []byte {
	out := []byte{'{'}
	_ = Fields(data, func(key string, value []byte) error { // it is our own
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(AppendString(out, key), ':')
		if text, err := String(value); err == nil {
			value = AppendString(nil, RedactText(text))
		}
		out = append(out, value...)
		return nil
	})
	return append(out, '}')
}
