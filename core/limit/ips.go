package limit

import (
	"net/netip"
	"sync"
)

// IPs limits what one client address may open: how many things at once, and
// how many a second. A nil IPs lets everyone in.
//
// It remembers an address only while something of it is open, or while it has
// not been quiet for long enough to be let in as often as a stranger.
type IPs struct {
	// Static after construction.
	maxOpen int
	rate    int

	mu    sync.Mutex // guards what follows
	of    map[netip.Addr]*ip
	sweep int // how many addresses there may be before those that are quiet are forgotten
}

type ip struct {
	open int
	rate *Rate
}

const minSweep = 1024

// NewIPs returns a limit of maxOpen at once and perSecond in a second for each
// address. A limit of 0 or less is none; without either NewIPs returns nil.
func NewIPs(maxOpen, perSecond int) *IPs {
	if maxOpen <= 0 && perSecond <= 0 {
		return nil
	}
	return &IPs{maxOpen: maxOpen, rate: perSecond, of: map[netip.Addr]*ip{}, sweep: minSweep}
}

// Enter lets one more of addr in. If it may not come in, exceeded names the
// limit: "ip_connections" or "ip_rate". Otherwise exceeded is "", and leave must
// be called when it has gone; calling it again has no effect.
//
// An IPv6 address counts as its /64 network, which is what one customer has,
// and an address that is IPv4 in IPv6 as IPv4. The zero Addr, of a client whose
// address is not known, is never limited: it would be all of them.
func (l *IPs) Enter(addr netip.Addr) (leave func(), exceeded string) {
	if l == nil || !addr.IsValid() {
		return func() {}, ""
	}
	addr = network(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.of[addr]
	if c == nil {
		l.forget()
		c = &ip{rate: PerSecond(l.rate)}
		l.of[addr] = c
	}
	if l.maxOpen > 0 && c.open >= l.maxOpen {
		return nil, "ip_connections"
	}
	if !c.rate.Allow() {
		return nil, "ip_rate"
	}
	c.open++
	return sync.OnceFunc(func() { l.leave(addr, c) }), ""
}

// Len is how many addresses are remembered.
func (l *IPs) Len() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.of)
}

func (l *IPs) leave(addr netip.Addr, c *ip) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.open--
	if c.forgettable() {
		delete(l.of, addr)
	}
}

// forget makes room when there are twice as many addresses as were worth
// remembering the last time, so that its cost is shared by those who came.
func (l *IPs) forget() {
	if len(l.of) < l.sweep {
		return
	}
	for addr, c := range l.of {
		if c.forgettable() {
			delete(l.of, addr)
		}
	}
	l.sweep = max(minSweep, 2*len(l.of))
}

// forgettable reports whether a stranger would be treated the same.
func (c *ip) forgettable() bool { return c.open == 0 && c.rate.unused() }

func network(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr
	}
	p, _ := addr.Prefix(64) // an IPv6 address has one
	return p.Addr()
}
