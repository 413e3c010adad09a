package auth_test

import (
	"strings"
	"testing"

	"github.com/revurb/revurb/core/auth"
)

// The vectors are those of Pusher's documentation, but for presence, whose
// signature there belongs to another text.
func TestEqual(t *testing.T) {
	const secret = "7ad3773142a6692b25b8"
	private := auth.ChannelText("1234.1234", "private-foobar", "")
	presence := auth.ChannelText("1234.1234", "presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Channels"}}`)
	const signed = "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"
	tests := []struct {
		name, text, signature string
		want                  bool
	}{
		{"private", private, signed, true},
		{"presence", presence, "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80", true},
		{"upper case", private, strings.ToUpper(signed), false},
		{"cut short", private, signed[:62], false},
		{"nothing", private, "", false},
		{"another channel", auth.ChannelText("1234.1234", "private-other", ""), signed, false},
		{"another socket", auth.ChannelText("1234.1235", "private-foobar", ""), signed, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := auth.Equal(secret, tt.text, tt.signature); got != tt.want {
				t.Errorf("Equal = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestToken(t *testing.T) {
	for token, ok := range map[string]bool{"key:sig": true, "key:": false, ":sig": false, "key": false, "": false} {
		if _, _, got := auth.Token(token); got != ok {
			t.Errorf("Token(%q) ok = %v, want %v", token, got, ok)
		}
	}
}
