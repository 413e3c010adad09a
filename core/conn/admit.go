package conn

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
)

// Handshake is what a client says of itself when it connects.
type Handshake struct {
	Key     string     // of the app
	Query   url.Values // protocol, client, version
	Origin  string     // the header; "" if there is none
	Secure  bool       // the connection came with TLS
	NoRoute bool       // the path is none where apps are found
}

// Admit finds the app that a client wants to connect to. The error is a
// *protocol.Error that ends the connection if the client may not; the app is
// set if there is one even then.
func Admit(ctx context.Context, apps app.Finder, hs Handshake) (*app.App, error) {
	if hs.NoRoute {
		return nil, protocol.ErrPathNotFound
	}
	a, err := apps.ByKey(ctx, hs.Key)
	switch {
	case errors.Is(err, app.ErrNotFound):
		return nil, protocol.ErrAppNotFound
	case err != nil:
		return nil, fmt.Errorf("find app: %w", err)
	case !a.Enabled:
		return a, protocol.ErrAppDisabled
	case a.TLSOnly && !hs.Secure:
		return a, protocol.ErrTLSOnly
	case !originAllowed(a.AllowedOrigins, hs.Origin):
		return a, protocol.ErrOrigin
	}
	return a, checkVersion(a, hs.Query)
}

func checkVersion(a *app.App, query url.Values) error {
	if !query.Has("protocol") {
		if a.StrictProtocol {
			return protocol.ErrNoVersion
		}
		return nil
	}
	v, err := strconv.Atoi(query.Get("protocol"))
	switch {
	case err != nil:
		return protocol.ErrBadVersion
	case v < protocol.MinVersion || v > protocol.MaxVersion:
		return protocol.ErrUnsupportedVersion
	}
	return nil
}

// originAllowed reports whether the host of an Origin header matches one of
// patterns. Scheme and port do not matter. A client that sends no origin, as
// programs that are not browsers do, is allowed only where everyone is.
func originAllowed(patterns []string, origin string) bool {
	var host string
	if u, err := url.Parse(origin); err == nil {
		host = strings.ToLower(u.Hostname())
	}
	for _, p := range patterns {
		if p == "*" || host != "" && glob(strings.ToLower(p), host) {
			return true
		}
	}
	return false
}

// glob reports whether s as a whole matches pattern, in which * stands for any
// characters, or none.
func glob(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return s == pattern
	}
	s, ok := strings.CutPrefix(s, head)
	if !ok {
		return false
	}
	for {
		part, tail, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], tail
	}
}
