package fuel

// Module is what a guest says of itself.
type Module struct {
	Imports []Import
	Exports []Export
	Memory  *Memory  // nil if it has none of its own
	Custom  []string // the names of its custom sections
}

// Import is what a guest wants of its host.
type Import struct {
	Module, Name string
	Kind         string // function, table, memory or global
	Type         Type   // of a function
}

// Export is what a guest has for its host.
type Export struct {
	Name string
	Kind string
	Type Type // of a function
}

// Memory is how large the memory of a guest is.
type Memory struct {
	Min, Max uint32 // pages of 64 KiB; a Max of 0 is none
}

// Type is the type of a function, as i32 and so on.
type Type struct{ Params, Results []string }

// String returns t as "(i32, i32) -> i64".
func (t Type) String() string {
	s := "("
	for i, p := range t.Params {
		if i > 0 {
			s += ", "
		}
		s += p
	}
	s += ")"
	for i, r := range t.Results {
		if i == 0 {
			s += " -> "
		} else {
			s += ", "
		}
		s += r
	}
	return s
}

// Inspect returns what a guest says of itself, without running anything. The
// error is an *Error.
func Inspect(wasm []byte) (m Module, err error) {
	defer rescue(&err)
	var types, funcs []Type
	typeOf := func(all []Type, i uint32) Type {
		if i >= uint32(len(all)) {
			panic(refuse("it has a function %d, of %d", i, len(all)))
		}
		return all[i]
	}
	for _, s := range split(wasm) {
		r := s.reader()
		switch s.id {
		case customSection:
			m.Custom = append(m.Custom, r.name())
		case typeSection:
			types = r.types()
		case importSection:
			for range r.u32() {
				i := Import{Module: r.name(), Name: r.name()}
				kind := r.byte()
				i.Kind = kindName(kind)
				switch kind {
				case kindFunc:
					i.Type = typeOf(types, r.u32())
					funcs = append(funcs, i.Type)
				case kindTable:
					r.byte()
					r.limits()
				case kindMemory:
					r.limits()
				default:
					r.take(2)
				}
				m.Imports = append(m.Imports, i)
			}
		case functionSection:
			for range r.u32() {
				funcs = append(funcs, typeOf(types, r.u32()))
			}
		case memorySection:
			if r.u32() > 0 {
				least, most, _ := r.limits()
				m.Memory = &Memory{least, most}
			}
		case exportSection:
			for range r.u32() {
				e := Export{Name: r.name()}
				kind := r.byte()
				e.Kind = kindName(kind)
				if i := r.u32(); kind == kindFunc {
					e.Type = typeOf(funcs, i)
				}
				m.Exports = append(m.Exports, e)
			}
		}
	}
	return m, nil
}

func (r *reader) types() (all []Type) {
	for range r.u32() {
		if r.byte() != 0x60 {
			panic(refuse("a type is no function type: garbage collection is not supported"))
		}
		all = append(all, Type{r.values(), r.values()})
	}
	return all
}

var valueNames = map[byte]string{0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64", 0x7b: "v128", 0x70: "funcref", 0x6f: "externref"}

func (r *reader) values() (all []string) {
	for _, v := range r.take(r.u32()) {
		name, ok := valueNames[v]
		if !ok {
			panic(refuse("it has values of type %#x, which are not supported", v))
		}
		all = append(all, name)
	}
	return all
}
