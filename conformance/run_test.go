package conformance_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/client"
)

const greeting = `{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":30}"}`

// fake is a server that upgrades everything and then says what it is told to.
// It answers pings.
func fake(t *testing.T, says ...string) conformance.Target {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			fmt.Fprint(w, `{"channels":{}}`)
			return
		}
		nc, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		fmt.Fprintf(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			base64.StdEncoding.EncodeToString(sum[:]))
		for _, text := range says {
			_, _ = nc.Write(unmasked(text)) // a client that is gone is the test's affair
		}
		answerPings(nc, rw.Reader)
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	ws := *u
	ws.Scheme = "ws"
	return conformance.Target{
		URLs: []*url.URL{&ws}, HTTP: u, Dialect: conformance.Pusher, Timeout: 20 * time.Second, Quiet: time.Second,
		App: conformance.Credentials{ID: "1", Key: "k", Secret: "canary-secret"},
	}
}

func unmasked(text string) []byte {
	return client.Frame{Fin: true, Opcode: client.OpText, Payload: []byte(text)}.Bytes()
}

// answerPings answers each frame of a client with a pong, until it has gone.
func answerPings(w interface{ Write([]byte) (int, error) }, r *bufio.Reader) {
	for {
		head := make([]byte, 6) // of a short frame, with its mask
		for i := range head {
			b, err := r.ReadByte()
			if err != nil {
				return
			}
			head[i] = b
		}
		if _, err := r.Discard(int(head[1] & 0x7f)); err != nil {
			return
		}
		if _, err := w.Write(unmasked(`{"event":"pusher:pong","data":"{}"}`)); err != nil {
			return
		}
	}
}

func TestOutcomes(t *testing.T) {
	target := fake(t, greeting)
	target.Capabilities = []conformance.Capability{conformance.CapPresence}
	fail := func(t *conformance.T) { t.Mismatch("status", "200", "500") }
	const tooLong = "a case that takes too long"
	tests := map[string]struct {
		c       conformance.Case
		known   map[string]string
		want    conformance.Outcome
		message string
	}{
		"a promise that is kept":     {conformance.Case{Run: func(t *conformance.T) { t.Connect().ExpectNothing("quiet") }}, nil, conformance.Pass, ""},
		"a promise that is not kept": {conformance.Case{Run: fail}, nil, conformance.Fail, "status"},
		"a case that panics": {
			conformance.Case{Run: func(*conformance.T) { panic("oops") }},
			nil, conformance.Broken, "the case panics: oops",
		},
		"a case that cannot find out": {
			conformance.Case{Run: func(t *conformance.T) { t.Errorf("no way") }},
			nil, conformance.Broken, "no way",
		},
		"a case that skips itself": {
			conformance.Case{Run: func(t *conformance.T) { t.Fixture(conformance.Quota) }},
			nil, conformance.Skip, `no app was given that is "quota"`,
		},
		"a capability that is not claimed": {
			conformance.Case{Needs: []conformance.Capability{conformance.CapSignin}, Run: fail},
			nil, conformance.Skip, "the target does not claim signin",
		},
		"a capability that is claimed": {
			conformance.Case{Needs: []conformance.Capability{conformance.CapPresence}, Run: fail},
			nil, conformance.Fail, "status",
		},
		"a level that means nothing": {
			conformance.Case{Level: conformance.NA, Run: fail},
			nil, conformance.Skip, "it means nothing in the dialect of pusher",
		},
		"a known failure": {
			conformance.Case{Run: fail},
			map[string]string{"T-*": "issue 7"},
			conformance.Known, "status",
		},
		"a known failure that passes": {
			conformance.Case{Run: func(*conformance.T) {}},
			map[string]string{"T-1": "issue 7"},
			conformance.Fixed, "take it off the list",
		},
		"a panic is no known failure": {
			conformance.Case{Run: func(*conformance.T) { panic("oops") }},
			map[string]string{"T-1": "issue 7"},
			conformance.Broken, "oops",
		},
		"waiting in a case that is not marked": {
			conformance.Case{Run: func(t *conformance.T) { t.Pass(time.Hour) }},
			nil, conformance.Broken, "not marked",
		},
		tooLong: {
			conformance.Case{Timing: true, Run: func(t *conformance.T) { t.Pass(time.Hour) }},
			nil, conformance.Fail, "too long",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.c.ID = "T-1"
			if test.c.Level == "" {
				test.c.Level = conformance.Must
			}
			r := conformance.Runner{Target: target, Known: test.known}
			if name == tooLong {
				r.Limit = 100 * time.Millisecond
			}
			res := r.One(t.Context(), &test.c)
			if res.Outcome != test.want || !strings.Contains(res.Failure.Message, test.message) {
				t.Errorf("got %q, %+v; want %q with %q", res.Outcome, res.Failure, test.want, test.message)
			}
		})
	}
}

