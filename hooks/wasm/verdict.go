package wasm

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// ErrVerdict is what is wrong with what a guest has returned.
var ErrVerdict = errors.New("the plugin's answer cannot be used")

// rule is what a hook may return, as package abi has it.
type rule struct{ replace, drop, event, user, info bool }

var rules = [...]rule{
	abi.OnConnect:   {},
	abi.Authorize:   {replace: true, user: true, info: true},
	abi.OnSignin:    {replace: true, info: true},
	abi.OnSubscribe: {replace: true, info: true},
	abi.OnMessage:   {replace: true, drop: true, event: true},
}

// The codes that a verdict may have: those of the protocol's errors and closes.
const minCode, maxCode = 4000, 4399

// permitted reports what a hook may not return of v.
func permitted(h abi.Hook, e *hooks.Event, v *hooks.Verdict) error {
	r := rules[h]
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrVerdict}, args...)...)
	}
	switch {
	case v.Status == abi.Replace && !r.replace, v.Status == abi.Drop && !r.drop:
		return fail("%s may not return %s", h, v.Status)
	case v.Code != 0 && (v.Code < minCode || v.Code > maxCode):
		return fail("code %d, of %d to %d", v.Code, minCode, maxCode)
	case !utf8.Valid(v.Message):
		return fail("the message is not UTF-8")
	case v.Status != abi.Replace && v.Status != abi.Allow:
		return nil // what it may have set is not looked at
	case v.Channel != nil:
		return fail("channel is for later versions")
	case v.Event != nil && !r.event, v.Data != nil && !r.event:
		return fail("%s may not set event or data", h)
	case v.UserID != nil && (!r.user || e.Flags&abi.Unsigned == 0):
		return fail("user_id may be set only by a plugin that authorizes in place of the signature")
	case v.UserInfo != nil && !r.info:
		return fail("%s may not set user_info", h)
	case v.Event != nil && len(v.Event) == 0:
		return fail("the event has no name")
	case !utf8.Valid(v.Event), !utf8.Valid(v.Data), !utf8.Valid(v.UserID):
		return fail("it is not UTF-8")
	case v.UserInfo != nil && (len(v.UserInfo) == 0 || v.UserInfo[0] != '{' || !json.Valid(v.UserInfo)):
		return fail("user_info is no JSON object")
	}
	return nil
}
