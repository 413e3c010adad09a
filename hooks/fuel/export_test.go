package fuel

// Lax takes what only the tests of the specification have.
func Lax(o Options) Options {
	o.lax = true
	return o
}
