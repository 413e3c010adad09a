package api

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
)

// checkFraming refuses what a proxy in front of the server might read as another
// request than the server does. net/http takes a request that has both a
// Content-Length and a Transfer-Encoding, and then runs what stands behind it,
// which the proxy took for its body. It has dropped the Content-Length when the
// request arrives here, so one cannot tell such a request from any other with a
// Transfer-Encoding: none is taken, and the connection ends. No library of the
// protocol sends one. (RFC 9112, sections 6.1 and 11.2)
func checkFraming(r *request) error {
	if len(r.TransferEncoding) > 0 {
		return fail(http.StatusLengthRequired, "Length required: send the body with a Content-Length, not in chunks").closing()
	}
	for _, coding := range r.Header.Values("Content-Encoding") {
		if !strings.EqualFold(strings.TrimSpace(coding), "identity") {
			return fail(http.StatusUnsupportedMediaType, "Unsupported Content-Encoding: send the body as it is")
		}
	}
	return nil
}

func appError(id string, err error) error {
	if errors.Is(err, app.ErrNotFound) {
		const most = 64
		if len(id) > most {
			id = id[:most] + "..."
		}
		return fail(http.StatusNotFound, "No matching application for ID [%s].", strings.ToValidUTF8(id, "?"))
	}
	return fmt.Errorf("find app: %w", err)
}

// authenticate checks that r.app signed r, all but its body.
func (api *API) authenticate(r *request) error {
	q, err := r.tenant.signer.Verify(auth.Request{
		Method: r.Method,
		Paths:  signedPaths(r.URL.EscapedPath(), r.prefix),
		Query:  r.URL.RawQuery,
	}, r.app.Key, time.Now(), r.app.TimestampWindow)
	var refusal auth.Refusal
	switch {
	case errors.As(err, &refusal):
		return fail(http.StatusUnauthorized, "%s", refusal)
	case errors.Is(err, auth.ErrQuery):
		return badRequest("%v", err)
	case err != nil:
		return fmt.Errorf("verify signature: %w", err)
	case !r.app.Enabled:
		return fail(http.StatusForbidden, "Application disabled")
	}
	r.query = q
	return nil
}

// signedPaths are the forms in which libraries sign the path that they request:
// most of them without the prefix under which the server is deployed, of which
// they need not know; as it is sent, or before it was encoded.
func signedPaths(sent, prefix string) []string {
	paths := []string{strings.TrimPrefix(sent, prefix)}
	add := func(path string) {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	for _, path := range []string{paths[0], sent} {
		add(path)
		if strings.IndexByte(path, '%') >= 0 {
			if decoded, err := url.PathUnescape(path); err == nil {
				add(decoded)
			}
		}
	}
	return paths
}

// readBody reads the body of r and checks that it is what was signed.
func (api *API) readBody(w http.ResponseWriter, r *request) error {
	most := int64(api.config.MaxRequestSize)
	tooBig := func() error {
		return fail(http.StatusRequestEntityTooLarge,
			"Request entity too large: the body exceeds the allowed maximum (%d bytes): see api.max_request_size", most).closing()
	}
	if r.ContentLength > most {
		return tooBig()
	}
	if r.ContentLength != 0 {
		// Room is made for what arrives, not for what is promised.
		const eager = 64 << 10
		r.body = make([]byte, 0, min(max(r.ContentLength, 511)+1, eager))
		body := http.MaxBytesReader(w, r.Body, most)
		for {
			n, err := body.Read(r.body[len(r.body):cap(r.body)])
			r.body = r.body[:len(r.body)+n]
			if errors.Is(err, io.EOF) {
				break
			}
			var big *http.MaxBytesError
			switch {
			case errors.As(err, &big):
				return tooBig()
			case err != nil:
				return bodyError(err)
			case len(r.body) == cap(r.body):
				r.body = slices.Grow(r.body, len(r.body))
			}
		}
	}
	var refusal auth.Refusal
	if errors.As(auth.CheckBody(r.query, r.body), &refusal) {
		return fail(http.StatusUnauthorized, "%s", refusal)
	}
	return nil
}

func bodyError(err error) error {
	var e net.Error
	if errors.As(err, &e) && e.Timeout() {
		return fail(http.StatusRequestTimeout, "Request timeout: the body did not arrive in time").closing()
	}
	return badRequest("The body ends before its Content-Length").closing()
}
