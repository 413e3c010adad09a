package mutants

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
)

// Opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

// frame is one on its way through. As long as raw is there, it is what goes on:
// whatever was wrong with it still is.
type frame struct {
	fin     bool
	rsv     byte
	opcode  byte
	masked  bool
	payload []byte

	raw []byte
}

// huge is a frame that is not collected: it and all that follows is passed on
// as it comes.
const huge = 16 << 20

// readFrame reads a frame. When there is no whole frame, raw is what there is
// of it.
func readFrame(r *bufio.Reader) (f frame, err error) {
	need := func(n int) []byte {
		b := make([]byte, n)
		var k int
		if err == nil {
			k, err = io.ReadFull(r, b)
		}
		f.raw = append(f.raw, b[:k]...)
		return b
	}
	head := need(2)
	f.fin, f.rsv, f.opcode, f.masked = head[0]&0x80 != 0, head[0]>>4&7, head[0]&0x0f, head[1]&0x80 != 0
	n := uint64(head[1] & 0x7f)
	switch n {
	case 126:
		n = uint64(binary.BigEndian.Uint16(need(2)))
	case 127:
		n = binary.BigEndian.Uint64(need(8))
	}
	if err == nil && n > huge {
		return f, io.ErrShortBuffer
	}
	var key []byte
	if f.masked {
		key = need(4)
	}
	if err != nil {
		return f, err
	}
	f.payload = need(int(n))
	if f.masked {
		f.payload = append([]byte{}, f.payload...)
		for i := range f.payload {
			f.payload[i] ^= key[i%4]
		}
	}
	return f, err
}

// bytes is f as it goes on: with a mask of zeros if it is masked.
func (f frame) bytes() []byte {
	if f.raw != nil {
		return f.raw
	}
	b := []byte{f.rsv<<4 | f.opcode, 0}
	if f.fin {
		b[0] |= 0x80
	}
	switch n := len(f.payload); {
	case n < 126:
		b[1] = byte(n)
	case n <= 0xffff:
		b[1] = 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] = 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	if f.masked {
		b[1] |= 0x80
		b = append(b, 0, 0, 0, 0)
	}
	return append(b, f.payload...)
}

// with is f with another payload.
func (f frame) with(payload string) frame {
	f.raw, f.payload = nil, []byte(payload)
	return f
}

func (f frame) isText() bool { return f.opcode == opText && f.fin && f.rsv == 0 }

// closeCode is the code of a close frame, or 0.
func (f frame) closeCode() int {
	if f.opcode != opClose || len(f.payload) < 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(f.payload))
}

// withCode is f, a close frame, with another code.
func (f frame) withCode(code int) frame {
	return f.with(string(binary.BigEndian.AppendUint16(nil, uint16(code))) + string(f.payload[2:]))
}

// object is a message, or the data of one.
type object map[string]json.RawMessage

func parse(text []byte) object {
	var o object
	_ = json.Unmarshal(text, &o) // what is no object has no keys
	return o
}

// str is a key's value, if it is a string.
func (o object) str(key string) (s string) {
	_ = json.Unmarshal(o[key], &s) // anything else is ""
	return s
}

// data is the object in the data of a message, be it a string or an object.
func (o object) data() object {
	if s := o.str("data"); s != "" {
		return parse([]byte(s))
	}
	return parse(o["data"])
}

// set returns o with another value, given as JSON.
func (o object) set(key, value string) object {
	c := object{}
	for k, v := range o {
		c[k] = v
	}
	if value == "" {
		delete(c, key)
	} else {
		c[key] = json.RawMessage(value)
	}
	return c
}

func (o object) setString(key, value string) object { return o.set(key, quote(value)) }

func (o object) String() string {
	b, _ := json.Marshal(o) // it was JSON before
	return string(b)
}

func quote(s string) string {
	b, _ := json.Marshal(s) // never fails
	return string(b)
}
