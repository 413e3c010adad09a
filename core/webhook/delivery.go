package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
)

// delivery is one request, the same each time that it is tried.
type delivery struct {
	// Static after construction. There is no secret here: the body was signed
	// when it was made.
	items     []item
	url       string
	headers   []string
	timeout   time.Duration
	body      []byte
	key       string
	signature string

	tries   int
	due     time.Time // of the next try
	claimed bool      // the other events of its channels wait for it
}

func newDelivery(a *app.App, w *app.Webhook, items []item) *delivery {
	body := encode(items)
	return &delivery{
		items:     items,
		url:       w.URL,
		headers:   w.Headers,
		timeout:   w.Timeout,
		body:      body,
		key:       a.Key,
		signature: auth.Sign(a.Secret, string(body)),
	}
}

// maxAnswer is how much is read of an answer, so that the connection can be
// used again. Nobody looks at it.
const maxAnswer = 64 << 10

// send makes the request. The error says why it was not taken.
func (r *delivery) send(ctx context.Context, client *http.Client) error {
	r.tries++
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(r.body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	if s := req.URL.Scheme; s != "http" && s != "https" {
		return fmt.Errorf("make request: no webhooks over %q", s)
	}
	for _, h := range r.headers {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Add(name, strings.TrimSpace(value))
	}
	req.Header.Set("Content-Type", "application/json") // without a charset: libraries compare all of it
	req.Header.Set("X-Pusher-Key", r.key)
	req.Header.Set("X-Pusher-Signature", r.signature)
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("it answered %d", res.StatusCode)
	}
	return nil
}

// reason is what may be logged of err: not the URL, which may have a password
// in it.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}

// backoff is how long to wait after so many tries: twice as long each time, up
// to a minute, and a fifth more or less, so that not all come back at once.
func backoff(first time.Duration, tries int) time.Duration {
	const most = time.Minute
	d := first
	for range tries - 1 {
		if d *= 2; d >= most {
			d = most
			break
		}
	}
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
