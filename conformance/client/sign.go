package client

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Sign is the HMAC-SHA256 of text, in lower-case hex.
func Sign(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// ChannelAuth is the auth of a subscription; data is its channel_data, or "".
func ChannelAuth(key, secret, socketID, channel, data string) string {
	text := socketID + ":" + channel
	if data != "" {
		text += ":" + data
	}
	return key + ":" + Sign(secret, text)
}

// UserAuth is the auth of a sign-in.
func UserAuth(key, secret, socketID, userData string) string {
	return key + ":" + Sign(secret, socketID+"::user::"+userData)
}

// Param is one parameter of a query, as its signer means it.
type Param struct{ Name, Value string }

// SignQuery returns params with what a signed request has besides: the body's
// MD5 if there is a body, the key, the time, the version and the signature.
func SignQuery(key, secret, method, path string, params []Param, body []byte, now time.Time) []Param {
	all := append([]Param{}, params...)
	if len(body) > 0 {
		sum := md5.Sum(body)
		all = append(all, Param{"body_md5", hex.EncodeToString(sum[:])})
	}
	all = append(all,
		Param{"auth_key", key},
		Param{"auth_timestamp", strconv.FormatInt(now.Unix(), 10)},
		Param{"auth_version", "1.0"},
	)
	return append(all, Param{"auth_signature", Sign(secret, StringToSign(method, path, all))})
}

// StringToSign is what the signature of a request covers.
func StringToSign(method, path string, params []Param) string {
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = strings.ToLower(p.Name) + "=" + p.Value
	}
	sort.SliceStable(pairs, func(i, j int) bool {
		a, _, _ := strings.Cut(pairs[i], "=")
		b, _, _ := strings.Cut(pairs[j], "=")
		return a < b
	})
	return method + "\n" + path + "\n" + strings.Join(pairs, "&")
}
