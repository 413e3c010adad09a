package conformance

import (
	"encoding/json"

	"github.com/revurb/revurb/conformance/client"
)

// UserAuth is the auth of a sign-in on this connection.
func (c *Conn) UserAuth(userData string) string {
	return client.UserAuth(c.app.Key, c.app.Secret, c.SocketID, userData)
}

// SendSignin asks to be signed in, with the auth that is given.
func (c *Conn) SendSignin(auth, userData string) {
	c.Sendf(`{"event":"pusher:signin","data":{"auth":%s,"user_data":%s}}`, auth, userData)
}

// SignIn signs in, and waits until that has succeeded.
func (c *Conn) SignIn(userData string) {
	c.SendSignin(c.UserAuth(userData), userData)
	c.ExpectSignin(userData)
}

// ExpectSignin reads the answer to a sign-in, which must have the same
// user_data. Clients read its data as an object or as a string that holds one.
func (c *Conn) ExpectSignin(userData string) {
	m := c.Expect("pusher:signin_success", "")
	data := []byte(m.Data)
	if s, ok := m.DataString(); ok {
		data = []byte(s)
	}
	var got struct {
		UserData *string `json:"user_data"`
	}
	if err := json.Unmarshal(data, &got); err != nil || got.UserData == nil || *got.UserData != userData {
		c.t.Mismatch("data of pusher:signin_success (rule 24)", "user_data, which is the string that was sent: "+userData, m.Text)
	}
}
