package clustertest

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// network is what lies between one node and Redis: a proxy for each server, so
// that it can be broken for that node alone. What addresses the servers say they
// have does not matter.
type network struct {
	proxies map[string]*redistest.Proxy // by the address of the server
}

func newNetwork(tb testing.TB, servers []*redistest.Server) *network {
	tb.Helper()
	n := &network{proxies: map[string]*redistest.Proxy{}}
	for _, s := range servers {
		n.proxies[s.Addr()] = redistest.NewProxy(tb, s)
	}
	return n
}

func (n *network) dial(ctx context.Context, kind, addr string) (net.Conn, error) {
	p := n.proxies[addr]
	if p == nil {
		return nil, fmt.Errorf("there is no server at %s", addr)
	}
	return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, kind, p.Addr())
}

// each does fault to the ways to all servers.
func (n *network) each(fault func(*redistest.Proxy)) {
	for _, p := range n.proxies {
		fault(p)
	}
}

func (n *network) heal() { n.each((*redistest.Proxy).Heal) }
