package fuel

// Opcodes that matter here. See WebAssembly 2.0, section 5.4.
const (
	opBlock     = 0x02
	opLoop      = 0x03
	opIf        = 0x04
	opEnd       = 0x0b
	opBrTable   = 0x0e
	opCall      = 0x10
	opCallRef   = 0x11 // call_indirect
	opReturn    = 0x12 // return_call, of the tail-call proposal
	opReturnRef = 0x13
	opSelectT   = 0x1c
	opLocalGet  = 0x20
	opLocalTee  = 0x22
	opGlobalGet = 0x23
	opGlobalSet = 0x24
	opI32Const  = 0x41
	opI64Const  = 0x42
	opF32Const  = 0x43
	opF64Const  = 0x44
	opRefNull   = 0xd0
	opRefFunc   = 0xd2
	opMisc      = 0xfc
	opVector    = 0xfd
)

// bodies rewrites the functions.
func (w *rewriter) bodies(r *reader) []byte {
	n := r.u32()
	if int(n) != len(w.funcTypes) {
		panic(refuse("it has %d functions and the code of %d", len(w.funcTypes), n))
	}
	out := appendU32(make([]byte, 0, len(r.b)+len(r.b)/16), n)
	f := function{w: w}
	for i := range n {
		f.rewrite(r.take(r.u32()), w.params[w.funcTypes[i]])
		out = append(appendU32(out, uint32(len(f.b))), f.b...)
	}
	return out
}

// function is one body that is rewritten.
type function struct {
	w      *rewriter
	b      []byte // reused for the next
	locals uint32
}

func (f *function) rewrite(body []byte, params uint32) {
	r := &reader{b: body}
	groups := r.u32()
	start := r.i
	locals := uint64(params)
	for range groups {
		locals += uint64(r.u32())
		if locals > 50_000 { // as engines have it
			panic(refuse("a function has more than 50000 locals"))
		}
		r.skip()
	}
	f.locals = uint32(locals)
	f.b = append(appendU32(f.b[:0], groups+1), body[start:r.i]...)
	f.b = append(f.b, 1, 0x7f) // one more local, an i32, for charge
	f.check()
	for r.more() {
		f.instruction(r)
	}
}

// check takes a unit, and yields when there is none left.
func (f *function) check() {
	g := f.w.fuelGlobal()
	b := appendU32(append(f.b, opGlobalGet), g)
	b = append(b, opI64Const, 0x7f, 0x7c) // -1, i64.add
	f.b = appendU32(append(b, opGlobalSet), g)
	f.look()
}

// look yields when there is no fuel left.
func (f *function) look() {
	b := appendU32(append(f.b, opGlobalGet), f.w.fuelGlobal())
	b = append(b, opI64Const, 0, 0x53, opIf, 0x40) // i64.lt_s
	b = appendU32(append(b, opCall), f.w.funcImports)
	f.b = append(b, opEnd)
}

// charge takes a unit for each 64 of the i32 on the stack, which stays there, and
// yields when there is none left: a long line of such instructions has no loop.
func (f *function) charge() {
	g := f.w.fuelGlobal()
	b := appendU32(append(f.b, opLocalTee), f.locals)
	b = appendU32(append(b, opGlobalGet), g)
	b = appendU32(append(b, opLocalGet), f.locals)
	b = append(b, opI32Const, 6, 0x76, 0xad, 0x7d) // i32.shr_u, i64.extend_i32_u, i64.sub
	f.b = appendU32(append(b, opGlobalSet), g)
	f.look()
}

