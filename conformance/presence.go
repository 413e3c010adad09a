package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/revurb/revurb/conformance/client"
)

// awaitSubscriptions waits until n connections are in a channel. Where the
// target does not say how many there are, which it need not, there is nothing
// to wait for.
func (t *T) awaitSubscriptions(channel string, n float64) {
	t.Eventually("the connections that have left are not counted", func() bool {
		res := t.Do(Request{Path: "/channels/" + channel, Query: []client.Param{{Name: "info", Value: "subscription_count"}}})
		if res.Status != http.StatusOK {
			return true
		}
		count, ok := t.Object(res)["subscription_count"]
		return !ok || count == n
	})
}

// ExpectMembers ends the case if the members are others than users.
func (t *T) ExpectMembers(m Members, users ...string) {
	ids := slices.Sorted(slices.Values(m.IDs))
	slices.Sort(users)
	if !slices.Equal(ids, users) {
		t.Mismatch("ids of the members", fmt.Sprintf("%q", users), fmt.Sprintf("%q", ids))
	}
}

// ExpectSameJSON ends the case if two texts stand for different values.
func (t *T) ExpectSameJSON(what, want, got string) {
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Errorf("decode %s: %v", want, err)
	}
	if json.Unmarshal([]byte(got), &g) != nil || !reflect.DeepEqual(w, g) {
		t.Mismatch(what, want, got)
	}
}

// expectRemoved expects c to be told once that a user has left.
func (t *T) expectRemoved(c *Conn, room, user string) {
	text, _ := c.ExpectMember("member_removed", room, user).DataString()
	t.ExpectSameJSON("data of member_removed", `{"user_id":`+t.JSON(user)+`}`, text)
	t.ExpectNothingOn(c, room, "a user leaves once")
}

// UserOf is the user that member_added or member_removed tells of.
func (t *T) UserOf(m Message) string {
	text, _ := m.DataString()
	var data struct {
		UserID string `json:"user_id"`
	}
	if err := json.Unmarshal([]byte(text), &data); err != nil || data.UserID == "" {
		t.Mismatch("what a member is told", "member_added or member_removed, with a user_id", m.String())
	}
	return data.UserID
}
