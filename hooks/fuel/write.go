package fuel

import (
	"strings"

	"github.com/revurb/revurb/hooks/abi"
)

// write returns the module with what is added to it. The sections that it adds
// to are put in their places if the guest has none of them.
func (w *rewriter) write(header []byte, size int) []byte {
	out := append(make([]byte, 0, size+size/16+256), header...)
	emit := func(id byte, b []byte) { out = append(appendU32(append(out, id), uint32(len(b))), b...) }
	added := []struct {
		id    byte
		empty func() []byte
	}{
		{typeSection, func() []byte { return w.addType(&reader{b: []byte{0}}) }},
		{importSection, func() []byte { return w.addImport(&reader{b: []byte{0}}) }},
		{globalSection, func() []byte { return w.addGlobals(&reader{b: []byte{0}}) }},
		{exportSection, func() []byte { return w.addExport(&reader{b: []byte{0}}) }},
	}
	fill := func(before int) {
		for len(added) > 0 && order(added[0].id) <= before {
			if a := added[0]; !w.has[a.id] {
				emit(a.id, a.empty())
			}
			added = added[1:]
		}
	}
	for _, s := range w.sections {
		if s.id == customSection {
			if b, ok := w.custom(s); ok {
				emit(s.id, b)
			}
			continue
		}
		fill(order(s.id))
		emit(s.id, w.rewrite(s))
	}
	fill(order(dataSection))
	return out
}

func (w *rewriter) rewrite(s section) []byte {
	r := s.reader()
	switch s.id {
	case typeSection:
		return w.addType(r)
	case importSection:
		return w.addImport(r)
	case tableSection:
		return w.tables(r)
	case memorySection:
		return w.memories(r)
	case globalSection:
		return w.addGlobals(r)
	case exportSection:
		return w.addExport(r)
	case startSection:
		return appendU32(nil, w.shift(r.u32()))
	case elementSection:
		return w.elements(r)
	case codeSection:
		return w.bodies(r)
	}
	return s.b
}

func (w *rewriter) addType(r *reader) []byte {
	b := appendU32(nil, r.u32()+1)
	return append(append(b, r.b[r.i:]...), 0x60, 0, 0) // () -> ()
}

func (w *rewriter) addImport(r *reader) []byte {
	b := appendU32(nil, r.u32()+1)
	b = appendName(appendName(append(b, r.b[r.i:]...), abi.Module), abi.Yield)
	return appendU32(append(b, kindFunc), w.types)
}

func (w *rewriter) addGlobals(r *reader) []byte {
	n := r.u32()
	b := appendU32(nil, n+2*pad+1)
	for range n {
		b = append(b, r.take(2)...)
		b = w.constant(r, b)
	}
	spare := func() {
		for range pad {
			b = append(b, 0x7e, 0, 0x42, 0, 0x0b) // a constant i64, 0
		}
	}
	spare()
	b = append(appendS64(append(b, 0x7e, 1, 0x42), w.o.Slice), 0x0b)
	spare()
	return b
}

func (w *rewriter) addExport(r *reader) []byte {
	n := r.u32()
	b := appendU32(nil, n+1)
	for range n {
		b = appendName(b, r.name())
		kind, i := r.byte(), r.u32()
		if kind == kindFunc {
			i = w.shift(i)
		}
		b = appendU32(append(b, kind), i)
	}
	return appendU32(append(appendName(b, abi.Fuel), kindGlobal), w.fuelGlobal())
}

// tables bounds the tables: the engine takes memory for all that they may have.
func (w *rewriter) tables(r *reader) []byte {
	n := r.u32()
	b := appendU32(nil, n)
	for range n {
		kind := r.byte()
		reference(kind)
		b = append(b, kind)
		least, most, bounded := r.limits()
		if least > w.o.MaxTable {
			panic(refuse("a table has %d elements, of at most %d", least, w.o.MaxTable))
		}
		if !bounded || most > w.o.MaxTable {
			most = w.o.MaxTable
		}
		b = appendU32(appendU32(append(b, 1), least), most)
	}
	return b
}

func (w *rewriter) memories(r *reader) []byte {
	n := r.u32()
	b := appendU32(nil, n)
	for range n {
		least, most, bounded := r.limits()
		if least > w.o.MaxPages && !w.o.lax {
			panic(refuse("its memory begins with %d pages of 64 KiB, of at most %d: raise limits.memory to %d MiB, or build it with less",
				least, w.o.MaxPages, (least+15)/16))
		}
		switch {
		case w.o.lax && !bounded:
			b = appendU32(append(b, 0), least)
			continue
		case !bounded || most > w.o.MaxPages && !w.o.lax:
			most = w.o.MaxPages
		}
		b = appendU32(appendU32(append(b, 1), least), most)
	}
	return b
}

// custom returns a custom section as it is now, and false if it is to go.
func (w *rewriter) custom(s section) (b []byte, ok bool) {
	var err error
	defer func() { ok = ok && err == nil }()
	defer rescue(&err) // nothing depends on a custom section
	r := s.reader()
	switch name := r.name(); {
	case name == "name":
		return w.names(r), true
	case strings.HasPrefix(name, ".debug_"): // places in the code, which have moved
		return nil, false
	default:
		return s.b, true
	}
}

// names are those of functions and their locals, for stack traces (WebAssembly
// 2.0, section 7.4.1).
func (w *rewriter) names(r *reader) []byte {
	const functions, locals, labels = 1, 2, 3
	b := appendName(nil, "name")
	for r.more() {
		id := r.byte()
		sub := &reader{b: r.take(r.u32())}
		content := sub.b
		if id >= functions && id <= labels {
			n := sub.u32()
			content = appendU32(nil, n)
			for range n {
				content = appendU32(content, w.shift(sub.u32()))
				start := sub.i
				if id == functions {
					sub.name()
				} else {
					for range sub.u32() {
						sub.u32()
						sub.name()
					}
				}
				content = append(content, sub.b[start:sub.i]...)
			}
		}
		b = append(appendU32(append(b, id), uint32(len(content))), content...)
	}
	return b
}
