// Package auth makes and checks the signatures of the Pusher protocol. All of
// them are HMAC-SHA256 with the app's secret, in lower-case hex.
//
// It keeps nothing and does no I/O: it knows no app and no connection, and of an
// HTTP request only what is signed.
package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Sign returns the signature of text.
func Sign(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// Equal reports whether signature is that of text. It takes the same time
// whatever the difference is. Only lower-case hex will do.
func Equal(secret, text, signature string) bool {
	return hmac.Equal([]byte(signature), []byte(Sign(secret, text)))
}

// ChannelText is what a subscription to a channel signs. data is its
// channel_data exactly as it was sent, or "" when it has none.
func ChannelText(socketID, channel, data string) string {
	text := socketID + ":" + channel
	if data != "" {
		text += ":" + data
	}
	return text
}

// UserText is what signing in signs. data is the user_data exactly as it was
// sent.
func UserText(socketID, data string) string { return socketID + "::user::" + data }

// Token splits "key:signature", the auth of a subscription or a sign-in.
func Token(token string) (key, signature string, ok bool) {
	key, signature, ok = strings.Cut(token, ":")
	return key, signature, ok && key != "" && signature != ""
}
