package limit_test

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/revurb/revurb/core/limit"
)

func TestIPsCountWhatIsOpen(t *testing.T) {
	l := limit.NewIPs(2, 0)
	addr := netip.MustParseAddr("192.0.2.1")
	first, _ := l.Enter(addr)
	second, _ := l.Enter(addr)
	if _, exceeded := l.Enter(addr); exceeded != "ip_connections" {
		t.Errorf("the third of two: got %q, want ip_connections", exceeded)
	}
	if _, exceeded := l.Enter(netip.MustParseAddr("192.0.2.2")); exceeded != "" {
		t.Errorf("the first of another address: got %q, want to be let in", exceeded)
	}
	first()
	first() // must not give back the place of the second
	third, exceeded := l.Enter(addr)
	if exceeded != "" {
		t.Errorf("after one has left: got %q, want to be let in", exceeded)
	}
	if _, exceeded := l.Enter(addr); exceeded != "ip_connections" {
		t.Errorf("after one has left twice: got %q, want ip_connections", exceeded)
	}
	second()
	third()
	if n := l.Len(); n != 1 {
		t.Errorf("got %d addresses remembered, want only the one that is still there", n)
	}
}

func TestIPsLimitTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.NewIPs(0, 3)
		addr := netip.MustParseAddr("192.0.2.1")
		burst := func() (in int) {
			for range 10 {
				if leave, exceeded := l.Enter(addr); exceeded == "" {
					leave()
					in++
				} else if exceeded != "ip_rate" {
					t.Errorf("got %q, want ip_rate", exceeded)
				}
			}
			return in
		}
		if n := burst(); n != 3 {
			t.Errorf("got %d of 10 in at once, want 3", n)
		}
		time.Sleep(time.Second)
		if n := burst(); n != 3 {
			t.Errorf("got %d of 10 in a second later, want 3", n)
		}
	})
}

func TestIPsKnowNetworks(t *testing.T) {
	for _, test := range []struct {
		name string
		a, b string
		same bool
	}{
		{"an IPv6 client has a /64", "2001:db8::1", "2001:db8::ffff:1", true},
		{"another /64 is another client", "2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"a zone makes no difference", "fe80::1%eth0", "fe80::1%eth1", true},
		{"IPv4 in IPv6 is IPv4", "::ffff:192.0.2.1", "192.0.2.1", true},
		{"IPv4 in IPv6 is not one network", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := limit.NewIPs(1, 0)
			l.Enter(netip.MustParseAddr(test.a))
			_, exceeded := l.Enter(netip.MustParseAddr(test.b))
			if got := exceeded != ""; got != test.same {
				t.Errorf("got counted as one: %v, want %v", got, test.same)
			}
		})
	}
}

func TestIPsForgetThoseThatAreQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.NewIPs(10, 10)
		staying := 0
		for i := range 100_000 {
			leave, _ := l.Enter(netip.MustParseAddr(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)))
			if i%100 == 0 {
				staying++
			} else {
				leave()
			}
			time.Sleep(time.Millisecond)
		}
		if n := l.Len(); n < staying || n > 2*staying+2048 {
			t.Errorf("got %d addresses remembered of 100000, of which %d are there", n, staying)
		}
	})
}

func TestIPsWithoutLimitLetEveryoneIn(t *testing.T) {
	for name, l := range map[string]*limit.IPs{"no limits": limit.NewIPs(0, 0), "limits": limit.NewIPs(1, 1)} {
		addr := netip.Addr{}
		if name == "no limits" {
			addr = netip.MustParseAddr("192.0.2.1")
		}
		for range 3 {
			leave, exceeded := l.Enter(addr)
			if exceeded != "" {
				t.Fatalf("%s, address %v: got %q, want to be let in", name, addr, exceeded)
			}
			leave()
		}
	}
}

func TestIPsMayBeUsedConcurrently(t *testing.T) {
	l := limit.NewIPs(4, 0)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 2)})
			for range 1000 {
				if leave, exceeded := l.Enter(addr); exceeded == "" {
					leave()
				} else {
					t.Errorf("got %q with four at once, want to be let in", exceeded)
				}
			}
		})
	}
	wg.Wait()
	if n := l.Len(); n != 0 {
		t.Errorf("got %d addresses remembered, want none", n)
	}
}
