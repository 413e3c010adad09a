package abi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is the first word of every frame.
const Version = 1

const (
	header = 8 // version, number of fields, length
	entry  = 8 // offset, length
)

// ErrFrame is what is wrong with a frame that cannot be read.
var ErrFrame = errors.New("invalid frame")

// HeaderSize is how long a frame of n fields is before its bytes.
func HeaderSize(n int) int { return header + n*entry }

// Append appends a frame with the given fields to dst. A field that is nil is
// absent, which is not the same as empty.
func Append(dst []byte, fields ...[]byte) []byte {
	size := HeaderSize(len(fields))
	for _, f := range fields {
		size += len(f)
	}
	dst = binary.LittleEndian.AppendUint16(dst, Version)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(fields)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(size))
	off := HeaderSize(len(fields))
	for _, f := range fields {
		if f == nil {
			dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
			continue
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(off))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(f)))
		off += len(f)
	}
	for _, f := range fields {
		dst = append(dst, f...)
	}
	return dst
}

// Int returns v as a field.
func Int(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

// Frame is the bytes of a frame, checked by Parse.
type Frame []byte

// Parse checks that b is a frame, and that every field is inside it.
func Parse(b []byte) (Frame, error) {
	if len(b) < header {
		return nil, fmt.Errorf("%w: %d bytes are no header", ErrFrame, len(b))
	}
	if v := binary.LittleEndian.Uint16(b); v != Version {
		return nil, fmt.Errorf("%w: version %d, want %d", ErrFrame, v, Version)
	}
	n := int(binary.LittleEndian.Uint16(b[2:]))
	if size := binary.LittleEndian.Uint32(b[4:]); uint64(size) != uint64(len(b)) {
		return nil, fmt.Errorf("%w: it says that it is %d bytes long, of %d", ErrFrame, size, len(b))
	}
	if HeaderSize(n) > len(b) {
		return nil, fmt.Errorf("%w: %d fields do not fit into %d bytes", ErrFrame, n, len(b))
	}
	for i := range n {
		off, size := Frame(b).place(i)
		switch {
		case off == 0 && size == 0:
		case off < uint64(HeaderSize(n)), off+size > uint64(len(b)):
			return nil, fmt.Errorf("%w: field %d is not inside", ErrFrame, i)
		}
	}
	return b, nil
}

func (f Frame) place(i int) (off, size uint64) {
	at := header + i*entry
	return uint64(binary.LittleEndian.Uint32(f[at:])), uint64(binary.LittleEndian.Uint32(f[at+4:]))
}

// Fields is how many fields f has, the absent among them.
func (f Frame) Fields() int { return int(binary.LittleEndian.Uint16(f[2:])) }

// Field returns field i, or nil if it is absent. It shares f's memory.
func (f Frame) Field(i int) []byte {
	if i >= f.Fields() {
		return nil
	}
	off, size := f.place(i)
	if off == 0 {
		return nil
	}
	return f[off : off+size : off+size]
}

// Int returns field i, an integer of eight bytes, and whether it is one. An
// absent field is 0.
func (f Frame) Int(i int) (v uint64, ok bool) {
	switch b := f.Field(i); {
	case b == nil:
		return 0, true
	case len(b) != 8:
		return 0, false
	default:
		return binary.LittleEndian.Uint64(b), true
	}
}
