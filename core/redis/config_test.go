package redis

import (
	"strings"
	"testing"
)

// What a URL lacks comes from the other keys, and none of them is forgotten
// because there is a URL.
func TestURLIsFilledUp(t *testing.T) {
	rest := Config{Username: "u", Password: "p", DB: 3, TLS: true}
	tests := map[string]struct {
		username, password string
		db                 int
		tls                bool
	}{
		"redis://h:1":         {"u", "p", 3, true},
		"redis://me:pw@h:1/2": {"me", "pw", 2, true},
		"rediss://h:1":        {"u", "p", 3, true},
	}
	for url, want := range tests {
		c := rest
		c.URL = url
		o, err := c.options()
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if o.Username != want.username || o.Password != want.password || o.DB != want.db || (o.TLSConfig != nil) != want.tls || o.Addrs[0] != "h:1" {
			t.Errorf("%s: got %q:%q, database %d, TLS %v, at %v; want %+v", url, o.Username, o.Password, o.DB, o.TLSConfig != nil, o.Addrs, want)
		}
	}
}

func TestWrongURLKeepsItsPassword(t *testing.T) {
	for _, url := range []string{"redis://u:canary@h:x", "redis://u:can/ary@h", "http://u:canary@h", "redis://u:canary@h/x", "canary@h", "redis://u:%zzcanary@h"} {
		_, err := Config{URL: url}.options()
		if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "ary@") {
			t.Errorf("%s: got %v, want an error without the password", url, err)
		}
	}
}
