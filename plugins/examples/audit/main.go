// Command audit logs who comes and goes, and counts it: see its README.
package main

import (
	plugin "github.com/revurb/revurb/sdk/go"
	"github.com/revurb/revurb/sdk/go/hook/onchannel"
	"github.com/revurb/revurb/sdk/go/hook/ondisconnect"
	"github.com/revurb/revurb/sdk/go/hook/onpresence"
	"github.com/revurb/revurb/sdk/go/hook/onsubscribed"
	"github.com/revurb/revurb/sdk/go/hook/onunsubscribed"
	"github.com/revurb/revurb/sdk/go/jsonscan"
)

const day = 24 * 60 * 60 * 1000

func init() {
	onsubscribed.Handle(func(e *plugin.Event) { note("subscribed", e) })
	onunsubscribed.Handle(func(e *plugin.Event) { note("unsubscribed", e) })
	ondisconnect.Handle(func(e *plugin.Event) { note("disconnected", e) })
	onpresence.Handle(func(e *plugin.Event) { note(either(e, "member_added", "member_removed"), e) })
	onchannel.Handle(func(e *plugin.Event) { note(either(e, "occupied", "vacated"), e) })
}

func main() {}

func either(e *plugin.Event, came, went string) string {
	if e.Came() {
		return came
	}
	return went
}

// note logs a line of JSON, and counts it for a day.
func note(what string, e *plugin.Event) {
	line := append([]byte(`{"audit":"`), what...)
	line = append(line, '"')
	line = member(line, "app", e.App())
	line = member(line, "channel", e.Channel())
	line = member(line, "socket_id", e.SocketID())
	line = member(line, "user_id", e.UserID())
	plugin.Log(plugin.LevelInfo, string(append(line, '}')))
	plugin.KVIncr([]byte("count/"+what), 1, day)
}

func member(line []byte, key string, value []byte) []byte {
	if value == nil {
		return line
	}
	line = append(line, ',')
	line = jsonscan.AppendString(line, key)
	line = append(line, ':')
	return jsonscan.AppendString(line, value)
}
