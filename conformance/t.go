package conformance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// T is a case that is being run: what it acts with, and how it ends. All that
// passes over its connections is recorded.
//
// Methods that expect something end the case when it does not come.
type T struct {
	Target *Target
	Case   *Case
	ctx    context.Context
	start  time.Time
	suffix string // of the names that this run of the case makes up

	mu     sync.Mutex // guards what follows
	names  int
	conns  []*Conn
	trace  []Event
	faults []string
	undo   []func()
}

// ending is what a case panics with to end; Runner recovers it.
type ending struct {
	outcome Outcome
	f       Failure
}

// Failure is why a case fails, or is skipped.
type Failure struct {
	Message  string
	Expected string
	Actual   string
}

// Fatalf ends the case: the promise is not kept.
func (t *T) Fatalf(format string, args ...any) {
	panic(ending{Fail, Failure{Message: fmt.Sprintf(format, args...)}})
}

// Mismatch ends the case: something else came than what was expected.
func (t *T) Mismatch(what, expected, actual string) {
	panic(ending{Fail, Failure{Message: what, Expected: expected, Actual: actual}})
}

// Skipf ends the case: the target cannot be asked.
func (t *T) Skipf(format string, args ...any) {
	panic(ending{Skip, Failure{Message: fmt.Sprintf(format, args...)}})
}

// Errorf ends the case: not the target is at fault, but what lies before it.
func (t *T) Errorf(format string, args ...any) {
	panic(ending{Broken, Failure{Message: fmt.Sprintf(format, args...)}})
}

// Note records something for the reader of the report.
func (t *T) Note(format string, args ...any) { t.record("note", "", fmt.Sprintf(format, args...)) }

// Name returns a name that begins with prefix and that nobody else uses, in
// this run or another.
func (t *T) Name(prefix string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.names++
	return fmt.Sprintf("%s%d", t.namePrefix(prefix), t.names)
}

// namePrefix is how the names begin that Name makes of prefix.
func (t *T) namePrefix(prefix string) string { return prefix + "cf-" + t.suffix + "-" }

func randomSuffix() string { return strings.ToLower(rand.Text()[:10]) }

// Defer has f called when the case has ended, last in first out.
func (t *T) Defer(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.undo = append(t.undo, f)
}

// App returns the credentials of the app that the case runs with.
func (t *T) App() Credentials { return t.Target.App }

// Fixture returns the credentials of a further app. Without them, the case is
// skipped.
func (t *T) Fixture(f Fixture) Credentials {
	c, ok := t.Target.Apps[f]
	if !ok {
		t.Skipf("no app was given that is %q", f)
	}
	return c
}

// Dialing is how to open a connection. The zero value connects to the app of
// the target as pusher-js does.
type Dialing struct {
	App    Credentials // the zero value is the app of the target
	Node   int         // of a cluster; a number that is too high is the last one
	Query  string      // "" is that of pusher-js; "-" is none
	Path   string      // in the place of /app/{key}
	Header http.Header
}

const pusherJSQuery = "protocol=7&client=js&version=8.6.0&flash=false"

// Dial opens a WebSocket, whatever the server then says on it.
func (t *T) Dial(d Dialing) *Conn {
	c, err := t.TryDial(d)
	if err != nil {
		t.Fatalf("open a WebSocket: %v", err)
	}
	return c
}

// TryDial is Dial for who wants to know how it fails.
func (t *T) TryDial(d Dialing) (*Conn, error) {
	u := t.URL(d)
	ctx, cancel := context.WithTimeout(t.ctx, t.Target.Timeout)
	defer cancel()
	ws, err := t.open(ctx, u, d.Header)
	if err != nil {
		t.record("dial", "", u.RequestURI()+": "+err.Error())
		return nil, err
	}
	c := newConn(t, ws)
	t.record("dial", c.Label, u.RequestURI())
	return c, nil
}

func (t *T) open(ctx context.Context, u *url.URL, header http.Header) (*client.Conn, error) {
	nc, err := t.Target.dial(ctx, u)
	if err != nil {
		return nil, err
	}
	return client.Open(ctx, nc, u, header) //nolint:wrapcheck // it says what it did
}

// URL is where Dial connects to.
func (t *T) URL(d Dialing) *url.URL {
	u := *t.Target.URLs[min(d.Node, len(t.Target.URLs)-1)]
	if d.App == (Credentials{}) {
		d.App = t.Target.App
	}
	path := "/app/" + d.App.Key
	if d.Path != "" {
		path = d.Path
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	switch d.Query {
	case "":
		u.RawQuery = pusherJSQuery
	case "-":
	default:
		u.RawQuery = d.Query
	}
	return &u
}

// Connect opens a connection to the app of the target and waits until it is
// established.
func (t *T) Connect() *Conn { return t.ConnectTo(Dialing{}) }

// ConnectTo is Connect for who is particular about it.
func (t *T) ConnectTo(d Dialing) *Conn {
	c := t.Dial(d)
	c.app = d.App
	if c.app == (Credentials{}) {
		c.app = t.Target.App
	}
	c.Establish()
	return c
}

// Eventually waits until ok holds. The condition is asked again and again, for
// what a server may do in its own time.
func (t *T) Eventually(what string, ok func() bool) {
	for deadline := time.Now().Add(t.Target.Timeout); !ok(); {
		if time.Now().After(deadline) {
			t.Mismatch(what, "within "+t.Target.Timeout.String(), "not so")
		}
		t.pause(20 * time.Millisecond)
	}
}

// Pass lets time pass, where only time can tell.
func (t *T) Pass(d time.Duration) {
	if !t.Case.Timing {
		t.Errorf("the case waits, but is not marked as one that does")
	}
	t.pause(d)
}

func (t *T) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.ctx.Done():
		panic(ending{Fail, Failure{Message: "the case takes too long", Actual: context.Cause(t.ctx).Error()}})
	}
}

// close ends what the case has opened.
func (t *T) close() {
	t.mu.Lock()
	conns, undo := t.conns, t.undo
	t.mu.Unlock()
	for i := len(undo) - 1; i >= 0; i-- {
		undo[i]()
	}
	for _, c := range conns {
		c.Drop()
	}
}

// Event is a line of the trace of a case.
type Event struct {
	After time.Duration `json:"after"` // since the case began
	Kind  string        `json:"kind"`  // dial, sent, received, closed, request, response, note
	Conn  string        `json:"conn,omitempty"`
	Text  string        `json:"text"`
}

// longest is how much of a message is in the trace.
const longest = 4096

func (t *T) record(kind, conn, text string) {
	if len(text) > longest {
		text = fmt.Sprintf("%s… (%d bytes)", text[:longest], len(text))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trace = append(t.trace, Event{time.Since(t.start), kind, conn, text})
}

// events returns what was recorded so far. What is still on its way when the
// case ends is not of interest.
func (t *T) events() []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.trace)
}

// fault notes that the server broke a rule that holds for all cases. The case
// fails, whatever else it finds.
func (t *T) fault(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, fmt.Sprintf(format, args...))
}

// handshakeStatus is the status with which a server refused a handshake, or 0.
func handshakeStatus(err error) int {
	var h *client.HandshakeError
	if errors.As(err, &h) {
		return h.Status
	}
	return 0
}
