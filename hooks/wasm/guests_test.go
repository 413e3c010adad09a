package wasm

import "github.com/revurb/revurb/hooks/abi"

// answering is a guest that handles on_message with the given code, and
// otherwise does as it should.
func answering(code ...byte) module {
	return module{pages: 4, funcs: []funcOf{
		{abi.Marker, ">", nil},
		{abi.Buffer, "i>i", i32(bufferAt)},
		{abi.OnMessage.Export(), "ii>I", code},
	}}
}

// with adds functions, each of which handles what its name says.
func (m module) with(fs ...funcOf) module {
	m.funcs = append(fs, m.funcs...) // first, so that their index is that of their place
	return m
}

// code joins pieces of it.
func code(pieces ...[]byte) []byte {
	var c []byte
	for _, p := range pieces {
		c = append(c, p...)
	}
	return c
}

// forever is a loop around code that leaves nothing behind.
func forever(body ...byte) []byte {
	return code([]byte{0x03, 0x40}, body, []byte{0x0c, 0, 0x0b, 0x00})
}

// i64 is a constant.
func i64(v uint64) []byte { return append([]byte{0x42}, leb(int64(v))...) }

// at is the result that says where the response is.
func at(addr, size uint32) []byte { return i64(uint64(addr)<<32 | uint64(size)) }