// instruction copies one instruction, with what is added before or after it.
func (f *function) instruction(r *reader) {
	start := r.i
	op := r.byte()
	switch {
	case op == opBlock, op == opLoop, op == opIf:
		r.skip()
	case op <= 0x01, op == 0x05, op == opEnd, op == 0x0f, op == 0x1a, op == 0x1b, op == 0xd1, op >= 0x45 && op <= 0xc4:
	case op == opGlobalGet, op == opGlobalSet:
		if g := r.u32(); g >= f.w.globals {
			panic(refuse("it uses global %d, of %d", g, f.w.globals))
		}
	case op >= opLocalGet && op <= opLocalTee:
		if l := r.u32(); l >= f.locals {
			panic(refuse("it uses local %d, of %d", l, f.locals))
		}
	case op == 0x0c, op == 0x0d, op == 0x25, op == 0x26, op == 0x3f, op == 0x40, op == opI32Const, op == opI64Const, op == opRefNull:
		r.skip()
	case op == opBrTable:
		for range uint64(r.u32()) + 1 {
			r.skip()
		}
	case op == opCall, op == opReturn, op == opRefFunc:
		f.b = appendU32(append(f.b, op), f.w.shift(r.u32()))
		return
	case op == opCallRef, op == opReturnRef, op >= 0x28 && op <= 0x3e:
		r.skip()
		r.skip()
	case op == opSelectT:
		r.take(r.u32())
	case op == opF32Const:
		r.take(4)
	case op == opF64Const:
		r.take(8)
	case op == opMisc:
		f.misc(r)
	case op == opVector:
		vector(r)
	default:
		panic(refuse("it has the instruction %#x, which is not supported: build it for WebAssembly 2.0, without threads, exceptions and garbage collection", op))
	}
	f.b = append(f.b, r.b[start:r.i]...)
	if op == opLoop {
		f.check()
	}
}

// misc reads an instruction after 0xfc. Those that may take long are charged by
// what they do; memory.grow is none of them, for fresh pages are the kernel's.
func (f *function) misc(r *reader) {
	switch op := r.u32(); {
	case op <= 7: // conversions
	case op == 9, op == 13, op == 16: // data.drop, elem.drop, table.size
		r.skip()
	case op == 8, op == 10, op == 12, op == 14: // memory.init and copy, table.init and copy
		r.skip()
		r.skip()
		f.charge()
	case op == 11, op == 15, op == 17: // memory.fill, table.grow and fill
		r.skip()
		f.charge()
	default:
		panic(refuse("it has the instruction 0xfc %d, which is not supported", op))
	}
}

// vector reads an instruction after 0xfd.
func vector(r *reader) {
	switch op := r.u32(); {
	case op <= 11, op == 92, op == 93: // loads and stores
		r.skip()
		r.skip()
	case op == 12, op == 13: // a constant, a shuffle
		r.take(16)
	case op >= 21 && op <= 34: // of one lane
		r.byte()
	case op >= 84 && op <= 91: // loads and stores of one lane
		r.skip()
		r.skip()
		r.byte()
	case op <= 255:
	default:
		panic(refuse("it has the instruction 0xfd %d, which is not supported: build it without relaxed SIMD", op))
	}
}

// reference refuses all references but funcref and externref.
func reference(t byte) {
	if t != 0x70 && t != 0x6f {
		panic(refuse("it has references of type %#x: typed references are not supported", t))
	}
}

// constant copies a constant expression.
func (w *rewriter) constant(r *reader, b []byte) []byte {
	for {
		start := r.i
		switch op := r.byte(); {
		case op == opEnd:
			return append(b, op)
		case op == opRefFunc:
			b = appendU32(append(b, op), w.shift(r.u32()))
			continue
		case op == opI32Const, op == opI64Const, op == opGlobalGet, op == opRefNull:
			r.skip()
		case op == opF32Const:
			r.take(4)
		case op == opF64Const:
			r.take(8)
		case op >= 0x6a && op <= 0x6c, op >= 0x7c && op <= 0x7e: // add, sub, mul
		case op == opVector:
			r.u32()
			r.take(16)
		default:
			panic(refuse("it has the instruction %#x in a constant, which is not supported", op))
		}
		b = append(b, r.b[start:r.i]...)
	}
}

// elements rewrites the contents of tables (WebAssembly 2.0, section 5.5.12).
func (w *rewriter) elements(r *reader) []byte {
	n := r.u32()
	b := appendU32(nil, n)
	for range n {
		flags := r.u32()
		b = appendU32(b, flags)
		if flags&1 == 0 { // active
			if flags&2 != 0 { // in another table than the first
				b = appendU32(b, r.u32())
			}
			b = w.constant(r, b)
		}
		if flags&3 != 0 { // the kind of the elements, or their type
			kind := r.byte()
			if kind > 0 {
				reference(kind)
			}
			b = append(b, kind)
		}
		m := r.u32()
		b = appendU32(b, m)
		for range m {
			if flags&4 != 0 {
				b = w.constant(r, b)
			} else {
				b = appendU32(b, w.shift(r.u32()))
			}
		}
	}
	return b
}
