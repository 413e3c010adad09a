package protocol

import (
	"encoding/json"
	"fmt"
)

// Message is one frame, in either direction.
type Message struct {
	Event   string
	Channel string // "" when the message is about no channel
	UserID  string // of the presence member who sent a client event, else ""

	// Data is one JSON value, byte for byte as it was sent; nil is none at
	// all. What a server sends is a string, but for pusher:error.
	Data json.RawMessage
}

// Encode writes m as the payload of a frame.
func (m Message) Encode() []byte { return m.Append(make([]byte, 0, m.Size())) }

// Size is about how many bytes m takes as the payload of a frame.
func (m Message) Size() int {
	return len(m.Event) + len(m.Channel) + len(m.UserID) + len(m.Data) + 64
}

// Append appends m to b as the payload of a frame. Every message has an event
// and data, as clients expect; data that is nil is written as EmptyData.
func (m Message) Append(b []byte) []byte {
	data := m.Data
	if data == nil {
		data = EmptyData
	}
	b = append(b, `{"event":`...)
	b = AppendString(b, m.Event)
	if m.Channel != "" {
		b = append(b, `,"channel":`...)
		b = AppendString(b, m.Channel)
	}
	b = append(b, `,"data":`...)
	b = append(b, data...)
	if m.UserID != "" {
		b = append(b, `,"user_id":`...)
		b = AppendString(b, m.UserID)
	}
	return append(b, '}')
}

// Fields calls f with each key and value of the data of m. Clients send data as
// an object or as a string that holds one; Fields reads both.
func (m Message) Fields(f func(key string, value []byte) error) error {
	data := []byte(m.Data)
	if len(data) > 0 && data[0] == '"' {
		text, err := String(data)
		if err != nil {
			return fmt.Errorf("decode %s data: %w", m.Event, err)
		}
		data = []byte(text)
	}
	if err := Fields(data, f); err != nil {
		return fmt.Errorf("decode %s data: %w", m.Event, err)
	}
	return nil
}
