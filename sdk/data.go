package sdk

import (
	"strings"

	"github.com/revurb/revurb/hooks/abi"
)

// data is what templates are filled with.
type data struct {
	Project
	Hooks    []hook
	Messages bool // on_message is among them
	Logs     bool // what they begin with logs
}

// hook is a hook with what it is called in the languages.
type hook struct {
	Name    string // on_message
	Package string // onmessage
	Func    string // onMessage
	About   string
	Decides bool
}

var about = map[abi.Hook]string{
	abi.OnConnect:      "a client has connected",
	abi.Authorize:      "a client subscribes to a private or presence channel",
	abi.OnSignin:       "a client signs in",
	abi.OnSubscribe:    "a client subscribes to any channel, and is authorized",
	abi.OnMessage:      "a client event, or an event over the HTTP API",
	abi.OnSubscribed:   "a client has subscribed",
	abi.OnUnsubscribed: "a client has left a channel, or gone",
	abi.OnPresence:     "a user is, or is no longer, a member of a presence channel",
	abi.OnChannel:      "a channel is occupied, or vacated",
	abi.OnDisconnect:   "a client has gone",
	abi.Tick:           "a second has passed",
}

func (p Project) data() data {
	d := data{Project: p}
	for _, h := range p.Hooks {
		name := h.String()
		f := "handle" + strings.ToUpper(name[:1]) + name[1:] // a package has the name already
		if before, after, ok := strings.Cut(name, "_"); ok {
			f = before + strings.ToUpper(after[:1]) + after[1:]
		}
		d.Hooks = append(d.Hooks, hook{name, strings.ReplaceAll(name, "_", ""), f, about[h], h.Decides()})
		d.Messages = d.Messages || h == abi.OnMessage
		d.Logs = d.Logs || !h.Decides()
	}
	return d
}
