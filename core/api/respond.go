package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// statusGone is for the metrics alone: the client went away before it was
// answered.
const statusGone = 499

// empty is the answer to a request that has nothing to be told.
var empty = []byte("{}")

// failure is an error that the client is told, in words for its developer: the
// libraries show them as they are.
type failure struct {
	status  int
	message string
	header  http.Header // of the response; may be nil
}

func (f *failure) Error() string { return fmt.Sprintf("%d %s", f.status, f.message) }

func fail(status int, format string, args ...any) *failure {
	return &failure{status: status, message: fmt.Sprintf(format, args...)}
}

// badRequest is what is wrong with the request itself. It is 400 even where 422
// would say more: some libraries drop their connection when they see that.
func badRequest(format string, args ...any) *failure {
	return fail(http.StatusBadRequest, format, args...)
}

// closing has the connection closed after the response: what comes next on it
// cannot be trusted to be a request.
func (f *failure) closing() *failure {
	f.header = http.Header{"Connection": {"close"}}
	return f
}

// retryAfter tells the client when to try again (RFC 9110, section 10.2.3).
func (f *failure) retryAfter(d time.Duration) *failure {
	seconds := max(1, int(math.Ceil(d.Seconds())))
	f.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return f
}

func (f *failure) write(w http.ResponseWriter) int {
	h := w.Header()
	for key, values := range f.header {
		h[key] = values
	}
	text := f.message + "\n"
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff") // the text may quote what the client sent
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(f.status)
	_, _ = w.Write([]byte(text)) // an error is that of a client that is gone
	return f.status
}

// write answers with body, in JSON.
func write(w http.ResponseWriter, status int, body []byte) int {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return status
}

// encode returns v in JSON, without the escapes that are for HTML only.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode response: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
