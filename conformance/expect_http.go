package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// ExpectText ends the case if the body of a response does not contain text.
func (t *T) ExpectText(r Response, text string) {
	if !strings.Contains(r.Body, text) {
		t.Mismatch(fmt.Sprintf("body of the answer %d", r.Status), "it contains "+text, r.Body)
	}
}

// ExpectEmpty ends the case if the body of a response is not an empty object.
func (t *T) ExpectEmpty(r Response) {
	if v := t.Object(r); len(v) != 0 {
		t.Mismatch("body", "{}", r.Body)
	}
}

// ExpectRefused sends r and expects one of statuses, and an error that is said
// in words.
func (t *T) ExpectRefused(r Request, statuses ...int) Response {
	res := t.ExpectStatus(r, statuses...)
	if strings.TrimSpace(res.Body) == "" {
		t.Mismatch("body of an error", "words that say what is wrong: libraries show them as they are", "none")
	}
	return res
}

// bad is the status of a request that is malformed: Laravel Reverb has 422 for
// what it validates.
func (t *T) bad() []int {
	if t.Target.Dialect == Reverb {
		return []int{http.StatusBadRequest, http.StatusUnprocessableEntity}
	}
	return []int{http.StatusBadRequest}
}

// event is the body that publishes an event to a channel.
func (t *T) event(channel string) string {
	return t.JSON(Publishing{Name: "e", Channel: channel, Data: "{}"})
}

// field is a value in the JSON of a response.
type field struct {
	t     *T
	what  string
	value any
	ok    bool
}

// Field is the value in v that a path of keys leads to.
func (t *T) Field(v map[string]any, path ...string) field {
	f := field{t: t, what: strings.Join(path, "."), value: v, ok: true}
	for _, key := range path {
		object, _ := f.value.(map[string]any)
		if f.value, f.ok = object[key]; !f.ok {
			return f
		}
	}
	return f
}

// is ends the case if the value is not want; numbers are whole ones.
func (f field) is(want any) {
	got := f.value
	if n, whole := got.(float64); whole && n == float64(int(n)) {
		got = int(n)
	}
	if !f.ok || !reflect.DeepEqual(got, want) {
		f.t.Mismatch(f.what+" of the answer", asJSON(want), f.String())
	}
}

// missing ends the case if there is such a value.
func (f field) missing() {
	if f.ok {
		f.t.Mismatch(f.what+" of the answer", "it is left out", f.String())
	}
}

func (f field) String() string {
	if !f.ok {
		return "it is left out"
	}
	return asJSON(f.value)
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// expectOnlyFence publishes to a channel of c, and expects nothing before that.
func (c *Conn) expectOnlyFence(channel, why string) { c.t.ExpectNothingOn(c, channel, why) }

// expectEvents expects events of the given names on a channel, in their order.
func (c *Conn) expectEvents(channel string, names ...string) {
	for _, name := range names {
		c.Expect(name, channel)
	}
}

// userIDs are the IDs in the answer to GET /channels/{channel}/users, sorted.
func (t *T) userIDs(channel string) []string {
	v := t.Get("/channels/" + channel + "/users")
	list, ok := v["users"].([]any)
	if !ok {
		t.Mismatch("users of the answer", "an array", asJSON(v))
	}
	ids := make([]string, len(list))
	for i, item := range list {
		user, _ := item.(map[string]any)
		if ids[i], ok = user["id"].(string); !ok {
			t.Mismatch("a user of the answer", `{"id": a string}`, asJSON(item))
		}
	}
	slices.Sort(ids)
	return ids
}
