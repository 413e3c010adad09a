package listen

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are who may speak for others: whose X-Forwarded-For and
// X-Forwarded-Proto are believed. Nobody is in the zero Proxies.
type Proxies struct {
	networks []netip.Prefix
	unix     bool
}

// ParseProxies reads addresses ("192.0.2.1"), networks ("10.0.0.0/8") and
// "unix", which is everyone who connects to a Unix socket.
func ParseProxies(list []string) (Proxies, error) {
	var p Proxies
	for _, s := range list {
		if s == "unix" {
			p.unix = true
			continue
		}
		if addr, err := netip.ParseAddr(s); err == nil {
			addr = addr.Unmap()
			p.networks = append(p.networks, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(s)
		if err != nil {
			return Proxies{}, fmt.Errorf(`trusted_proxies: %q is no address (192.0.2.1), no network (10.0.0.0/8) and not "unix"`, s)
		}
		p.networks = append(p.networks, network.Masked())
	}
	return p, nil
}

// Client returns the address that a request comes from: of the peer or, if
// that is a proxy, of the last hop of X-Forwarded-For that is none. What stands
// before that hop was written by who knows whom. Where a hop is no address,
// the one that named it is as far as anyone can see.
//
// The address of a Unix socket's peer is the zero Addr.
func (p Proxies) Client(r *http.Request) netip.Addr {
	client := peer(r)
	if !p.trustPeer(r, client) {
		return client
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, s := range slices.Backward(hops) {
		hop, ok := parseHop(s)
		if !ok {
			return client
		}
		client = hop
		if !p.trust(hop) {
			return client
		}
	}
	return client
}

// Secure reports whether a request came over TLS, to this server or to a proxy
// that says so.
func (p Proxies) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if !p.trustPeer(r, peer(r)) {
		return false
	}
	protos := strings.Split(strings.Join(r.Header.Values("X-Forwarded-Proto"), ","), ",")
	switch last := strings.TrimSpace(protos[len(protos)-1]); {
	case strings.EqualFold(last, "https"), strings.EqualFold(last, "wss"):
		return true
	}
	return false
}

func (p Proxies) trustPeer(r *http.Request, addr netip.Addr) bool {
	if addr.IsValid() {
		return p.trust(addr)
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return p.unix && local != nil && local.Network() == "unix"
}

func (p Proxies) trust(addr netip.Addr) bool {
	return slices.ContainsFunc(p.networks, func(n netip.Prefix) bool { return n.Contains(addr) })
}

func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // of a Unix socket
	}
	return ap.Addr().Unmap().WithZone("")
}

// parseHop reads an address as proxies write it: alone, in brackets, or with a
// port behind it.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = ap.Addr()
	}
	return addr.Unmap().WithZone(""), true
}
