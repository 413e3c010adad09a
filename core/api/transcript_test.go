package api_test

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
)

// TestTranscripts plays the stories of testdata, one for each endpoint: what a
// backend asks and, under the line of dashes, what it is answered and what every
// client then receives.
//
// After a change of behavior that you mean, run
//
//	go test ./core/api -run Transcripts -rewrite
//
// and read the diff: it is the change as backends see it.
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newStage(t, options{})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "app" {
				s = newStage(t, options{app: func(a *app.App) { change(t, d, a) }})
				return ""
			}
			s.t = t
			return s.act(t, d)
		})
	})
}

// change sets settings of the app that the story is of.
func change(t *testing.T, d *datadriven.TestData, a *app.App) {
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return n
	}
	set := map[string]func(string){
		"dialect":                func(v string) { *a = defaults(a, protocol.Dialect(v)) },
		"enabled":                func(v string) { a.Enabled = v == "true" },
		"max_event_size":         func(v string) { a.MaxEventSize = number(v) },
		"max_channels_per_event": func(v string) { a.MaxChannelsPerEvent = number(v) },
	}
	for _, arg := range d.CmdArgs {
		if set[arg.Key] == nil {
			d.Fatalf(t, "the story cannot set %q", arg.Key)
		}
		set[arg.Key](arg.Vals[0])
	}
}

// defaults is a as it would be in dialect d.
func defaults(a *app.App, d protocol.Dialect) app.App {
	b := app.Default(d)
	b.ID, b.Key, b.Secret = a.ID, a.Key, a.Secret
	return b
}

// act does one command:
//
//	app KEY=VALUE...                 starts anew, with other settings of the app
//	join NAME CHANNEL [user=ID]      a client subscribes, after it connected
//	signin NAME USER                 it signs in, after it connected
//	leave NAME                       it goes away
//	request                          the backend sends what is on the lines below, signed:
//	                                 METHOD PATH?QUERY, and then the body. {NAME} is the
//	                                 socket ID of the client called NAME.
func (s *stage) act(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "join":
		user := ""
		d.MaybeScanArgs(t, "user", &user)
		s.join(d.CmdArgs[0].Key, d.CmdArgs[1].Key, user)
		return ""
	case "signin":
		s.signIn(d.CmdArgs[0].Key, d.CmdArgs[1].Key)
		return ""
	case "leave":
		s.leave(d.CmdArgs[0].Key)
		return ""
	case "request":
		return s.ask(t, d)
	}
	d.Fatalf(t, "unknown command %q", d.Cmd)
	return ""
}

func (s *stage) ask(t *testing.T, d *datadriven.TestData) string {
	input := d.Input
	for name, c := range s.clients {
		input = strings.ReplaceAll(input, "{"+name+"}", c.session.ID)
	}
	line, body, _ := strings.Cut(input, "\n")
	method, target, ok := strings.Cut(line, " ")
	if !ok {
		d.Fatalf(t, "%q is no METHOD PATH", line)
	}
	path, query, _ := strings.Cut(target, "?")
	signed, err := url.PathUnescape(query)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return s.told(s.do(call{method: method, path: path, query: query, signed: signed, body: body}))
}

// varying is what is another in each run.
var varying = []struct {
	pattern     *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(`auth_timestamp=\d+`), "auth_timestamp=NOW"},
	{regexp.MustCompile(`[0-9a-f]{64}`), "SIGNATURE"},
}

// told is a response, and what the clients received of it.
func (s *stage) told(r result) string {
	lines := []string{strconv.Itoa(r.status) + " " + r.header.Get("Content-Type")}
	for _, h := range []string{"Allow", "Retry-After", "Connection"} {
		if v := r.header.Get(h); v != "" {
			lines = append(lines, h+": "+v)
		}
	}
	body := strings.TrimSuffix(r.body, "\n")
	for _, v := range varying {
		body = v.pattern.ReplaceAllString(body, v.replacement)
	}
	lines = append(lines, body)
	heard := s.heard()
	for _, name := range slices.Sorted(maps.Keys(heard)) {
		for _, payload := range heard[name] {
			lines = append(lines, name+": "+payload)
		}
	}
	return strings.Join(lines, "\n")
}
