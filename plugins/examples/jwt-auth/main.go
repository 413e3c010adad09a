// Command jwt-auth authorizes private and presence channels by a JWT: see its
// README.
package main

import (
	"crypto/subtle"
	"encoding/base64"

	plugin "github.com/revurb/revurb/sdk/go"
	"github.com/revurb/revurb/sdk/go/hook/authorize"
	"github.com/revurb/revurb/sdk/go/jsonscan"
)

func init() { authorize.Handle(check) }

func main() {}

func check(e *plugin.Event) plugin.Verdict {
	if !e.Unsigned() {
		return plugin.Continue() // the signature decides
	}
	claims, why := verify(e.Auth())
	if why != "" {
		return plugin.Deny(why)
	}
	if !covers(claims, e.Channel()) {
		return plugin.Deny("the token is not for this channel")
	}
	if !presence(e.Channel()) {
		return plugin.Allow()
	}
	user, ok := jsonscan.String(claims, "sub")
	if !ok || len(user) == 0 {
		return plugin.Deny("the token has no sub, which a presence channel needs")
	}
	v := plugin.Allow().UserID(user)
	if info, ok := jsonscan.Raw(claims, "user_info"); ok && info[0] == '{' {
		v = v.UserInfo(info)
	}
	return v
}

// verify returns the claims of a token, or why it is not to be believed.
func verify(token []byte) (claims []byte, why string) {
	first, last := dots(token)
	if first < 0 {
		return nil, "auth is no JWT"
	}
	header, ok1 := decode(token[:first])
	claims, ok2 := decode(token[first+1 : last])
	signature, ok3 := decode(token[last+1:])
	if !ok1 || !ok2 || !ok3 {
		return nil, "auth is no JWT"
	}
	// Of the algorithms only this one: "none", above all, is not to be believed.
	if alg, ok := jsonscan.String(header, "alg"); !ok || !plugin.Equal(alg, "HS256") {
		return nil, "the token is not signed with HS256"
	}
	if !signed(token[:last], signature) {
		return nil, "the token's signature is wrong"
	}
	now := plugin.Now() / 1000
	if exp, ok := jsonscan.Int(claims, "exp"); !ok || now >= exp {
		return nil, "the token has expired"
	}
	if _, has := jsonscan.Raw(claims, "nbf"); has {
		if nbf, ok := jsonscan.Int(claims, "nbf"); !ok || now < nbf {
			return nil, "the token is not valid yet"
		}
	}
	return claims, ""
}

// signed checks a signature with the key of the config, or with the app's secret.
func signed(msg, signature []byte) bool {
	var sum [32]byte
	ok := false
	if key, has := plugin.Config("key"); has {
		ok = len(key) > 0 && plugin.HMAC(&sum, key, msg)
	} else {
		ok = plugin.HMACSecret(&sum, msg)
	}
	return ok && subtle.ConstantTimeCompare(sum[:], signature) == 1
}

// covers reports whether the claim channels, an array of names and of prefixes
// that end in "*", has the channel.
func covers(claims, channel []byte) bool {
	list, _ := jsonscan.Raw(claims, "channels")
	found := false
	jsonscan.Each(list, func(v []byte) bool {
		if v[0] == '"' {
			if name, ok := jsonscan.Decode(v); ok {
				found = matches(name, channel)
			}
		}
		return !found
	})
	return found
}

func matches(pattern, channel []byte) bool {
	if n := len(pattern) - 1; n >= 0 && pattern[n] == '*' {
		return len(channel) >= n && plugin.Equal(channel[:n], string(pattern[:n]))
	}
	return plugin.Equal(channel, string(pattern))
}

func presence(channel []byte) bool {
	const prefix = "presence-"
	return len(channel) >= len(prefix) && plugin.Equal(channel[:len(prefix)], prefix)
}

// dots returns where the two dots of a token are, or -1.
func dots(token []byte) (first, last int) {
	first = -1
	for i, c := range token {
		if c != '.' {
			continue
		}
		if first >= 0 {
			return first, i
		}
		first = i
	}
	return -1, -1
}

func decode(b []byte) ([]byte, bool) {
	out, err := base64.RawURLEncoding.AppendDecode(nil, b)
	return out, err == nil && len(out) > 0
}
