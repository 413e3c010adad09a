package conn_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

// plugin does "plugin NAME HOOK=STATUS [mode=replace] [on_error=skip]": from now
// on there is a plugin that decides so. The lines below are fields of its
// verdict, as "message: no", and under which condition it has an opinion at all,
// as "if: damn", which is to be in the data, the event's name, auth or a client's
// origin. The status "fail" is no verdict.
func (s *stage) plugin(t *testing.T, d *datadriven.TestData) {
	set, condition := fields(t, d)
	e := hooks.Entry{}
	does := map[abi.Hook]hookstest.Func{}
	for _, arg := range d.CmdArgs[1:] {
		switch arg.Key {
		case "mode":
			e.Replace = arg.Vals[0] == "replace"
			continue
		case "on_error":
			for h := range e.OnError {
				e.OnError[h] = map[string]hooks.Policy{"allow": hooks.FailAllow, "skip": hooks.FailSkip}[arg.Vals[0]]
			}
			continue
		}
		h, ok := abi.ParseHook(arg.Key)
		if !ok {
			d.Fatalf(t, "unknown hook %q", arg.Key)
		}
		status, ok := abi.ParseStatus(arg.Vals[0])
		if !ok && arg.Vals[0] != "fail" {
			d.Fatalf(t, "unknown status %q", arg.Vals[0])
		}
		does[h] = func(_ context.Context, e *hooks.Event, v *hooks.Verdict) error {
			v.Reset(abi.Continue)
			about := e.Data + " " + e.Name + " " + e.Auth
			if e.Client != nil {
				about += " " + e.Client.Origin
			}
			switch {
			case !strings.Contains(about, condition):
			case !ok:
				return errors.New("it has trapped")
			default:
				v.Reset(status)
				set(v)
			}
			return nil
		}
	}
	e.Plugin = hookstest.New(d.CmdArgs[0].Key, does)
	s.plugins = append(s.plugins, hooks.NewMember(e, slog.New(slog.DiscardHandler)))
	all, err := hooks.NewSet(s.plugins...)
	if err != nil {
		t.Fatal(err)
	}
	s.hooks.Swap(all)
	t.Cleanup(func() { s.hooks.Swap(nil) })
}

// fields reads the lines below a plugin.
func fields(t *testing.T, d *datadriven.TestData) (set func(*hooks.Verdict), condition string) {
	code := 0
	text := map[string][]byte{}
	for line := range strings.Lines(d.Input) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case !ok:
			d.Fatalf(t, "%q is no field", line)
		case key == "if":
			condition = value
		case key == "code":
			code, _ = strconv.Atoi(value)
		default:
			text[key] = []byte(value)
		}
	}
	return func(v *hooks.Verdict) {
		v.Code, v.Message, v.Event, v.Data = code, text["message"], text["event"], text["data"]
		v.UserID, v.UserInfo = text["user_id"], text["user_info"]
	}, condition
}

// unplug does "unplug": there are no plugins anymore.
func (s *stage) unplug() {
	s.plugins = nil
	s.hooks.Swap(nil)
}

// subscribeAs does "subscribe-as NAME CHANNEL AUTH": a client subscribes with
// whatever it has in place of a signature, which may be nothing.
func (s *stage) subscribeAs(t *testing.T, d *datadriven.TestData) {
	token := ""
	if len(d.CmdArgs) > 2 {
		token = fmt.Sprintf(`"auth":%q,`, d.CmdArgs[2].Key)
	}
	s.client(t, d).conn.Handle(t.Context(), fmt.Appendf(nil, `{"event":"pusher:subscribe","data":{%s"channel":%q}}`, token, d.CmdArgs[1].Key))
}
