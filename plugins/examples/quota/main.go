// Command quota limits how many messages a user sends in a minute: see its README.
package main

import (
	"errors"

	plugin "github.com/revurb/revurb/sdk/go"
	"github.com/revurb/revurb/sdk/go/hook/onmessage"
	"github.com/revurb/revurb/sdk/go/jsonscan"
)

const minute = 60_000

var (
	limit int64  = 60
	key   []byte // reused
)

func init() {
	plugin.OnConfigure(configure)
	onmessage.Handle(count)
}

func main() {}

func configure(config []byte) error {
	if _, has := jsonscan.Raw(config, "per_minute"); !has {
		return nil
	}
	n, ok := jsonscan.Int(config, "per_minute")
	if !ok || n < 1 {
		return errors.New("per_minute must be a whole number, at least 1")
	}
	limit = n
	return nil
}

func count(e *plugin.Event) plugin.Verdict {
	if e.FromAPI() {
		return plugin.Continue() // the backend may send what it likes
	}
	// Users of different apps, and clients without a user, do not share a count.
	key = append(key[:0], e.App()...)
	if user := e.UserID(); len(user) > 0 {
		key = append(append(key, "/user/"...), user...)
	} else {
		key = append(append(key, "/socket/"...), e.SocketID()...)
	}
	n, ok := plugin.KVIncr(key, 1, minute)
	if !ok || n > limit {
		return plugin.Deny("too many messages, wait a minute")
	}
	return plugin.Continue()
}
