package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/user"
)

// Signin is what a client shows when it signs in.
type Signin struct {
	Auth     string // "key:signature"
	UserData string // exactly as it was sent and signed
}

// identity is the user whom a connection has signed in as.
type identity struct {
	id        string
	info      json.RawMessage // user_info as it was signed, an object; nil is none
	watchlist []string        // without repetitions
}

// SignIn makes s a connection of a user, and tells it so. Who has signed in
// stays who it is: as somebody else it is refused, and as the same user it is
// told again, without a change of what was signed first. The error is a
// *protocol.Error if the client is to blame.
func (h *Hub) SignIn(ctx context.Context, s *Session, in Signin) error {
	if err := authenticate(s, in); err != nil {
		return err
	}
	id, err := parseUser(s.App, in.UserData)
	switch {
	case err != nil:
		return err
	case s.user != nil && s.user.id != id.id:
		return protocol.Unauthenticated("Connection is already signed in as another user")
	case s.user != nil:
		s.Reply(signedIn(in))
		return nil
	}
	if err := h.askSignin(ctx, s, in, id); err != nil {
		return err
	}
	var friends []string
	if s.App.Watchlist {
		friends = id.watchlist[:min(len(id.watchlist), maxWatched)]
	}
	defer h.tellAll(watchTopics(s.App, append(friends[:len(friends):len(friends)], id.id)))()
	first, err := h.ports.Users.SignIn(ctx, user.User{App: s.App.ID, ID: id.id}, s.ID)
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	s.user = id
	s.authorized.Store(true)
	s.t.know(id.id, s)
	if first && h.ports.Cluster == nil {
		h.tellWatchers(ctx, s.App, id.id, online)
	}
	s.Reply(signedIn(in))
	if s.App.Watchlist && len(id.watchlist) > maxWatched {
		s.Fail(protocol.ErrWatchlistLimit)
	}
	h.watch(ctx, s, friends)
	return nil
}

// signOut takes s from the connections of its user, and from those who watch
// others.
func (h *Hub) signOut(ctx context.Context, s *Session) {
	if s.user == nil {
		return
	}
	for _, ch := range s.watching {
		h.unwatch(ctx, s, ch)
	}
	s.watching = nil
	defer h.tell(watchTopic(s.App, s.user.id))()
	s.t.forget(s.user.id, s)
	last, err := h.ports.Users.SignOut(ctx, user.User{App: s.App.ID, ID: s.user.id}, s.ID)
	if err != nil {
		h.log.Error("sign out", "app", s.App.ID, "err", err)
		return
	}
	if last && h.ports.Cluster == nil {
		h.tellWatchers(ctx, s.App, s.user.id, offline)
	}
}

// authenticate checks the signature of the app's backend.
func authenticate(s *Session, in Signin) error {
	text := auth.UserText(s.ID, in.UserData)
	if in.Auth == "" {
		return protocol.Unauthenticated("Auth info required to sign in")
	}
	key, signature, ok := auth.Token(in.Auth)
	switch {
	case !ok:
		return protocol.Unauthenticated("Auth value for signin is invalid: should be of format 'key:signature'")
	case key != s.App.Key:
		return protocol.Unauthenticated(fmt.Sprintf("Invalid key in signin auth data: '%s'", clip(key)))
	case !auth.Equal(s.App.Secret, text, signature):
		return protocol.Unauthenticated(fmt.Sprintf(
			"Invalid signature: Expected HMAC SHA256 hex digest of %s, but got %s", text, clip(signature)))
	}
	return nil
}

// parseUser reads the user_data of a sign-in: {"id": string, "user_info":
// object, "watchlist": array of strings}, of which only the first must be
// there. What else the backend puts there is nobody's business.
func parseUser(a *app.App, data string) (*identity, error) {
	id := new(identity)
	err := protocol.Fields([]byte(data), func(key string, value []byte) (err error) {
		switch key {
		case "id":
			if id.id, err = protocol.String(value); err == nil {
				err = checkUserID(a, id.id)
			}
		case "user_info":
			switch {
			case string(value) == "null":
			case value[0] != '{':
				return errors.New("it must be an object")
			default:
				id.info = bytes.Clone(value) // the rest is not kept for its sake
			}
		case "watchlist":
			id.watchlist, err = parseWatchlist(value)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, protocol.Unauthenticated("Invalid user_data for signin: " + err.Error())
	case id.id == "":
		return nil, protocol.Unauthenticated("Invalid user_data for signin: it has no id")
	}
	return id, nil
}

// checkUserID takes what can be the end of a channel's name.
func checkUserID(a *app.App, id string) error {
	switch {
	case id == "":
		return errors.New("it is empty")
	case a.MaxUserID > 0 && len(id) > a.MaxUserID:
		return fmt.Errorf("it is %d bytes long, of at most %d", len(id), a.MaxUserID)
	case !channel.ValidName(id, 0):
		return errors.New("it may have letters, digits and _-=@,.; in it")
	}
	return nil
}

// parseWatchlist reads a list of users, of whom each is kept once.
func parseWatchlist(value []byte) ([]string, error) {
	if string(value) == "null" {
		return nil, nil
	}
	var all []string
	if err := json.Unmarshal(value, &all); err != nil {
		return nil, errors.New("it must be an array of strings")
	}
	seen := make(map[string]bool, len(all))
	kept := all[:0]
	for _, id := range all {
		if id == "" {
			return nil, errors.New("a user ID is empty")
		}
		if !seen[id] {
			seen[id] = true
			kept = append(kept, id)
		}
	}
	return kept, nil
}

// signedIn is the answer to who has signed in. Some clients take user_data for
// anything but the very string that they sent.
func signedIn(in Signin) protocol.Message {
	data := protocol.AppendString([]byte(`{"user_data":`), in.UserData)
	return protocol.Message{Event: protocol.EventSigninSuccess, Data: protocol.Text(append(data, '}'))}
}

// member is who a connection that has signed in is in a presence channel, where
// its subscription does not say so itself.
func (id *identity) member(a *app.App, name string) (presence.Member, error) {
	if size := len(id.id) + len(id.info); a.MaxPresenceMemberSize > 0 && size > a.MaxPresenceMemberSize {
		return presence.Member{}, protocol.Rejected(name, "id and user_info are %d bytes long, of at most %d", size, a.MaxPresenceMemberSize)
	}
	return presence.Member{UserID: id.id, Info: id.info}, nil
}

// owns reports whether s has signed in as the user whose channel this is.
func (s *Session) owns(userID string) bool { return s.user != nil && s.user.id == userID }
