package listen_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/revurb/revurb/core/listen"
)

func TestProxies(t *testing.T) {
	proxies, err := listen.ParseProxies([]string{"10.0.0.1", "172.16.0.0/12", "2001:db8::/32", "unix"})
	if err != nil {
		t.Fatal(err)
	}
	type headers []string // X-Forwarded-For, several times
	for _, test := range []struct {
		name   string
		peer   string
		header headers
		want   string
	}{
		{"a peer that is no proxy is the client", "192.0.2.1:5", nil, "192.0.2.1"},
		{"a peer that is no proxy is not believed", "192.0.2.1:5", headers{"198.51.100.7"}, "192.0.2.1"},
		{"a proxy is believed", "10.0.0.1:5", headers{"198.51.100.7"}, "198.51.100.7"},
		{"a proxy of a network is believed", "172.20.1.1:5", headers{"198.51.100.7"}, "198.51.100.7"},
		{"a proxy over IPv4 in IPv6 is believed", "[::ffff:10.0.0.1]:5", headers{"198.51.100.7"}, "198.51.100.7"},
		{"a proxy over IPv6 is believed", "[2001:db8::5]:5", headers{"2a00::1"}, "2a00::1"},
		{"a proxy that says nothing is the client", "10.0.0.1:5", nil, "10.0.0.1"},
		{"what the client says itself is not believed", "10.0.0.1:5", headers{"127.0.0.1, 198.51.100.7"}, "198.51.100.7"},
		{"a chain of proxies is followed", "10.0.0.1:5", headers{"198.51.100.7, 172.16.0.9"}, "198.51.100.7"},
		{"a chain ends at the first stranger", "10.0.0.1:5", headers{"1.2.3.4, 198.51.100.7, 172.16.0.9"}, "198.51.100.7"},
		{"several headers are one list", "10.0.0.1:5", headers{"1.2.3.4", "198.51.100.7", "172.16.0.9"}, "198.51.100.7"},
		{"a chain of proxies alone begins with the client", "10.0.0.1:5", headers{"172.16.0.8, 172.16.0.9"}, "172.16.0.8"},
		{"garbage is the end of what can be seen", "10.0.0.1:5", headers{"198.51.100.7, unknown, 172.16.0.9"}, "172.16.0.9"},
		{"garbage alone leaves the proxy", "10.0.0.1:5", headers{"unknown"}, "10.0.0.1"},
		{"an empty header leaves the proxy", "10.0.0.1:5", headers{""}, "10.0.0.1"},
		{"a port does not matter", "10.0.0.1:5", headers{"198.51.100.7:4711"}, "198.51.100.7"},
		{"brackets and a port do not matter", "10.0.0.1:5", headers{"[2a00::1]:4711"}, "2a00::1"},
		{"brackets do not matter", "10.0.0.1:5", headers{"[2a00::1]"}, "2a00::1"},
		{"a Unix socket is a proxy", "@", headers{"198.51.100.7"}, "198.51.100.7"},
		{"a Unix socket has no address", "@", nil, "invalid IP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := request(test.peer, http.Header{"X-Forwarded-For": test.header})
			if got := proxies.Client(r).String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestSecure(t *testing.T) {
	proxies, err := listen.ParseProxies([]string{"10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		peer  string
		proto []string
		tls   bool
		want  bool
	}{
		{"TLS is", "192.0.2.1:5", nil, true, true},
		{"nothing is not", "192.0.2.1:5", nil, false, false},
		{"what a proxy says is", "10.0.0.1:5", []string{"https"}, false, true},
		{"what a proxy says of a WebSocket is", "10.0.0.1:5", []string{"WSS"}, false, true},
		{"what a proxy says is not, if it says so", "10.0.0.1:5", []string{"http"}, false, false},
		{"what anyone says is not", "192.0.2.1:5", []string{"https"}, false, false},
		{"what a client had a proxy say is not", "10.0.0.1:5", []string{"https", "http"}, false, false},
		{"garbage is not", "10.0.0.1:5", []string{"httpsx"}, false, false},
		{"a Unix socket is not believed unless it is trusted", "@", []string{"https"}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := request(test.peer, http.Header{"X-Forwarded-Proto": test.proto})
			if test.tls {
				r.TLS = new(tls.ConnectionState)
			}
			if got := proxies.Secure(r); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestNobodyIsAProxyByDefault(t *testing.T) {
	for _, peer := range []string{"127.0.0.1:5", "@"} {
		r := request(peer, http.Header{"X-Forwarded-For": {"198.51.100.7"}})
		if got := new(listen.Proxies).Client(r); got == netip.MustParseAddr("198.51.100.7") {
			t.Errorf("%s was believed", peer)
		}
	}
}

func TestParseProxiesRefuses(t *testing.T) {
	for _, s := range []string{"", "localhost", "10.0.0.0/33", "10.0.0", "10.0.0.1:80"} {
		if _, err := listen.ParseProxies([]string{s}); err == nil {
			t.Errorf("%q: got no error", s)
		}
	}
}

func request(peer string, h http.Header) *http.Request {
	ctx := context.Background()
	if peer == "@" {
		ctx = context.WithValue(ctx, http.LocalAddrContextKey, net.Addr(&net.UnixAddr{Net: "unix", Name: "/run/revurb.sock"}))
	}
	return (&http.Request{RemoteAddr: peer, Header: h}).WithContext(ctx)
}
