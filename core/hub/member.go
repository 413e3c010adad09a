package hub

import (
	"errors"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/core/protocol"
)

// parseMember reads the channel_data of a subscription to a presence channel:
// {"user_id": string or number, "user_info": object}, the latter optional. A
// number is kept as it is written, so that no digit is lost.
func parseMember(a *app.App, sub Subscription) (m presence.Member, err error) {
	invalid := func(why string) error {
		return protocol.Unauthorized(sub.Channel, "Invalid channel_data for presence subscription: "+why)
	}
	switch {
	case sub.ChannelData == "":
		return m, invalid("it is required, and must have a user_id")
	case a.MaxPresenceMemberSize > 0 && len(sub.ChannelData) > a.MaxPresenceMemberSize:
		return m, protocol.Rejected(sub.Channel, "channel_data is %d bytes long, of at most %d", len(sub.ChannelData), a.MaxPresenceMemberSize)
	}
	err = protocol.Fields([]byte(sub.ChannelData), func(key string, value []byte) (err error) {
		switch key {
		case "user_id":
			m.UserID, err = userID(value)
		case "user_info":
			switch {
			case string(value) == "null":
			case value[0] != '{':
				return errNotHash
			default:
				m.Info = value
			}
		}
		return err
	})
	switch {
	case errors.Is(err, errNotHash):
		return m, protocol.Unauthorized(sub.Channel, errNotHash.Error())
	case err != nil:
		return m, invalid(err.Error())
	case m.UserID == "":
		return m, invalid("it has no user_id")
	case a.MaxUserID > 0 && len(m.UserID) > a.MaxUserID:
		return m, protocol.Rejected(sub.Channel, "user_id is %d bytes long, of at most %d", len(m.UserID), a.MaxUserID)
	}
	return m, nil
}

var (
	errNotHash = errors.New("user_info supplied to presence subscription is invalid - if supplied it must be a type of hash")
	errUserID  = errors.New("it must be a string or a number")
)

func userID(value []byte) (string, error) {
	switch b := value[0]; {
	case b == '"':
		return protocol.String(value)
	case b == '-' || b >= '0' && b <= '9':
		return string(value), nil
	}
	return "", errUserID
}

// encodeMembers is the data that a new member is greeted with: every user ID,
// and for each a key in hash, as native clients expect.
func encodeMembers(list []presence.Member) []byte {
	size := 64
	for _, m := range list {
		size += 2*len(m.UserID) + len(m.Info) + 10
	}
	b := append(make([]byte, 0, size), `{"presence":{"count":`...)
	b = appendInt(b, len(list))
	b = append(b, `,"ids":[`...)
	for i, m := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = protocol.AppendString(b, m.UserID)
	}
	b = append(b, `],"hash":{`...)
	for i, m := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = protocol.AppendString(b, m.UserID)
		b = append(b, ':')
		if m.Info == nil {
			b = append(b, "{}"...)
		}
		b = append(b, m.Info...)
	}
	b = append(b, "}}}"...)
	return protocol.Text(b)
}

// encodeMember is the data of member_added.
func encodeMember(m presence.Member) []byte {
	b := append([]byte(nil), `{"user_id":`...)
	b = protocol.AppendString(b, m.UserID)
	if m.Info != nil {
		b = append(b, `,"user_info":`...)
		b = append(b, m.Info...)
	}
	return protocol.Text(append(b, '}'))
}

// encodeUserID is the data of member_removed.
func encodeUserID(id string) []byte {
	b := protocol.AppendString([]byte(`{"user_id":`), id)
	return protocol.Text(append(b, '}'))
}
