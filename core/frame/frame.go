// Package frame is a message on its way to many clients: encoded once, as the
// bytes that go on the wire, and shared by all who receive it.
//
// It knows the framing of RFC 6455 and RFC 7692, and nothing of what is in a
// frame or who gets it.
package frame

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"iter"
	"sync"
	"unicode/utf8"
)

// Frame is one text message, or several in a row, ready to be written to any
// number of connections. It is immutable: nobody may write to its bytes.
type Frame struct {
	wire []byte
	n    int

	parts    []*Frame // of what Join made
	once     sync.Once
	deflated []byte
}

const (
	finText   = 0x81 // FIN and opcode 1
	rsv1      = 0x40 // the message is compressed (RFC 7692, section 6)
	maxHeader = 10
	maxReason = 123
)

// Text returns the frame of one text message.
func Text(payload []byte) *Frame {
	return Of(len(payload), func(b []byte) []byte { return append(b, payload...) })
}

// Of returns the frame of one text message that write appends to what it is
// given: about size bytes. The header goes before them without another copy.
func Of(size int, write func(b []byte) []byte) *Frame {
	b := write(make([]byte, maxHeader, maxHeader+size))
	var room [maxHeader]byte
	header := appendHeader(room[:0], finText, len(b)-maxHeader)
	wire := b[maxHeader-len(header):]
	copy(wire, header)
	return &Frame{wire: wire, n: 1}
}

// Join returns frames as one, which is written in one go.
func Join(frames []*Frame) *Frame {
	if len(frames) == 1 {
		return frames[0]
	}
	f := &Frame{parts: frames}
	size := 0
	for _, p := range frames {
		size += len(p.wire)
	}
	f.wire = make([]byte, 0, size)
	for _, p := range frames {
		f.wire = append(f.wire, p.wire...)
		f.n += p.n
	}
	return f
}

// Close returns the bytes of a close frame. A reason of more than 123 bytes is
// cut off (RFC 6455, section 5.5.1), between two characters: clients refuse a
// reason that is not UTF-8.
func Close(code int, reason string) []byte {
	if n := maxReason; len(reason) > n {
		for n > 0 && !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	b := []byte{0x88, byte(2 + len(reason)), byte(code >> 8), byte(code)}
	return append(b, reason...)
}

// Ping returns the bytes of a ping frame without a payload.
func Ping() []byte { return []byte{0x89, 0} }

// Pong returns the bytes of a pong frame that echoes payload, of at most 125
// bytes.
func Pong(payload []byte) []byte {
	return append([]byte{0x8a, byte(len(payload))}, payload...)
}

func appendHeader(b []byte, first byte, n int) []byte {
	b = append(b, first)
	switch {
	case n < 126:
		return append(b, byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
}

// Len is the number of messages in f.
func (f *Frame) Len() int { return f.n }

// Wire returns the bytes of f for a connection without compression.
func (f *Frame) Wire() []byte { return f.wire }

// Payload returns the payload of a frame of one message.
func (f *Frame) Payload() []byte { return payload(f.wire) }

// Payloads yields the payload of each message in f.
func (f *Frame) Payloads() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if f.parts == nil {
			yield(f.Payload())
			return
		}
		for _, p := range f.parts {
			if !yield(p.Payload()) {
				return
			}
		}
	}
}

func payload(wire []byte) []byte {
	switch wire[1] {
	case 126:
		return wire[4:]
	case 127:
		return wire[10:]
	default:
		return wire[2:]
	}
}

// Deflated returns the bytes of f for a connection that has negotiated
// permessage-deflate without context takeover. The work is done once, when
// the first such connection asks.
func (f *Frame) Deflated() []byte {
	f.once.Do(func() {
		if f.parts == nil {
			f.deflated = deflate(payload(f.wire))
			return
		}
		for _, p := range f.parts {
			f.deflated = append(f.deflated, p.Deflated()...)
		}
	})
	return f.deflated
}

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is valid
	}
	return w
}}

// deflate compresses payload as RFC 7692, section 7.2.1 says: flushed to a
// byte boundary, and without the four bytes that end every flush.
func deflate(payload []byte) []byte {
	var out bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	w.Reset(&out)
	_, _ = w.Write(payload) // a bytes.Buffer does not fail
	_ = w.Flush()
	deflaters.Put(w)
	body := bytes.TrimSuffix(out.Bytes(), []byte{0, 0, 0xff, 0xff})
	return append(appendHeader(make([]byte, 0, maxHeader+len(body)), finText|rsv1, len(body)), body...)
}
