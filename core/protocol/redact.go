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
