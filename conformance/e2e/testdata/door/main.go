// Command door is a plugin for the scenarios, of those hooks that no example
// denies at: it lets nobody in who comes from a page of somebody else's, and
// nobody into a channel that is closed.
package main

import (
	"bytes"

	plugin "github.com/revurb/revurb/sdk/go"
	"github.com/revurb/revurb/sdk/go/hook/onconnect"
	"github.com/revurb/revurb/sdk/go/hook/onsubscribe"
)

func init() {
	onconnect.Handle(connect)
	onsubscribe.Handle(subscribe)
}

func main() {}

// connect denies everybody while the configuration has it closed.
func connect(*plugin.Event) plugin.Verdict {
	if origin, ok := plugin.Context(plugin.Origin); ok && !plugin.Equal(origin, "https://ours.example") {
		return plugin.Deny("come from our own page")
	}
	if why, closed := plugin.Config("closed"); closed {
		return plugin.DenyCode(4103, string(why))
	}
	return plugin.Continue()
}

func subscribe(e *plugin.Event) plugin.Verdict {
	if bytes.HasSuffix(e.Channel(), []byte("-closed")) {
		return plugin.Deny("this room is closed")
	}
	return plugin.Continue()
}
