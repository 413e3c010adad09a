package webhook

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// errPrivate is why a webhook does not go to an address.
var errPrivate = errors.New("the address is not public, and webhooks.allow does not have it")

// dialer returns a dialer that connects to public addresses, and to those that
// are allowed. It looks at the very address that is connected to, after the name
// was looked up: a name that points elsewhere a moment later gains nothing.
func dialer(allowed []netip.Prefix) *net.Dialer {
	return &net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("read address: %w", err)
			}
			return permit(at.Addr(), allowed)
		},
	}
}

func permit(a netip.Addr, allowed []netip.Prefix) error {
	a = a.Unmap().WithZone("")
	if within(a, allowed) || public(a) {
		return nil
	}
	return fmt.Errorf("connect to %s: %w", a, errPrivate)
}

// public reports whether a belongs to someone on the internet.
func public(a netip.Addr) bool {
	if within(a, translated) { // to the IPv4 address in its last bytes
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Is4() {
		return !within(a, special4)
	}
	return within(a, global6) && !within(a, special6)
}

// The networks of the IANA registries of special purpose addresses.
var (
	special4 = prefixes(
		"0.0.0.0/8",       // this network
		"10.0.0.0/8",      // private
		"100.64.0.0/10",   // shared with the provider (CGNAT)
		"127.0.0.0/8",     // loopback
		"169.254.0.0/16",  // link-local, and the metadata of clouds
		"172.16.0.0/12",   // private
		"192.0.0.0/24",    // protocol assignments
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // 6to4 relays
		"192.168.0.0/16",  // private
		"198.18.0.0/15",   // benchmarks
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"224.0.0.0/4",     // multicast
		"240.0.0.0/4",     // reserved, and broadcast
	)
	global6  = prefixes("2000::/3")
	special6 = prefixes(
		"2001::/23",     // protocol assignments, Teredo among them
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4, which has an IPv4 address in it
		"3fff::/20",     // documentation
	)
	translated = prefixes("64:ff9b::/96") // NAT64
)

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, s := range texts {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// parseNetworks reads addresses and networks.
func parseNetworks(texts []string) (all []netip.Prefix, err error) {
	for _, s := range texts {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return nil, fmt.Errorf("webhooks.allow: %w", err)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
