package wasm

import (
	"encoding/binary"
	"strings"

	"github.com/revurb/revurb/hooks/abi"
)

// module is a guest in its parts. Types are letters, as those of a function,
// with a > between parameters and results.
type module struct {
	imports []importOf
	funcs   []funcOf
	pages   int
	table   int    // elements; 0 is no table
	globals string // names of i64s that are exported
	start   string // of a function
	data    string // at dataAt
}

type importOf struct{ module, name, typ string }

type funcOf struct {
	name, typ string // the name is exported
	code      []byte // without the end
}

const (
	bufferAt = 64 << 10 // where the host writes frames
	dataAt   = 16       // where the data of a module is
)

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

func (m module) importing(module, name, typ string) module {
	m.imports = append(m.imports, importOf{module, name, typ})
	return m
}

func (m module) bytes() []byte {
	var typs, imports, funcs, exports, code []byte
	n, exported := 0, 1
	typ := func(t string) {
		params, results, _ := strings.Cut(t, ">")
		typs = append(append(append(typs, 0x60), vector(types(params))...), vector(types(results))...)
		n++
	}
	name := func(s string, kind byte, index int) {
		exports = append(append(append(exports, vector([]byte(s))...), kind), uvarint(index)...)
	}
	for i, f := range m.imports {
		typ(f.typ)
		imports = append(append(imports, vector([]byte(f.module))...), vector([]byte(f.name))...)
		imports = append(append(imports, 0), uvarint(i)...)
	}
	var start []byte
	for i, f := range m.funcs {
		typ(f.typ)
		index := len(m.imports) + i
		funcs = append(funcs, uvarint(index)...)
		name(f.name, 0, index)
		exported++
		code = append(code, vector(append(append([]byte{0}, f.code...), 0x0b))...)
		if f.name == m.start {
			start = uvarint(index)
		}
	}
	name(abi.Memory, 2, 0)
	wasm := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, n int, body []byte) {
		if n > 0 {
			wasm = append(append(wasm, id), vector(append(uvarint(n), body...))...)
		}
	}
	section(1, n, typs)
	section(2, len(m.imports), imports)
	section(3, len(m.funcs), funcs)
	if m.table > 0 {
		section(4, 1, append([]byte{0x70, 0}, uvarint(m.table)...))
	}
	section(5, 1, append([]byte{0}, uvarint(m.pages)...))
	if m.globals != "" {
		section(6, 1, []byte{0x7e, 1, 0x42, 0, 0x0b})
		name(m.globals, 3, 0)
		exported++
	}
	section(7, exported, exports)
	if start != nil {
		wasm = append(append(wasm, 8), vector(start)...)
	}
	section(10, len(m.funcs), code)
	if m.data != "" {
		section(11, 1, append(append(append([]byte{0}, i32(dataAt)...), 0x0b), vector([]byte(m.data))...))
	}
	return wasm
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

// i32 and i64 are constants.
func i32(v int32) []byte { return append([]byte{0x41}, leb(int64(v))...) }

func i64(v uint64) []byte { return append([]byte{0x42}, leb(int64(v))...) }

// at is the result that says where the response is.
func at(addr, size uint32) []byte { return i64(uint64(addr)<<32 | uint64(size)) }

func leb(v int64) []byte {
	var b []byte
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func uvarint(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func vector(b []byte) []byte { return append(uvarint(len(b)), b...) }
