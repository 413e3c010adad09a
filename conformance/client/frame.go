// Package client is a WebSocket client and an HTTP client that trust nobody:
// they keep to the wire, show everything that comes over it, and can be made to
// break its rules.
//
// It knows RFC 6455 and how requests are signed, and nothing of what a server
// should answer. It shares no code with any server, so that it shares no bug.
package client

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Opcodes of RFC 6455, section 5.2.
const (
	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xa
)

// Frame is one frame as it is on the wire. The zero values of Fin and Masked
// are what is wrong in most frames of a client: use Text and its like.
type Frame struct {
	Fin     bool
	RSV     byte // RSV1 is 4, RSV2 is 2, RSV3 is 1
	Opcode  byte
	Masked  bool
	Payload []byte

	// Length, if not nil, is declared in the place of the payload's, in eight
	// bytes.
	Length *uint64
}

// Text is a frame with a whole text message.
func Text(payload string) Frame { return Control(OpText, payload) }

// Control is a frame of its own, masked as those of clients are.
func Control(opcode byte, payload string) Frame {
	return Frame{Fin: true, Opcode: opcode, Masked: true, Payload: []byte(payload)}
}

// CloseWith is a close frame with a code and a reason.
func CloseWith(code int, reason string) Frame {
	return Control(OpClose, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// Bytes is f as it goes over the wire.
func (f Frame) Bytes() []byte {
	first := f.RSV<<4 | f.Opcode
	if f.Fin {
		first |= 0x80
	}
	b := []byte{first}
	mask := byte(0)
	if f.Masked {
		mask = 0x80
	}
	switch n := len(f.Payload); {
	case f.Length != nil:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), *f.Length)
	case n < 126:
		b = append(b, mask|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), uint64(n))
	}
	if !f.Masked {
		return append(b, f.Payload...)
	}
	var key [4]byte
	_, _ = rand.Read(key[:]) // never fails
	b = append(b, key[:]...)
	start := len(b)
	b = append(b, f.Payload...)
	for i := range f.Payload {
		b[start+i] ^= key[i%4]
	}
	return b
}

// maxFrame is how large a frame of a server may be.
const maxFrame = 64 << 20

// ReadFrame reads a frame of a server, which are never masked.
func ReadFrame(r *bufio.Reader) (Frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Frame{}, err
	}
	f := Frame{Fin: head[0]&0x80 != 0, RSV: head[0] >> 4 & 7, Opcode: head[0] & 0x0f, Masked: head[1]&0x80 != 0}
	n := uint64(head[1] & 0x7f)
	switch n {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return Frame{}, err
		}
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return Frame{}, err
		}
		n = binary.BigEndian.Uint64(b[:])
	}
	if f.Masked {
		return Frame{}, errors.New("the server masks its frames (RFC 6455, section 5.1)")
	}
	if n > maxFrame {
		return Frame{}, fmt.Errorf("the server announces a frame of %d bytes", n)
	}
	f.Payload = make([]byte, n)
	_, err := io.ReadFull(r, f.Payload)
	return f, err
}

// Code is the code of a close frame: 1005 if it has none (RFC 6455, section
// 7.1.5).
func (f Frame) Code() int {
	if len(f.Payload) < 2 {
		return 1005
	}
	return int(binary.BigEndian.Uint16(f.Payload))
}

// Reason is the reason of a close frame.
func (f Frame) Reason() string {
	if len(f.Payload) < 2 {
		return ""
	}
	return string(f.Payload[2:])
}
