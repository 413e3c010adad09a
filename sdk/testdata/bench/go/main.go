// Command go is what the benchmarks measure, in Go. on_subscribe decides: user_id
// of the data is the channel's last segment. on_message rewrites: text becomes
// another, and a member is added. authorize verifies a JWT with the app's secret.
package main

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"

	plugin "github.com/revurb/revurb/sdk/go"
	"github.com/revurb/revurb/sdk/go/hook/authorize"
	"github.com/revurb/revurb/sdk/go/hook/onmessage"
	"github.com/revurb/revurb/sdk/go/hook/onsubscribe"
	"github.com/revurb/revurb/sdk/go/jsonscan"
)

func init() {
	onsubscribe.Handle(func(e *plugin.Event) plugin.Verdict { return same(e, e.Data(), "user_id") })
	onmessage.Handle(rewrite)
	authorize.Handle(jwt)
}

func main() {}

func same(e *plugin.Event, doc []byte, key string) plugin.Verdict {
	c := e.Channel()
	user, ok := jsonscan.String(doc, key)
	if !ok || !bytes.Equal(user, c[bytes.LastIndexByte(c, '.')+1:]) {
		return plugin.Deny("not yours")
	}
	return plugin.Continue()
}

var (
	one, two            []byte
	redacted, timestamp = []byte(`"[redacted]"`), []byte("1767225600")
)

func rewrite(e *plugin.Event) plugin.Verdict {
	var ok bool
	if one, ok = jsonscan.Set(one[:0], e.Data(), "text", redacted); !ok {
		return plugin.Continue()
	}
	two, _ = jsonscan.Set(two[:0], one, "server_ts", timestamp)
	return plugin.Replace().Data(two)
}

var sum [32]byte

func jwt(e *plugin.Event) plugin.Verdict {
	token := e.Auth()
	first, last := bytes.IndexByte(token, '.'), bytes.LastIndexByte(token, '.')
	if first == last || !plugin.HMACSecret(&sum, token[:last]) {
		return plugin.Deny("no token")
	}
	var err error
	if two, err = base64.RawURLEncoding.AppendDecode(two[:0], token[last+1:]); err != nil || subtle.ConstantTimeCompare(sum[:], two) != 1 {
		return plugin.Deny("wrong signature")
	}
	if one, err = base64.RawURLEncoding.AppendDecode(one[:0], token[first+1:last]); err != nil {
		return plugin.Deny("no claims")
	}
	return same(e, one, "sub")
}
