package plugintest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/revurb/revurb/hooks/kv"
)

// compare returns what of g is not as w wants it.
func (w *Want) compare(g *Got, store *kv.Store, fuel int64) (wrong []string) {
	differ := func(what, want, got string) { wrong = append(wrong, diff(what, want, got)) }
	switch {
	case w.Failure == "" && g.Failure != "":
		return []string{"the plugin fails: " + g.Failure}
	case w.Failure != "" && g.Failure == "":
		differ("failure", w.Failure, "none; status "+g.Status)
	case !strings.Contains(g.Failure, w.Failure):
		differ("failure", w.Failure, g.Failure)
	}
	if w.Status != "" && w.Status != g.Status {
		got := g.Status
		if g.Message != nil {
			got += ", " + quoted(g.Message)
		}
		differ("status", w.Status, got)
	}
	if w.Code != nil && *w.Code != g.Code {
		differ("code", fmt.Sprint(*w.Code), fmt.Sprint(g.Code))
	}
	for _, f := range []struct {
		name      string
		want, got *string
	}{
		{"message", w.Message, g.Message},
		{"event", w.Event, g.Event},
		{"data", w.Data, g.Data},
		{"user_id", w.UserID, g.UserID},
		{"user_info", w.UserInfo, g.UserInfo},
	} {
		if f.want != nil && (f.got == nil || !same(*f.want, *f.got)) {
			differ(f.name, *f.want, quoted(f.got))
		}
	}
	wrong = append(wrong, w.compareEffects(g, store)...)
	if w.FuelMax > 0 && fuel > w.FuelMax {
		differ("fuel_max", fmt.Sprint(w.FuelMax), fmt.Sprint(fuel))
	}
	return wrong
}

// compareEffects is compare for what the plugin does beside its verdict.
func (w *Want) compareEffects(g *Got, store *kv.Store) (wrong []string) {
	if w.Log != nil && !slices.EqualFunc(w.Log, g.Log, func(part, line string) bool { return strings.Contains(line, part) }) {
		wrong = append(wrong, diff("log", strings.Join(w.Log, "\n"), strings.Join(g.Log, "\n")))
	}
	if w.Publish != nil && !slices.EqualFunc(w.Publish, g.Publish, func(a, b Published) bool {
		return a.Channel == b.Channel && a.Event == b.Event && same(a.Data, b.Data)
	}) {
		wrong = append(wrong, diff("publish", published(w.Publish), published(g.Publish)))
	}
	for _, key := range slices.Sorted(maps.Keys(w.KV)) {
		want, err := kept(w.KV[key])
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("kv %s: %v", key, err))
			continue
		}
		got, ok := store.Get([]byte(key), nil)
		switch {
		case !ok:
			wrong = append(wrong, diff("kv "+key, show(want), "nothing"))
		case !bytes.Equal(want, got):
			wrong = append(wrong, diff("kv "+key, show(want), show(got)))
		}
	}
	return wrong
}

// same reports whether a and b are the same text, or the same JSON.
func same(a, b string) bool {
	if a == b {
		return true
	}
	x, ok := parse(a)
	y, ok2 := parse(b)
	return ok && ok2 && reflect.DeepEqual(x, y)
}

// parse reads s as JSON, with numbers as they are written.
func parse(s string) (v any, ok bool) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if !json.Valid([]byte(s)) {
		return nil, false
	}
	return v, d.Decode(&v) == nil
}

// diff says what was wanted and what has come, one below the other.
func diff(what, want, got string) string {
	indent := func(s string) string { return strings.ReplaceAll(s, "\n", "\n      ") }
	return what + "\n  want " + indent(want) + "\n  got  " + indent(got)
}

func quoted(s *string) string {
	if s == nil {
		return "nothing"
	}
	return *s
}

func published(all []Published) string {
	lines := make([]string, len(all))
	for i, p := range all {
		lines[i] = fmt.Sprintf("%s %s %s", p.Channel, p.Event, p.Data)
	}
	return strings.Join(lines, "\n")
}

// show is a value that is kept, for people: eight bytes with one that no text has
// are a counter.
func show(b []byte) string {
	if len(b) == 8 && bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' }) {
		var n uint64
		for i := 7; i >= 0; i-- {
			n = n<<8 | uint64(b[i])
		}
		return fmt.Sprint(int64(n))
	}
	return fmt.Sprintf("%q", b)
}