// TestFaults: what breaks a rule that holds for every message fails any case.
func TestFaults(t *testing.T) {
	tests := map[string]struct{ says, fault string }{
		"no JSON":                    {`nope`, "every message is a JSON object"},
		"an array":                   {`[]`, "every message is a JSON object"},
		"no event":                   {`{"data":"{}"}`, "every message has an event"},
		"an event that is a number":  {`{"event":1,"data":"{}"}`, "every message has an event"},
		"no data":                    {`{"event":"x"}`, "every message has data"},
		"data that is an object":     {`{"event":"x","data":{}}`, "data is a JSON string"},
		"an error that is a string":  {`{"event":"pusher:error","data":"{}"}`, "the data of pusher:error is an object"},
		"an error without a message": {`{"event":"pusher:error","data":{"code":4000}}`, "the data of pusher:error is an object"},
		"a user ID that is a number": {`{"event":"x","channel":"c","data":"","user_id":1}`, "user_id is a string"},
		"a channel that is a number": {`{"event":"x","channel":1,"data":""}`, "a channel is a string"},
		"nothing wrong":              {`{"event":"x","channel":"c","data":"","user_id":"1"}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := conformance.Runner{Target: fake(t, greeting, test.says)}
			c := conformance.Case{ID: "T-1", Level: conformance.Must, Run: func(t *conformance.T) { t.Connect().Fence() }}
			res := r.One(t.Context(), &c)
			if test.fault == "" && res.Outcome != conformance.Pass {
				t.Errorf("got %q, %+v; want a pass", res.Outcome, res.Failure)
			}
			if test.fault != "" && (res.Outcome != conformance.Fail || !strings.Contains(res.Failure.Message, test.fault)) {
				t.Errorf("got %q, %+v; want a failure with %q", res.Outcome, res.Failure, test.fault)
			}
		})
	}
}

// TestRedaction: what is reported can be published.
func TestRedaction(t *testing.T) {
	target := fake(t, greeting)
	other := conformance.Credentials{ID: "2", Key: "k2", Secret: "canary-other"}
	target.Apps = map[conformance.Fixture]conformance.Credentials{conformance.Second: other}
	var auth string
	c := conformance.Case{ID: "T-1", Level: conformance.Must, Run: func(t *conformance.T) {
		conn := t.Connect()
		auth = conn.Auth("private-x", "")
		conn.SendSubscribe("private-x")
		t.Note("%s and %s", target.App.Secret, other.Secret)
		conn.Fence()
		t.Mismatch("auth "+target.App.Secret, auth, other.Secret)
	}}
	r := conformance.Runner{Target: target}
	res := r.One(t.Context(), &c)
	_, signature, _ := strings.Cut(auth, ":")
	text := fmt.Sprint(res.Failure, res.Trace)
	for _, secret := range []string{"canary", signature} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in what is reported:\n%s", secret, text)
		}
	}
	for _, want := range []string{"[secret]", "[signature]", "connection_established"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in what is reported:\n%s", want, text)
		}
	}
}

// TestOrder: a seed is an order, results are in that of the cases all the same.
func TestOrder(t *testing.T) {
	order := func(seed uint64) (began []string) {
		var cases []conformance.Case
		for i := range 30 {
			id := fmt.Sprintf("T-%02d", i)
			cases = append(cases, conformance.Case{ID: id, Level: conformance.Must, Run: func(t *conformance.T) {
				began = append(began, t.Case.ID)
			}})
		}
		r := conformance.Runner{Shuffle: seed, Repeat: 2}
		results := r.Run(t.Context(), cases)
		if len(results) != 60 || results[0].Case.ID != "T-00" || results[59].Case.ID != "T-29" || results[59].Round != 1 {
			t.Errorf("seed %d: got %d results, and not in order", seed, len(results))
		}
		return began
	}
	inOrder, one, again, two := order(0), order(1), order(1), order(2)
	if !slices.IsSorted(inOrder[:30]) || !slices.IsSorted(inOrder[30:]) {
		t.Errorf("without a seed: got %v", inOrder)
	}
	if !slices.Equal(one, again) {
		t.Errorf("one seed, two orders:\n%v\n%v", one, again)
	}
	if slices.Equal(one, two) || slices.Equal(one, inOrder) || slices.Equal(one[:30], one[30:]) {
		t.Error("other seeds and other rounds have the same order")
	}
}

// TestSerial: a case that needs the app to itself has it.
func TestSerial(t *testing.T) {
	var running, most atomic.Int32
	var disturbed atomic.Bool
	var cases []conformance.Case
	for i := range 40 {
		serial := i%10 == 5
		cases = append(cases, conformance.Case{ID: fmt.Sprint(i), Level: conformance.Must, Serial: serial, Run: func(*conformance.T) {
			running.Add(1)
			defer running.Add(-1)
			for range 100 { // give others the chance to disturb
				runtime.Gosched()
				n := running.Load()
				if serial && n > 1 {
					disturbed.Store(true)
				}
				most.Store(max(most.Load(), n))
			}
		}})
	}
	r := conformance.Runner{Parallel: 4, Repeat: 20}
	r.Run(t.Context(), cases)
	if disturbed.Load() {
		t.Error("another case ran beside one that is alone")
	}
	if n := most.Load(); n < 2 || n > 4 {
		t.Errorf("%d cases ran at a time, want some, and at most 4", n)
	}
}

func TestStop(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cases := make([]conformance.Case, 10)
	for i := range cases {
		cases[i] = conformance.Case{ID: fmt.Sprint(i), Level: conformance.Must, Timing: true, Run: func(t *conformance.T) {
			if i == 3 {
				stop()
				t.Pass(time.Hour)
			}
		}}
	}
	r := conformance.Runner{Repeat: 2}
	results := r.Run(ctx, cases)
	for _, res := range results {
		if res.Outcome != conformance.Pass {
			t.Errorf("case %s is said to %s, and was stopped", res.Case.ID, res.Outcome)
		}
	}
	if n := len(results); n < 3 || n > 4 { // the next one may have been on its way
		t.Errorf("got %d results after a stop in the fourth case", n)
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, id string
		want        bool
	}{
		{"CON-01", "CON-01", true},
		{"con-01", "CON-01", true},
		{"CON-01", "CON-010", false},
		{"CON-*", "CON-01", true},
		{"CON-*", "CONX-01", false},
		{"*", "anything", true},
		{"*.utf8.*", "rfc6455.utf8.overlong", true},
		{"*.utf8", "rfc6455.utf8.overlong", false},
		{"a*b*c", "a-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"ab*b", "ab", false},
		{"", "x", false},
	}
	for _, test := range tests {
		if got := conformance.Match(test.pattern, test.id); got != test.want {
			t.Errorf("Match(%q, %q): got %t", test.pattern, test.id, got)
		}
	}
}

func TestSelect(t *testing.T) {
	all := []conformance.Case{{ID: "A-1"}, {ID: "A-2"}, {ID: "B-1"}}
	tests := map[string]struct {
		run, skip []string
		want      string // IDs, or what the error says
	}{
		"all":                        {nil, nil, "A-1 A-2 B-1"},
		"some":                       {[]string{"a-*"}, nil, "A-1 A-2"},
		"two patterns":               {[]string{"A-2", "B-*"}, nil, "A-2 B-1"},
		"without some":               {nil, []string{"A-*"}, "B-1"},
		"a pattern matches nothing":  {[]string{"A-*", "C-*"}, nil, `no case matches "C-*"`},
		"a skip that skips nothing":  {nil, []string{"C-1"}, `no case matches "C-1"`},
		"everything that is skipped": {[]string{"A-1"}, []string{"A-*"}, "no case matches"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cases, err := conformance.Select(all, test.run, test.skip)
			var ids []string
			for _, c := range cases {
				ids = append(ids, c.ID)
			}
			got := strings.Join(ids, " ")
			if err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestProfiles(t *testing.T) {
	all := []conformance.Case{
		{ID: "must", Level: conformance.Must},
		{ID: "may", Level: conformance.May},
		{ID: "waits", Level: conformance.Must, Timing: true},
		{ID: "heavy", Level: conformance.Must, Heavy: true},
		{ID: "should-in-reverb", Level: conformance.May, Reverb: conformance.Should},
	}
	tests := []struct {
		profile conformance.Profile
		dialect conformance.Dialect
		want    string
	}{
		{conformance.Full, conformance.Pusher, "must may waits heavy should-in-reverb"},
		{conformance.Core, conformance.Pusher, "must"},
		{conformance.Core, conformance.Reverb, "must should-in-reverb"},
		{conformance.Hosted, conformance.Pusher, "must may waits should-in-reverb"},
	}
	for _, test := range tests {
		var ids []string
		for _, c := range test.profile.Cases(all, test.dialect) {
			ids = append(ids, c.ID)
		}
		if got := strings.Join(ids, " "); got != test.want {
			t.Errorf("%s in %s: got %s, want %s", test.profile, test.dialect, got, test.want)
		}
	}
}

func TestKnownList(t *testing.T) {
	c := conformance.Case{ID: "A-1"}
	results := []conformance.Result{
		{Case: &c, Outcome: conformance.Fail, Failure: conformance.Failure{Message: "status", Expected: "200", Actual: "500\nsorry"}},
		{Case: &c, Outcome: conformance.Fail, Round: 1},
		{Case: &conformance.Case{ID: "A-2"}, Outcome: conformance.Known, Reason: "issue 7"},
		{Case: &conformance.Case{ID: "A-3"}, Outcome: conformance.Pass},
	}
	var b strings.Builder
	if err := conformance.WriteKnown(&b, results); err != nil {
		t.Fatal(err)
	}
	known, err := conformance.ReadKnown(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if len(known) != 2 || known["A-1"] != "status: expected 200, got 500 sorry" || known["A-2"] != "issue 7" {
		t.Errorf("got %v from:\n%s", known, &b)
	}
	if _, err := conformance.ReadKnown(strings.NewReader("# x\n\nA-1\n")); err == nil || !strings.Contains(err.Error(), "line 3: A-1 has no reason") {
		t.Errorf("got %v, want an error about line 3", err)
	}
}

func TestPreflight(t *testing.T) {
	tests := map[string]struct {
		says  string
		cause conformance.Cause
	}{
		"a server of the protocol":            {greeting, ""},
		"an app that it does not know":        {`{"event":"pusher:error","data":{"code":4001,"message":"no"}}`, conformance.BadCredentials},
		"a WebSocket of another kind":         {`hello`, conformance.NotPusher},
		"a WebSocket with JSON of its own":    {`{"type":"hello"}`, conformance.NotPusher},
		"events that are none of the greeted": {`{"event":"news","data":""}`, conformance.NotPusher},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { wantCause(t, fake(t, test.says), test.cause) })
	}
	for status, cause := range map[int]conformance.Cause{
		200: conformance.NotPusher, 404: conformance.NotPusher, 401: conformance.BadCredentials,
		403: conformance.BadCredentials, 502: conformance.Unreachable,
	} {
		t.Run(fmt.Sprintf("a web server that answers %d", status), func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
			defer s.Close()
			target := fake(t)
			target.URLs[0].Host = strings.TrimPrefix(s.URL, "http://")
			wantCause(t, target, cause)
		})
	}
	for status, cause := range map[int]conformance.Cause{
		200: conformance.NotPusher, 404: conformance.BadCredentials, 401: conformance.BadCredentials, 500: conformance.NotPusher,
	} {
		t.Run(fmt.Sprintf("an HTTP API that answers %d", status), func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
			defer s.Close()
			target := fake(t, greeting)
			target.HTTP.Host = strings.TrimPrefix(s.URL, "http://")
			wantCause(t, target, cause)
		})
	}
	t.Run("nobody", func(t *testing.T) {
		s := httptest.NewServer(nil)
		s.Close()
		target := fake(t, greeting)
		target.HTTP.Host = strings.TrimPrefix(s.URL, "http://")
		wantCause(t, target, conformance.Unreachable)
		target.URLs[0].Host = target.HTTP.Host
		wantCause(t, target, conformance.Unreachable)
	})
}

func wantCause(t *testing.T, target conformance.Target, cause conformance.Cause) {
	t.Helper()
	err := conformance.Preflight(t.Context(), target)
	if cause == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	u, ok := err.(*conformance.Unready)
	if !ok || u.Cause != cause || u.Advice == "" || strings.Contains(u.Error(), "canary") || strings.Contains(u.Error(), "auth_signature") {
		t.Errorf("got %v, want %q with advice, and no secret", err, cause)
	}
}

// TestDoctor finds in our server what its target file says.
func TestDoctor(t *testing.T) {
	target := startServer(t, conformance.Pusher)
	target.Timeout = 5 * time.Second // for what it cannot do, too
	for _, f := range conformance.Doctor(t.Context(), target) {
		if f.Asked && f.Has != target.Has(f.Capability) {
			t.Errorf("%s: found %t (%s), claimed %t", f.Capability, f.Has, f.Detail, target.Has(f.Capability))
		}
	}
}
