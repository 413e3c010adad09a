// Package wasmtest assembles small guests, for tests that need one that behaves
// badly in a way that no compiler produces.
package wasmtest

import (
	"encoding/binary"

	"github.com/revurb/revurb/hooks/abi"
)

// Module is a module that is being put together. Types are strings of letters:
// i, I, f, F and r for i32, i64, f32, f64 and funcref.
type Module struct {
	types, imports, funcs, tables, memory, exports, start, code, data [][]byte
	imported                                                          int
}

var letters = map[rune]byte{'i': 0x7f, 'I': 0x7e, 'f': 0x7d, 'F': 0x7c, 'r': 0x70}

// Guest returns a guest that has all that it must have, and no hook. Its buffer
// of 64 KiB begins at BufferAt.
func Guest() *Module {
	m := new(Module).Memory(3, 0)
	m.Func(abi.Marker, "", "", "")
	m.Func(abi.Buffer, "i", "i", "",
		I32(BufferAt), I32(0), Op(LocalGet, 0), I32(abi.BufferSize), Op(0x4d), Op(0x1b)) // i32.le_u, select
	return m
}

// BufferAt is where the buffer of a Guest begins.
const BufferAt = 64 << 10

// Opcodes for the tests to have names for.
const (
	Unreachable = 0x00
	Block       = 0x02 // and its type, 0x40 for none
	Loop        = 0x03
	If          = 0x04
	End         = 0x0b
	Br          = 0x0c
	BrIf        = 0x0d
	Call        = 0x10
	Drop        = 0x1a
	LocalGet    = 0x20
	LocalSet    = 0x21
	LocalTee    = 0x22
	GlobalGet   = 0x23
	GlobalSet   = 0x24
	Load32      = 0x28 // and alignment and offset
	Store32     = 0x36
	MemoryGrow  = 0x40 // and 0
	Add32       = 0x6a
	Sub32       = 0x6b
)

// None is the type of a block that has none.
const None = 0x40

// Op returns an instruction with operands below 128.
func Op(b ...byte) []byte { return b }

// I32 returns the instruction that has v as an i32.
func I32(v int32) []byte { return signed([]byte{0x41}, int64(v)) }

// I64 returns the instruction that has v as an i64.
func I64(v int64) []byte { return signed([]byte{0x42}, v) }

func signed(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// Import adds an imported function, and returns its index. Imports come before
// the first Func.
func (m *Module) Import(module, name, params, results string) byte {
	if len(m.funcs) > 0 {
		panic("wasmtest: import after a function")
	}
	b := str(str(nil, module), name)
	m.imports = append(m.imports, append(b, 0, m.typ(params, results)))
	m.imported++
	return byte(m.imported - 1)
}

// Func adds a function, exported unless export is "", and returns its index.
func (m *Module) Func(export, params, results, locals string, code ...[]byte) byte {
	index := byte(m.imported + len(m.funcs))
	m.funcs = append(m.funcs, []byte{m.typ(params, results)})
	body := []byte{byte(len(locals))}
	for _, l := range locals {
		body = append(body, 1, letters[l])
	}
	for _, c := range code {
		body = append(body, c...)
	}
	body = append(body, End)
	m.code = append(m.code, append(num(nil, len(body)), body...))
	if export != "" {
		m.Export(export, 0, index)
	}
	return index
}

// Hook adds the function of a hook, which gets the address and the length of a
// frame and returns an i64.
func (m *Module) Hook(h abi.Hook, locals string, code ...[]byte) *Module {
	params := "ii"
	if h == abi.Tick {
		params = ""
	}
	m.Func(h.Export(), params, "I", locals, code...)
	return m
}

// Export exports something, of kind 0 for a function, 1 a table, 2 a memory, 3 a
// global.
func (m *Module) Export(name string, kind, index byte) *Module {
	m.exports = append(m.exports, append(str(nil, name), kind, index))
	return m
}

// Memory gives the module a memory, exported; a maximum of 0 is none.
func (m *Module) Memory(least, most int) *Module {
	b := num([]byte{0}, least)
	if most > 0 {
		b = num(num([]byte{1}, least), most)
	}
	m.memory = [][]byte{b}
	return m.Export(abi.Memory, 2, 0)
}

// Table gives the module a table of functions.
func (m *Module) Table(least int) *Module {
	m.tables = append(m.tables, num([]byte{0x70, 0}, least))
	return m
}

// Start has the function with the given index run when an instance is made.
func (m *Module) Start(index byte) *Module {
	m.start = [][]byte{{index}}
	return m
}

// Data puts b into the memory.
func (m *Module) Data(at int32, b []byte) *Module {
	d := append([]byte{0}, I32(at)...)
	d = append(d, End)
	m.data = append(m.data, append(num(d, len(b)), b...))
	return m
}

// Answer returns the code that returns a response of so many bytes at an
// address, for the end of a hook.
func Answer(at, size int32) []byte { return I64(int64(at)<<32 | int64(size)) }

func (m *Module) typ(params, results string) byte {
	b := []byte{0x60, byte(len(params))}
	for _, p := range params {
		b = append(b, letters[p])
	}
	b = append(b, byte(len(results)))
	for _, r := range results {
		b = append(b, letters[r])
	}
	m.types = append(m.types, b)
	return byte(len(m.types) - 1)
}

// Bytes returns the module.
func (m *Module) Bytes() []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, items [][]byte) {
		if len(items) == 0 {
			return
		}
		content := num(nil, len(items))
		if id == 8 {
			content = nil
		}
		for _, i := range items {
			content = append(content, i...)
		}
		b = append(num(append(b, id), len(content)), content...)
	}
	section(1, m.types)
	section(2, m.imports)
	section(3, m.funcs)
	section(4, m.tables)
	section(5, m.memory)
	section(7, m.exports)
	section(8, m.start)
	section(10, m.code)
	section(11, m.data)
	return b
}

func num(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

func str(b []byte, s string) []byte { return append(num(b, len(s)), s...) }
