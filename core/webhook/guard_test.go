package webhook

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
)

func TestPermit(t *testing.T) {
	allowed, err := parseNetworks([]string{"10.1.0.0/16", "fd00::1"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"93.184.216.34":        true,
		"2606:2800:220:1::1":   true,
		"10.1.2.3":             true, // allowed
		"::ffff:10.1.2.3":      true,
		"fd00::1":              true,
		"10.2.0.1":             false,
		"fd00::2":              false,
		"127.0.0.1":            false,
		"127.255.255.254":      false,
		"::1":                  false,
		"::ffff:127.0.0.1":     false,
		"::127.0.0.1":          false,
		"0.0.0.0":              false,
		"::":                   false,
		"0.1.2.3":              false,
		"172.16.0.1":           false,
		"172.32.0.1":           true,
		"192.168.1.1":          false,
		"169.254.169.254":      false,
		"::ffff:169.254.1.1":   false,
		"100.64.0.1":           false,
		"100.128.0.1":          true,
		"192.0.0.8":            false,
		"198.18.0.1":           false,
		"224.0.0.1":            false,
		"240.0.0.1":            false,
		"255.255.255.255":      false,
		"fe80::1":              false,
		"fe80::1%eth0":         false,
		"fec0::1":              false,
		"fc00::1":              false,
		"ff02::1":              false,
		"2002:7f00:1::":        false, // 6to4
		"2001:0:1::":           false, // Teredo
		"2001:db8::1":          false,
		"64:ff9b::7f00:1":      false, // NAT64 of 127.0.0.1
		"64:ff9b::5db8:d822":   true,  // and of a public address
		"64:ff9b:1::5db8:d822": false,
	} {
		err := permit(netip.MustParseAddr(address), allowed)
		if (err == nil) != want {
			t.Errorf("%s: got %v, want it permitted: %v", address, err, want)
		}
		if err != nil && !errors.Is(err, errPrivate) {
			t.Errorf("%s: got %v, want errPrivate", address, err)
		}
	}
}

// The address is looked at when it is dialed, whatever the name was: a name
// gives no cover.
func TestDialerLooksAtTheAddress(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close() //nolint:errcheck // nothing was written
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		_, err := dialer(nil).DialContext(context.Background(), "tcp", net.JoinHostPort(host, port))
		if !errors.Is(err, errPrivate) {
			t.Errorf("%s: got %v, want errPrivate", host, err)
		}
	}
	c, err := dialer(prefixes("127.0.0.0/8")).DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatalf("an address that is allowed: %v", err)
	}
	_ = c.Close()
}

func TestParseNetworks(t *testing.T) {
	if _, err := parseNetworks([]string{"localhost"}); err == nil {
		t.Error("a name is taken for a network")
	}
}
