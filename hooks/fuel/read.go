package fuel

import "encoding/binary"

// reader reads the binary format. It panics with an *Error, which rescue takes.
type reader struct {
	b []byte
	i int
}

func (r *reader) more() bool { return r.i < len(r.b) }

func (r *reader) byte() byte {
	if r.i >= len(r.b) {
		panic(refuse("it is truncated"))
	}
	c := r.b[r.i]
	r.i++
	return c
}

// u32 reads an unsigned LEB128 of 32 bits.
func (r *reader) u32() uint32 {
	var v uint32
	for shift := 0; ; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			panic(refuse("an integer is too large"))
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
}

// skip passes over a LEB128 of up to 64 bits, signed or not.
func (r *reader) skip() {
	for range 10 {
		if r.byte() < 0x80 {
			return
		}
	}
	panic(refuse("an integer is too long"))
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.i) {
		panic(refuse("it is truncated"))
	}
	b := r.b[r.i : r.i+int(n)]
	r.i += int(n)
	return b
}

func (r *reader) name() string { return string(r.take(r.u32())) }

// limits reads the size of a memory or table.
func (r *reader) limits() (least, most uint32, bounded bool) {
	switch flag := r.byte(); flag {
	case 0:
		return r.u32(), 0, false
	case 1:
		return r.u32(), r.u32(), true
	default:
		panic(refuse("a memory or table is shared, or of 64 bits, which is not supported"))
	}
}

const headerSize = 8 // "\0asm" and the version, 1

// The sections of a module, by their IDs.
const (
	customSection = iota
	typeSection
	importSection
	functionSection
	tableSection
	memorySection
	globalSection
	exportSection
	startSection
	elementSection
	codeSection
	dataSection
	dataCountSection
	tagSection
)

// The kinds of imports and exports.
const (
	kindFunc = iota
	kindTable
	kindMemory
	kindGlobal
)

func kindName(k byte) string {
	switch k {
	case kindFunc:
		return "function"
	case kindTable:
		return "table"
	case kindMemory:
		return "memory"
	case kindGlobal:
		return "global"
	}
	return "tag"
}

type section struct {
	id byte
	b  []byte
}

func (s section) reader() *reader { return &reader{b: s.b} }

// split returns the sections of a module, in their order.
func split(wasm []byte) (all []section) {
	if len(wasm) < headerSize || string(wasm[:headerSize]) != "\x00asm\x01\x00\x00\x00" {
		panic(refuse("it is no WebAssembly module"))
	}
	r := &reader{b: wasm, i: headerSize}
	for r.more() {
		id := r.byte()
		if id > tagSection {
			panic(refuse("it has a section %d, which is not known", id))
		}
		all = append(all, section{id, r.take(r.u32())})
	}
	return all
}

// order is the place of a section among others; custom sections are anywhere.
func order(id byte) int {
	switch id {
	case dataCountSection: // before the code
		return 2*codeSection - 1
	case tagSection: // before the globals
		return 2*globalSection - 1
	}
	return 2 * int(id)
}

func appendU32(b []byte, v uint32) []byte { return binary.AppendUvarint(b, uint64(v)) }

func appendS64(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func appendName(b []byte, s string) []byte { return append(appendU32(b, uint32(len(s))), s...) }
