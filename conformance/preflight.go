package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// Unready is why no case can be run against a target.
type Unready struct {
	Cause  Cause
	Detail string // what was tried, and what came of it
	Advice string
}

// Cause is a kind of Unready.
type Cause string

// The causes.
const (
	Unreachable    Cause = "the server cannot be reached"
	NotPusher      Cause = "this is no server of the Pusher protocol"
	BadCredentials Cause = "the server does not take the credentials"
)

func (e *Unready) Error() string {
	return fmt.Sprintf("%s: %s\n%s", e.Cause, e.Detail, e.Advice)
}

// Preflight finds out whether t can be judged at all: whether every URL leads
// to a server that greets a client, and whether the HTTP API takes a request
// that is signed with the secret. An error is an *Unready.
func Preflight(ctx context.Context, t Target) error {
	tt := &T{Target: &t, ctx: ctx}
	for node := range t.URLs {
		if err := greeted(ctx, tt, node); err != nil {
			return err
		}
	}
	return signs(ctx, tt)
}

// greeted opens a WebSocket and reads the first message.
func greeted(ctx context.Context, t *T, node int) error {
	u := t.URL(Dialing{Node: node})
	where := u.Scheme + "://" + u.Host + u.Path
	ctx, cancel := context.WithTimeout(ctx, t.Target.Timeout)
	defer cancel()
	ws, err := client.Dial(ctx, u.String(), nil)
	var refused *client.HandshakeError
	switch {
	case errors.As(err, &refused) && slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden}, refused.Status):
		return &Unready{BadCredentials, where + ": " + err.Error(), "Check --key."}
	case errors.As(err, &refused) && refused.Status >= 500:
		return &Unready{Unreachable, where + ": " + err.Error(), "Is the server behind this proxy up?"}
	case err != nil && unreachable(err):
		return &Unready{Unreachable, where + ": " + err.Error(), "Is it up, and does --url have its host and port?"}
	case err != nil:
		return &Unready{
			NotPusher, where + ": " + err.Error(),
			"Does --url lead to the server itself, with its path prefix if it has one, and with wss if it has TLS?",
		}
	}
	defer ws.Close() //nolint:errcheck // all was read that is wanted
	return greeting(ctx, ws, where)
}

func greeting(ctx context.Context, ws *client.Conn, where string) error {
	stop := context.AfterFunc(ctx, func() { _ = ws.Close() }) // ends the read
	defer stop()
	f, err := ws.Read()
	if err != nil {
		return &Unready{NotPusher, where + " upgrades to a WebSocket and says nothing: " + err.Error(), "Does --url lead to the right server?"}
	}
	var m struct{ Event string }
	switch _ = json.Unmarshal(f.Payload, &m); m.Event { // what is no JSON has no event
	case "pusher:connection_established":
		return nil
	case "pusher:error":
		return &Unready{BadCredentials, where + " answers " + string(f.Payload), "Check --key: it is the app's public key, and its app must be enabled."}
	}
	return &Unready{NotPusher, fmt.Sprintf("%s upgrades to a WebSocket, and its first message is %q and not pusher:connection_established", where, f.Payload), "Does --url lead to the right server?"}
}

// unreachable reports whether err is of the network. What answers, if not as
// it should, is reachable.
func unreachable(err error) bool {
	var op *net.OpError
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.As(err, &op) && op.Op != "remote error"
}

// signs sends a signed request that changes nothing.
func signs(ctx context.Context, t *T) error {
	req, text := t.request(Request{Path: "/channels"})
	where := strings.TrimSuffix(t.Target.HTTP.String(), "/") + strings.TrimSpace(strings.TrimPrefix(text, "GET "))
	ctx, cancel := context.WithTimeout(ctx, t.Target.Timeout)
	defer cancel()
	res, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		var why error = err
		if unwrapped := errors.Unwrap(err); unwrapped != nil {
			why = unwrapped // without the URL, which has a signature in it
		}
		return &Unready{Unreachable, where + ": " + why.Error(), "Is the HTTP API elsewhere? Then say where with --http."}
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	body := make([]byte, 300)
	n, _ := io.ReadFull(res.Body, body)
	answer := fmt.Sprintf("%s answers %d %s", where, res.StatusCode, strings.TrimSpace(string(body[:n])))
	answer = redactText(answer, *t.Target)
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return &Unready{BadCredentials, answer, fmt.Sprintf("Check --secret, --key and --app-id; a clock that is off does it too (here it is %s).", time.Now().UTC().Format(time.DateTime+" MST"))}
	case http.StatusNotFound:
		return &Unready{BadCredentials, answer, "Check --app-id, and whether the HTTP API is elsewhere: then say where with --http."}
	default:
		return &Unready{NotPusher, answer, "Is the HTTP API elsewhere? Then say where with --http."}
	}
	if n == 0 || body[0] != '{' {
		return &Unready{NotPusher, answer, "Is the HTTP API elsewhere? Then say where with --http."}
	}
	return nil
}
