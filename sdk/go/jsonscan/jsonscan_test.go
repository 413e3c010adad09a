package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/revurb/revurb/sdk/go/jsonscan"
)

// What encoding/json reads, jsonscan reads, and it reads the same.
func FuzzStringIsWhatJSONSays(f *testing.F) {
	for _, s := range []string{`{"a":"x"}`, `{"a":"\u00e9\ud83d\ude00","b":[{"a":"]"}]}`, `{"a":"1","a":"2"}`, `{"\u0061":"\\"}`, `{"b":1,"a":"\ud800"}`, `{}`, `[]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var want map[string]json.RawMessage
		if !json.Valid(doc) || bytes.ContainsFunc(doc, func(r rune) bool { return r == '\ufffd' }) || json.Unmarshal(doc, &want) != nil || want == nil {
			return
		}
		var text string
		isText := json.Unmarshal(want["a"], &text) == nil && len(want["a"]) > 0 && want["a"][0] == '"'
		got, ok := jsonscan.String(doc, "a")
		if ok != isText || ok && string(got) != text {
			t.Fatalf("%q: got %q, %v; want %q, %v", doc, got, ok, text, isText)
		}
		set, ok := jsonscan.Set(nil, doc, "a", []byte(`"new"`))
		if got, _ := jsonscan.String(set, "a"); !ok || !json.Valid(set) || string(got) != "new" {
			t.Fatalf("set %q: %q", doc, set)
		}
	})
}

func TestLookingUpLeavesNoGarbage(t *testing.T) {
	doc := []byte(`{"x":{"a":[1,2]},"user":{"id":"u1"}}`)
	if n := testing.AllocsPerRun(100, func() {
		if s, ok := jsonscan.String(doc, "user", "id"); !ok || len(s) != 2 {
			t.Fatal("not found")
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
