// Package channel is what one channel is: its kind, which its name gives away,
// and its subscribers on this node, to whom it sends in order.
//
// It does not know who may subscribe, nor what is in the frames that it sends.
package channel

import "strings"

// Topic names a channel of an app, across the cluster.
type Topic struct {
	App     string // its ID
	Channel string
}

// Kind is what a channel's name promises.
type Kind struct {
	Prefix    string
	Auth      bool // a subscription must be signed
	Presence  bool // the members are known to one another
	Cache     bool // the last event is replayed to new subscribers
	Encrypted bool // the server cannot read the data
}

// Kinds are all the kinds there are, the longest prefix first. The last one,
// with no prefix, is the public channel.
//
// A new kind of channel is a new row. A new promise is a new field, and a line
// in package hub that keeps it.
var Kinds = []Kind{
	{Prefix: "private-encrypted-cache-", Auth: true, Cache: true, Encrypted: true},
	{Prefix: "private-encrypted-", Auth: true, Encrypted: true},
	{Prefix: "presence-cache-", Auth: true, Presence: true, Cache: true},
	{Prefix: "private-cache-", Auth: true, Cache: true},
	{Prefix: "presence-", Auth: true, Presence: true},
	{Prefix: "private-", Auth: true},
	{Prefix: "cache-", Cache: true},
	{},
}

// KindOf returns the kind of the channel called name.
func KindOf(name string) Kind {
	for _, k := range Kinds {
		if strings.HasPrefix(name, k.Prefix) {
			return k
		}
	}
	panic("channel: Kinds has no public channel")
}

// String is the prefix without its last dash, or "public".
func (k Kind) String() string {
	if k.Prefix == "" {
		return "public"
	}
	return strings.TrimSuffix(k.Prefix, "-")
}

// UserPrefix begins the names of the channels that only the server sets up:
// what is published there goes to the connections of one user.
const UserPrefix = "#server-to-user-"

// WatchPrefix begins the names of topics that no client knows of: those who
// watch a user are subscribed to its topic, and hear when it comes and goes.
const WatchPrefix = "#watch-"

// Reserved reports whether name is one that only the server sets up. Such
// channels are not listed among those of an app.
func Reserved(name string) bool { return strings.HasPrefix(name, "#") }

// ValidName reports whether name may be subscribed to: of at most limit bytes
// (0 is no limit), all of them letters, digits or one of _-=@,.;
func ValidName(name string, limit int) bool {
	if name == "" || limit > 0 && len(name) > limit {
		return false
	}
	for i := range len(name) {
		if !nameByte(name[i]) {
			return false
		}
	}
	return true
}

// ValidTarget reports whether name may be published to: a name that is valid,
// or the channel of a user.
func ValidTarget(name string, limit int) bool {
	user, ok := strings.CutPrefix(name, UserPrefix)
	if !ok {
		return ValidName(name, limit)
	}
	return ValidName(user, 0) && (limit == 0 || len(name) <= limit+len(UserPrefix))
}

func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' ||
		strings.IndexByte("_-=@,.;", b) >= 0
}
