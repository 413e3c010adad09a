package protocol_test

import (
	"strings"
	"testing"

	"github.com/revurb/revurb/core/protocol"
)

func TestEncode(t *testing.T) {
	tests := []struct {
		name string
		m    protocol.Message
		want string
	}{
		{"data is there even if there is none", protocol.Message{Event: "pusher:pong"}, `{"event":"pusher:pong","data":"{}"}`},
		{
			"a client event of a member",
			protocol.Message{Event: "client-a", Channel: "presence-x", Data: []byte(`"{}"`), UserID: "1"},
			`{"event":"client-a","channel":"presence-x","data":"{}","user_id":"1"}`,
		},
		{
			"names are escaped, and no more than JSON asks for",
			protocol.Message{Event: "App\\Events\\<Sent>\"\n"},
			`{"event":"App\\Events\\<Sent>\"\n","data":"{}"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(tt.m.Encode()); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	tests := []struct{ name, raw, want string }{
		{"an object becomes a string of its bytes", `{"a": [1,"x"]}`, `"{\"a\": [1,\"x\"]}"`},
		{"an empty object stays one", `{}`, `"{}"`},
		{"a string is left alone", `"\u00e9\/"`, `"\u00e9\/"`},
		{"a number becomes a string", `12`, `"12"`},
		{"null becomes a string", `null`, `"null"`},
		{"nothing becomes null", ``, `"null"`},
		{"line breaks between values survive", "{\n\t\"a\":1}", `"{\n\t\"a\":1}"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(protocol.Text([]byte(tt.raw))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestErrorEncode(t *testing.T) {
	tests := []struct {
		name           string
		err            *protocol.Error
		pusher, reverb string
	}{
		{
			"no code is null, and Reverb has one", protocol.ErrBadMessage,
			`{"event":"pusher:error","data":{"code":null,"message":"Invalid message format"}}`,
			`{"event":"pusher:error","data":{"code":4200,"message":"Invalid message format"}}`,
		},
		{
			"the dialects agree on most", protocol.ErrAppNotFound,
			`{"event":"pusher:error","data":{"code":4001,"message":"Application does not exist"}}`,
			`{"event":"pusher:error","data":{"code":4001,"message":"Application does not exist"}}`,
		},
		{
			"a subscription names its channel where nobody expects the opposite", protocol.Unauthorized("private-a", "Auth info required"),
			`{"event":"pusher:error","data":{"code":null,"message":"Auth info required"}}`,
			`{"event":"pusher:error","channel":"private-a","data":{"code":4009,"message":"Connection is unauthorized"}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(tt.err.Encode(protocol.Pusher)); got != tt.pusher {
				t.Errorf("pusher: got %s, want %s", got, tt.pusher)
			}
			if got := string(tt.err.Encode(protocol.Reverb)); got != tt.reverb {
				t.Errorf("reverb: got %s, want %s", got, tt.reverb)
			}
		})
	}
}

func TestEncodeSubscription(t *testing.T) {
	got := string(protocol.Unauthorized("private-a", "no").EncodeSubscription())
	want := `{"event":"pusher:subscription_error","channel":"private-a","data":{"type":"AuthError","error":"no","status":401}}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Codes in close frames tell clients what to do next. One of 4300 or more
// would keep them away for good, and none of ours means to.
func TestClosingCodes(t *testing.T) {
	for _, e := range []*protocol.Error{
		protocol.ErrTLSOnly, protocol.ErrAppNotFound, protocol.ErrAppDisabled, protocol.ErrOverQuota,
		protocol.ErrPathNotFound, protocol.ErrBadVersion, protocol.ErrUnsupportedVersion, protocol.ErrNoVersion,
		protocol.ErrOrigin, protocol.ErrOverCapacity, protocol.ErrSlowConsumer, protocol.ErrShutdown, protocol.ErrPongTimeout,
	} {
		if !e.Closes || e.Code < 4000 || e.Code >= 4300 {
			t.Errorf("%v: closes = %v, want a code of 4000 to 4299 that closes", e, e.Closes)
		}
	}
}

func TestRedact(t *testing.T) {
	sig := strings.Repeat("0f", 32)
	tests := []struct {
		name, frame string
		hidden      []string
		shown       []string
	}{
		{
			"a subscription", `{"event":"pusher:subscribe","data":{"auth":"key:` + sig + `","channel_data":"{\"user_id\":\"canary\"}","channel":"presence-a"}}`,
			[]string{sig, "canary"},
			[]string{"pusher:subscribe", "presence-a"},
		},
		{
			"a subscription as a string", `{"event":"pusher:subscribe","data":"{\"auth\":\"key:` + sig + `\",\"channel\":\"private-a\"}"}`,
			[]string{sig},
			[]string{"private-a"},
		},
		{"a client event", `{"event":"client-a","channel":"private-a","data":"canary"}`, []string{"canary"}, []string{"client-a", "private-a"}},
		{"an unknown message", `{"event":"x","data":"canary"}`, []string{"canary"}, []string{`"x"`}},
		{"what is no message", `canary`, []string{"canary"}, []string{"not a message"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := protocol.Redact([]byte(tt.frame))
			for _, s := range tt.hidden {
				if strings.Contains(got, s) {
					t.Errorf("%s shows %s", got, s)
				}
			}
			for _, s := range tt.shown {
				if !strings.Contains(got, s) {
					t.Errorf("%s does not show %s", got, s)
				}
			}
		})
	}
}

func TestRedactSent(t *testing.T) {
	sig := strings.Repeat("0f", 32)
	quoting := protocol.Unauthorized("presence-a", `Invalid signature: Expected HMAC SHA256 hex digest of 1.2:presence-a:{"user_id":"canary"}, but got `+sig)
	tests := []struct {
		name   string
		frame  []byte
		hidden []string
		shown  []string
	}{
		{"an event of the app", protocol.Message{Event: "order", Channel: "orders", Data: []byte(`"canary"`), UserID: "canary"}.Encode(), []string{"canary"}, []string{"order", "orders"}},
		{"the members", protocol.Message{Event: protocol.EventMemberAdded, Channel: "presence-a", Data: []byte(`"canary"`)}.Encode(), []string{"canary"}, []string{"member_added"}},
		{"who has signed in", protocol.Message{Event: protocol.EventSigninSuccess, Data: []byte(`"canary"`)}.Encode(), []string{"canary"}, []string{"signin_success"}},
		{"a greeting", protocol.Message{Event: protocol.EventConnectionEstablished, Data: []byte(`"1.2"`)}.Encode(), nil, []string{"1.2"}},
		{"an error", quoting.Encode(protocol.Pusher), []string{"canary", sig}, []string{"Invalid signature", "null"}},
		{"the error of a subscription", quoting.EncodeSubscription(), []string{"canary", sig}, []string{"Invalid signature", "401"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := protocol.RedactSent(tt.frame)
			for _, s := range tt.hidden {
				if strings.Contains(got, s) {
					t.Errorf("%s shows %s", got, s)
				}
			}
			for _, s := range tt.shown {
				if !strings.Contains(got, s) {
					t.Errorf("%s does not show %s", got, s)
				}
			}
		})
	}
}
