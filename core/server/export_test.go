package server

// What only tests use from outside.
var (
	LastIfUnframed = lastIfUnframed
	NewGate        = newGate
)

// Close is close.
func (g *gate) Close() { g.close() }

// Empty is closed when the gate is shut and nobody is inside.
func (g *gate) Empty() <-chan struct{} { return g.empty }
