package hub

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// HasPlugins reports whether there are plugins, for which it is worth knowing
// how a client has connected.
func (h *Hub) HasPlugins() bool { return h.ports.Hooks.Any() }

// happens is what plugins are told of s, and of a channel unless it is "".
func (s *Session) happens(name string) hooks.Event {
	e := hooks.Event{App: s.App.ID, SocketID: s.ID, Channel: name, Client: s.client}
	if s.user != nil {
		e.UserID, e.UserInfo = s.user.id, string(s.user.info)
	}
	if name == "" {
		return e
	}
	if channel.KindOf(name).Cache {
		e.Flags |= abi.CacheEvent
	}
	if sub := s.subs[name]; sub != nil && sub.userID != "" {
		e.UserID = sub.userID
	}
	if ch := s.t.channel(name); ch != nil {
		e.Subscribers = ch.Len()
	}
	return e
}

// askConnect asks whether s may be connected. Who is refused because a plugin
// fails comes back later: it is not the client's fault.
func (h *Hub) askConnect(ctx context.Context, s *Session) error {
	if !h.ports.Hooks.Has(abi.OnConnect) {
		return nil
	}
	e := s.happens("")
	_, err := h.ports.Hooks.Ask(ctx, abi.OnConnect, &e)
	var no *hooks.Denied
	if !errors.As(err, &no) {
		return err
	}
	code := no.Code
	switch {
	case no.Failed:
		code = protocol.ErrOverCapacity.Code
	case code == 0:
		code = protocol.ErrOrigin.Code
	}
	return &protocol.Error{Code: code, Message: no.Message, Closes: true}
}

// grant is what a plugin says of whom it lets into a channel.
type grant struct {
	userID string // "" leaves that to channel_data
	info   string // user_info; "" likewise
}

// authorize checks whether s may subscribe to a private or presence channel: by
// the signature of the app's backend and by the plugins.
func (h *Hub) authorize(ctx context.Context, s *Session, sub Subscription) (g grant, err error) {
	if !h.ports.Hooks.Has(abi.Authorize) {
		return g, checkSignature(s, sub)
	}
	e := s.happens(sub.Channel)
	e.UserID, e.UserInfo = "", ""
	e.Data, e.HasData, e.Auth = sub.ChannelData, sub.ChannelData != "", sub.Auth
	err = h.ports.Hooks.Authorize(ctx, &e, func() error { return checkSignature(s, sub) })
	var no *hooks.Denied
	if errors.As(err, &no) {
		return g, deniedSubscription(sub.Channel, no)
	}
	return grant{e.UserID, e.UserInfo}, err
}

func deniedSubscription(name string, no *hooks.Denied) error {
	status := 403
	if no.Failed {
		status = 503
	}
	return protocol.Denied(name, no.Code, status, no.Message)
}

// member returns who s becomes in a presence channel.
func (s *Session) member(sub Subscription, g grant) (m presence.Member, err error) {
	switch {
	case g.userID != "":
		m.UserID = g.userID
		if g.info != "" {
			m.Info = []byte(g.info)
		}
		return m, checkMember(s.App, sub.Channel, m)
	case sub.ChannelData == "" && s.user != nil:
		m, err = s.user.member(s.App, sub.Channel)
	default:
		m, err = parseMember(s.App, sub)
	}
	if err == nil && g.info != "" {
		m.Info = []byte(g.info)
		err = checkMember(s.App, sub.Channel, m)
	}
	return m, err
}

// checkMember reports whether a plugin has said too much of a member.
func checkMember(a *app.App, name string, m presence.Member) error {
	switch size := len(m.UserID) + len(m.Info); {
	case a.MaxUserID > 0 && len(m.UserID) > a.MaxUserID:
		return protocol.Rejected(name, "user_id is %d bytes long, of at most %d", len(m.UserID), a.MaxUserID)
	case a.MaxPresenceMemberSize > 0 && size > a.MaxPresenceMemberSize:
		return protocol.Rejected(name, "user_id and user_info are %d bytes long, of at most %d", size, a.MaxPresenceMemberSize)
	}
	return nil
}

// askSubscribe asks whether s, which is authorized, may subscribe. Of a member a
// plugin may replace the info.
func (h *Hub) askSubscribe(ctx context.Context, s *Session, sub Subscription, m *presence.Member) error {
	if !h.ports.Hooks.Has(abi.OnSubscribe) || channel.Reserved(sub.Channel) {
		return nil
	}
	e := s.happens(sub.Channel)
	e.Data, e.HasData = sub.ChannelData, sub.ChannelData != ""
	if m.UserID != "" {
		e.UserID, e.UserInfo = m.UserID, string(m.Info)
	}
	before := e.UserInfo
	_, err := h.ports.Hooks.Ask(ctx, abi.OnSubscribe, &e)
	var no *hooks.Denied
	switch {
	case errors.As(err, &no):
		return deniedSubscription(sub.Channel, no)
	case err != nil:
		return err
	case m.UserID != "" && e.UserInfo != before:
		m.Info = []byte(e.UserInfo)
		return checkMember(s.App, sub.Channel, *m)
	}
	return nil
}

