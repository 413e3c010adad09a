package fuel

import (
	"errors"
	"fmt"

	"github.com/revurb/revurb/hooks/abi"
)

// Options are the bounds of a guest.
type Options struct {
	// Slice is the fuel that an instance starts with, which covers its start
	// function; the host puts in as much each time. 0 is DefaultSlice.
	Slice int64

	MaxPages uint32 // of its memory, 64 KiB each; 0 is DefaultMaxPages
	MaxTable uint32 // elements of a table; 0 is DefaultMaxTable

	lax bool // take imported memories, tables and globals too: for the specification's tests
}

// The defaults of Options.
const (
	DefaultSlice    = 50_000
	DefaultMaxPages = 256
	DefaultMaxTable = 65_536
)

// Error is why a guest is refused. It is for its author.
type Error struct{ Reason string }

func (e *Error) Error() string { return e.Reason }

func refuse(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// pad is how many globals there are on each side of the one that counts. The
// engine keeps the globals of an instance together in a small object; without
// them, two instances could write to one cache line.
const pad = 8

// Instrument returns the guest wasm with fuel, within the bounds of o. The error
// is an *Error.
func Instrument(wasm []byte, o Options) (out []byte, err error) {
	defer rescue(&err)
	if o.Slice == 0 {
		o.Slice = DefaultSlice
	}
	if o.MaxPages == 0 {
		o.MaxPages = DefaultMaxPages
	}
	if o.MaxTable == 0 {
		o.MaxTable = DefaultMaxTable
	}
	w := &rewriter{o: o, sections: split(wasm)}
	w.survey()
	return w.write(wasm[:headerSize], len(wasm)), nil
}

// rescue makes what a reader panics with the error of its caller. Readers are
// nested deeply, and a guest that ends in the middle of something ends there.
func rescue(err *error) {
	switch p := recover().(type) {
	case nil:
	case error:
		var e *Error
		if !errors.As(p, &e) {
			panic(p)
		}
		*err = e
	default:
		panic(p)
	}
}

// rewriter is one Instrument.
type rewriter struct {
	o        Options
	sections []section

	// Set by survey.
	types       uint32   // how many there are
	params      []uint32 // how many each type has
	funcTypes   []uint32 // the type of each function that the guest has itself
	funcImports uint32
	globals     uint32 // imported ones among them
	has         [256]bool
}

// fuelGlobal is the index of the global that counts.
func (w *rewriter) fuelGlobal() uint32 { return w.globals + pad }

// shift is the new index of a function: the import comes after the others and
// before the guest's own.
func (w *rewriter) shift(f uint32) uint32 {
	if f >= w.funcImports {
		return f + 1
	}
	return f
}

// survey reads what the rewriting needs to know, and refuses what a guest may
// not have.
func (w *rewriter) survey() {
	for _, s := range w.sections {
		w.has[s.id] = true
		r := s.reader()
		switch s.id {
		case typeSection:
			w.types = r.u32()
			for range w.types {
				if r.byte() != 0x60 {
					panic(refuse("a type is no function type: garbage collection is not supported"))
				}
				n := r.u32()
				r.take(n)
				r.take(r.u32())
				w.params = append(w.params, n)
			}
		case importSection:
			w.surveyImports(r)
		case functionSection:
			for range r.u32() {
				t := r.u32()
				if t >= uint32(len(w.params)) {
					panic(refuse("a function has type %d, of %d", t, len(w.params)))
				}
				w.funcTypes = append(w.funcTypes, t)
			}
		case memorySection:
			if n := r.u32(); n > 1 {
				panic(refuse("it has %d memories, of at most one", n))
			}
		case globalSection:
			w.globals += r.u32()
		case exportSection:
			w.surveyExports(r)
		case dataSection:
			w.surveyData(r)
		case tagSection:
			panic(refuse("it has exceptions, which are not supported"))
		}
	}
}

func (w *rewriter) surveyImports(r *reader) {
	for range r.u32() {
		module, name := r.name(), r.name()
		if module == abi.Module && name == abi.Yield {
			panic(refuse("it imports %s.%s, which is the server's own", module, name))
		}
		kind := r.byte()
		if kind != kindFunc && !w.o.lax {
			panic(refuse("it imports %s.%s, a %s: a guest may import only functions", module, name, kindName(kind)))
		}
		switch kind {
		case kindFunc:
			r.u32()
			w.funcImports++
		case kindTable:
			r.byte()
			r.limits()
		case kindMemory:
			r.limits()
		case kindGlobal:
			r.take(2)
			w.globals++
		default:
			panic(refuse("it imports a %s, which is not supported", kindName(kind)))
		}
	}
}

// surveyData changes nothing: it sees that the data is there, and as long as it
// says. Who reads a guest after this may take its numbers for true.
func (w *rewriter) surveyData(r *reader) {
	const passive, explicit = 1, 2
	for range r.u32() {
		flags := r.u32()
		if flags == explicit {
			r.u32() // the memory
		}
		if flags != passive {
			w.constant(r, nil)
		}
		r.take(r.u32())
	}
}

// Strip returns a guest without its custom sections, which mean nothing and may
// be anything. The error is an *Error.
func Strip(wasm []byte) (out []byte, err error) {
	defer rescue(&err)
	sections := split(wasm)
	out = append(make([]byte, 0, len(wasm)), wasm[:headerSize]...)
	for _, s := range sections {
		if s.id != customSection {
			out = append(appendU32(append(out, s.id), uint32(len(s.b))), s.b...)
		}
	}
	return out, nil
}

func (w *rewriter) surveyExports(r *reader) {
	for range r.u32() {
		if name := r.name(); name == abi.Fuel {
			panic(refuse("it exports %s, which is the server's own", name))
		}
		r.byte()
		r.u32()
	}
}
