package config

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/revurb/revurb/core/app"
)

func checkWebhookURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https":
		return errors.New(`it is not a URL such as "https://example.com/webhooks"`)
	case u.User != nil:
		return errors.New(`it has a user in it; send "Authorization: Basic ..." in headers instead`)
	case u.Fragment != "":
		return errors.New("it has a # in it, and what comes after that is not sent")
	}
	return nil
}

func checkWebhookEvent(s string) error {
	return oneOf(slices.Sorted(maps.Keys(app.WebhookEvents))...)(s)
}

func checkChannelGlob(s string) error {
	if s == "" {
		return errors.New(`"" matches no channel; leave the list empty for all`)
	}
	if _, err := path.Match(s, ""); err != nil {
		return fmt.Errorf("%q is not a pattern such as private-*", s)
	}
	return nil
}

// ownHeaders are those that the server itself sets.
var ownHeaders = []string{"content-type", "content-length", "host", "connection", "transfer-encoding", "x-pusher-key", "x-pusher-signature"}

// checkHeader never repeats the value, which may be a secret.
func checkHeader(s string) error {
	name, value, ok := strings.Cut(s, ":")
	switch {
	case !ok:
		return errors.New(`a header is written "Name: value"`)
	case name == "", strings.ContainsFunc(name, func(r rune) bool { return !alphanumeric(r) && !strings.ContainsRune("-_", r) }):
		return fmt.Errorf("%q is not the name of a header", name)
	case slices.Contains(ownHeaders, strings.ToLower(name)):
		return fmt.Errorf("%s is set by the server itself", name)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return fmt.Errorf("the value of %s has a line break or another control character in it", name)
	}
	return nil
}

func checkNetwork(s string) error {
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return nil
	}
	return fmt.Errorf(`%q is not an address ("10.0.0.1") and not a network ("10.0.0.0/8")`, s)
}