// askSignin asks whether s may sign in as a user, whose info a plugin may
// replace.
func (h *Hub) askSignin(ctx context.Context, s *Session, in Signin, id *identity) error {
	if !h.ports.Hooks.Has(abi.OnSignin) {
		return nil
	}
	e := s.happens("")
	e.UserID, e.UserInfo = id.id, string(id.info)
	e.Data, e.HasData, e.Auth = in.UserData, true, in.Auth
	before := e.UserInfo
	_, err := h.ports.Hooks.Ask(ctx, abi.OnSignin, &e)
	var no *hooks.Denied
	switch {
	case errors.As(err, &no):
		return protocol.DeniedSignin(no.Code, no.Message)
	case err != nil:
		return err
	case e.UserInfo != before:
		id.info = []byte(e.UserInfo)
	}
	return nil
}

// screenClientEvent asks whether a client event may go out, and as what.
func (h *Hub) screenClientEvent(ctx context.Context, s *Session, e *Event) (publish bool, err error) {
	if !h.ports.Hooks.Has(abi.OnMessage) {
		return true, nil
	}
	he := s.happens(e.Channel)
	publish, err = h.screen(ctx, s.App, e, &he)
	var no *hooks.Denied
	if errors.As(err, &no) {
		return false, protocol.DeniedEvent(no.Code, no.Message)
	}
	return publish, err
}

// Screens reports whether events of backends are to be screened before they are
// published.
func (h *Hub) Screens() bool { return h.ports.Hooks.Has(abi.OnMessage) }

// Screen asks the plugins whether an event of a's backend may be published, and
// as what: they may replace its name and data. It reports false for an event
// that is to be dropped. The error may be a *hooks.Denied. The event is valid,
// and stays so.
func (h *Hub) Screen(ctx context.Context, a *app.App, e *Event, batch bool) (publish bool, err error) {
	he := hooks.Event{App: a.ID, Channel: e.Channel, SocketID: e.Except, Flags: abi.FromAPI}
	if batch {
		he.Flags |= abi.InBatch
	}
	if channel.KindOf(e.Channel).Cache {
		he.Flags |= abi.CacheEvent
	}
	if t := h.tenantOf(a.ID); t != nil {
		if ch := t.channel(e.Channel); ch != nil {
			he.Subscribers = ch.Len()
		}
	}
	return h.screen(ctx, a, e, &he)
}

func (h *Hub) screen(ctx context.Context, a *app.App, e *Event, he *hooks.Event) (publish bool, err error) {
	he.Name = e.Name
	if len(e.Data) > 0 {
		he.Data, he.HasData = plain(e.Data), true
	}
	name, data := he.Name, he.Data
	status, err := h.ports.Hooks.Ask(ctx, abi.OnMessage, he)
	switch {
	case err != nil:
		return false, err
	case status == abi.Drop:
		return false, nil
	}
	if he.Name != name {
		e.Name = he.Name
	}
	if he.Data != data {
		e.Data = protocol.AppendString(nil, he.Data)
	}
	if he.Name == name && he.Data == data {
		return true, nil
	}
	if why := replaceable(a, e, he.Flags&abi.FromAPI != 0, name); why != "" {
		h.log.Error("a plugin has replaced a message by one that cannot be sent", "app", a.ID, "channel", e.Channel, "reason", why)
		return false, &hooks.Denied{Failed: true, Message: "Message refused: the server could not check it, try again later"}
	}
	return true, nil
}

// replaceable reports why an event cannot be sent that a plugin has changed, or
// "".
func replaceable(a *app.App, e *Event, fromAPI bool, before string) string {
	reserved := strings.HasPrefix(e.Name, protocol.ReservedPrefix) || strings.HasPrefix(e.Name, protocol.InternalEventPrefix)
	client := strings.HasPrefix(e.Name, protocol.ClientEventPrefix)
	switch {
	case e.Name != before && (reserved || !fromAPI && !client):
		return "its name is " + clip(e.Name)
	case a.MaxEventName > 0 && utf8.RuneCountInString(e.Name) > a.MaxEventName:
		return "its name is too long"
	case tooBig(e.Data, a.MaxEventSize):
		return "its data is too long"
	}
	return ""
}

// tellPlugins has plugins told of what s has done.
func (h *Hub) tellPlugins(hook abi.Hook, s *Session, name, userID string) {
	if !h.ports.Hooks.Has(hook) || name != "" && channel.Reserved(name) {
		return
	}
	e := s.happens(name)
	if userID != "" {
		e.UserID = userID
	}
	h.ports.Hooks.Tell(hook, e)
}
