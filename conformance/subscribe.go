package conformance

import (
	"encoding/json"
	"fmt"

	"github.com/revurb/revurb/conformance/client"
)

// Auth is the auth for a subscription of this connection; data is its
// channel_data, or "".
func (c *Conn) Auth(channel, data string) string {
	return client.ChannelAuth(c.app.Key, c.app.Secret, c.SocketID, channel, data)
}

// SendSubscribe asks for a channel as a client does: signed if its name asks
// for it.
func (c *Conn) SendSubscribe(channel string) {
	if needsAuth(channel) {
		c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel":%s}}`, c.Auth(channel, ""), channel)
		return
	}
	c.Sendf(`{"event":"pusher:subscribe","data":{"auth":"","channel":%s}}`, channel)
}

func needsAuth(channel string) bool {
	return len(channel) >= 8 && channel[:8] == "private-" || len(channel) >= 9 && channel[:9] == "presence-"
}

// Subscribe subscribes and waits until that has succeeded. It passes over
// pusher:cache_miss only if the case asks for it itself: a cache channel says
// more than this.
func (c *Conn) Subscribe(channel string) {
	c.SendSubscribe(channel)
	c.ExpectData("pusher_internal:subscription_succeeded", channel, "{}")
}

// Unsubscribe unsubscribes, and waits until that is done.
func (c *Conn) Unsubscribe(channel string) {
	c.Sendf(`{"event":"pusher:unsubscribe","data":{"channel":%s}}`, channel)
	c.ExpectNothing("unsubscribing has no answer")
}

// SendPresence asks for a presence channel with the given channel_data.
func (c *Conn) SendPresence(channel, data string) {
	c.Sendf(`{"event":"pusher:subscribe","data":{"auth":%s,"channel_data":%s,"channel":%s}}`, c.Auth(channel, data), data, channel)
}

// Members is what a new member of a presence channel is told.
type Members struct {
	Count int
	IDs   []string
	Hash  map[string]json.RawMessage
}

// SubscribePresence subscribes to a presence channel as the user with the given
// ID, and returns the members.
func (c *Conn) SubscribePresence(channel, user string) Members {
	data, err := json.Marshal(map[string]any{"user_id": user, "user_info": map[string]string{"name": user}})
	if err != nil {
		c.t.Errorf("encode channel_data: %v", err)
	}
	return c.SubscribePresenceData(channel, string(data))
}

// SubscribePresenceData is SubscribePresence with channel_data as it is given.
func (c *Conn) SubscribePresenceData(channel, data string) Members {
	c.SendPresence(channel, data)
	return c.ExpectMembers(channel)
}

// ExpectMembers reads the answer to a subscription to a presence channel.
func (c *Conn) ExpectMembers(channel string) Members {
	m := c.Expect("pusher_internal:subscription_succeeded", channel)
	text, _ := m.DataString()
	var p struct{ Presence *Members }
	if err := json.Unmarshal([]byte(text), &p); err != nil || p.Presence == nil {
		c.t.Mismatch("data of subscription_succeeded", `{"presence":{"ids":[strings],"hash":{…},"count":n}}`, m.Text)
	}
	members := *p.Presence
	if members.IDs == nil || members.Hash == nil || members.Count != len(members.IDs) || len(members.Hash) != len(members.IDs) {
		c.t.Mismatch("members (rule 13)", "ids, a hash with a key for each of them, and their count", m.Text)
	}
	for _, id := range members.IDs {
		if _, ok := members.Hash[id]; !ok {
			c.t.Mismatch("members (rule 13: .NET throws without it)", "a key in hash for "+id, m.Text)
		}
	}
	return members
}

// ExpectMember waits for member_added or member_removed of a user.
func (c *Conn) ExpectMember(event, channel, user string) Message {
	m := c.Expect("pusher_internal:"+event, channel)
	text, _ := m.DataString()
	var data struct {
		UserID json.RawMessage `json:"user_id"`
	}
	var id string
	err := json.Unmarshal([]byte(text), &data)
	if err != nil || json.Unmarshal(data.UserID, &id) != nil || id != user {
		c.t.Mismatch("data of "+event, fmt.Sprintf("a string that holds an object with the user_id %q", user), m.Text)
	}
	return m
}

// SendEvent sends a client event, with data that is JSON.
func (c *Conn) SendEvent(event, channel, data string) {
	c.Sendf(`{"event":%s,"channel":%s,"data":`+data+`}`, event, channel)
}
