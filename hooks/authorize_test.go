package hooks_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

var errSignature = errors.New("invalid signature")

func authorizer(name string, f hookstest.Func) *hookstest.Plugin {
	return hookstest.New(name, map[abi.Hook]hookstest.Func{abi.Authorize: f})
}

func as(user string) func(v *hooks.Verdict) {
	return func(v *hooks.Verdict) { v.UserID, v.UserInfo = []byte(user), []byte(`{"of":"`+user+`"}`) }
}

func TestAuthorize(t *testing.T) {
	type f = hookstest.Func
	for name, test := range map[string]struct {
		replace, check f // nil is no such plugin; check comes first in the set
		signed         error
		denied         string
		err            error
		asked          string // who, in their order; S is signed
		user           string
		unsigned       bool // whether the plugin has replaced the signature
	}{
		"a plugin that replaces the signature is asked first, and its yes is enough": {
			replace: hookstest.AllowWith(as("jwt")), check: hookstest.Deny("no"), signed: errSignature,
			asked: "R", user: "jwt", unsigned: true,
		},
		"its no is a no": {
			replace: hookstest.Deny("no"), check: hookstest.Allow(),
			denied: "no", asked: "R", user: "before", unsigned: true,
		},
		"where it has no opinion the signature decides, and then the plugins that check": {
			replace: hookstest.Continue(), check: hookstest.Continue(),
			asked: "RSC", user: "before",
		},
		"to replace fields is no yes, and the fields are gone": {
			replace: hookstest.Replace(as("jwt")), check: hookstest.Continue(),
			asked: "RSC", user: "before",
		},
		"a signature that fails is final, and no plugin is asked to check": {
			replace: hookstest.Continue(), check: hookstest.Allow(), signed: errSignature,
			err: errSignature, asked: "RS", user: "before",
		},
		"the yes of a plugin that checks does not replace the signature": {
			check: hookstest.AllowWith(as("check")), signed: errSignature,
			err: errSignature, asked: "S", user: "before",
		},
		"a plugin that checks may deny what is signed": {
			check: hookstest.Deny("banned"), denied: "banned", asked: "SC", user: "before",
		},
		"a plugin that checks and fails denies": {
			check:  hookstest.Fail(errBroken),
			denied: "Subscription is not authorized: the server could not check it, try again later",
			asked:  "SC", user: "before",
		},
		"a plugin that replaces and fails denies": {
			replace: hookstest.Fail(errBroken),
			denied:  "Subscription is not authorized: the server could not check it, try again later",
			asked:   "R", user: "before", unsigned: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var asked strings.Builder
			log := func(who string, unsigned bool, then f) f {
				return func(ctx context.Context, e *hooks.Event, v *hooks.Verdict) error {
					asked.WriteString(who)
					if got := e.Flags&abi.Unsigned != 0; got != unsigned {
						t.Errorf("%s: unsigned is %v, want %v", who, got, unsigned)
					}
					if e.UserID != "before" {
						t.Errorf("%s is asked of user %q, want before", who, e.UserID)
					}
					return then(ctx, e, v)
				}
			}
			var entries []hooks.Entry
			if test.check != nil {
				entries = append(entries, hooks.Entry{Plugin: authorizer("check", log("C", false, test.check))})
			}
			if test.replace != nil {
				entries = append(entries, hooks.Entry{Plugin: authorizer("replace", log("R", true, test.replace)), Replace: true})
			}
			hs := hookstest.Entries(t, entries...)
			e := hooks.Event{App: "app", Channel: "private-a", UserID: "before", UserInfo: "{}"}
			err := hs.Authorize(t.Context(), &e, func() error {
				asked.WriteString("S")
				return test.signed
			})
			switch {
			case test.denied != "":
				if d := denied(t, err); d.Message != test.denied {
					t.Errorf("got the message %q, want %q", d.Message, test.denied)
				}
			case err != test.err:
				t.Errorf("got %v, want %v", err, test.err)
			}
			if asked.String() != test.asked {
				t.Errorf("asked %s, want %s", &asked, test.asked)
			}
			if e.UserID != test.user || (e.UserInfo == "{}") != (test.user == "before") {
				t.Errorf("got user %q with info %s, want %q", e.UserID, e.UserInfo, test.user)
			}
			if got := e.Flags&abi.Unsigned != 0; got != test.unsigned {
				t.Errorf("unsigned is %v, want %v", got, test.unsigned)
			}
		})
	}
}

func TestFieldsOfOnePluginThatReplacesReachTheNextThatDoes(t *testing.T) {
	second := authorizer("second", hookstest.Allow())
	hs := hookstest.Entries(t,
		hooks.Entry{Plugin: authorizer("first", hookstest.Replace(as("first"))), Replace: true},
		hooks.Entry{Plugin: second, Replace: true})
	var e hooks.Event
	if err := hs.Authorize(t.Context(), &e, func() error { return errSignature }); err != nil {
		t.Fatal(err)
	}
	if got := second.Calls()[0].Event.UserID; got != "first" || e.UserID != "first" {
		t.Errorf("the second was asked of user %q, and at last it is %q; want first", got, e.UserID)
	}
}

func TestSignedMayFillInTheUser(t *testing.T) {
	check := authorizer("check", nil)
	hs := hookstest.Hooks(t, check)
	var e hooks.Event
	err := hs.Authorize(t.Context(), &e, func() error { e.UserID = "signed"; return nil })
	if err != nil || check.Calls()[0].Event.UserID != "signed" || e.UserID != "signed" {
		t.Errorf("got %v, and the user %q, want the one that is signed", err, e.UserID)
	}
}

func TestAFailureNeverReplacesTheSignature(t *testing.T) {
	entry := hooks.Entry{Plugin: authorizer("a", nil), Replace: true}
	entry.OnError[abi.Authorize] = hooks.FailAllow
	if _, err := hooks.NewSet(hooks.NewMember(entry, hookstest.Logger(t))); err == nil {
		t.Error("a plugin that replaces the signature may let in by failing")
	}
}
