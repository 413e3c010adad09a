package wasm

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/hooks/abi"
)

const (
	maxPublications = 16 // per call of a hook
	maxPublished    = 256 << 10
	maxName         = 200 // bytes, of a channel and of an event
)

// publish is publish(frame, len).
func (c call) publish(stack []uint64) {
	frame := c.bytes(stack[0], stack[1])
	if len(frame) > maxPublished {
		stack[0] = tooLarge
		return
	}
	c.spend(len(frame))
	f, err := abi.Parse(frame)
	if err != nil {
		stack[0] = badArgument
		return
	}
	stack[0] = c.queue(f)
}

// queue keeps what f says until the hook has returned.
func (c call) queue(f abi.Frame) uint64 {
	x := c.x
	p := Publication{
		Plugin: c.plugin.o.Name, App: string(f.Field(abi.App)), Channel: string(f.Field(abi.Channel)),
		Event: string(f.Field(abi.Event)), Except: string(f.Field(abi.SocketID)),
	}
	data := f.Field(abi.Data)
	switch {
	case x.event == nil, c.host.Publish == nil: // configure has nothing to answer
		return denied
	case len(x.published) >= maxPublications:
		return quota
	case p.Event == "", len(p.Event) > maxName, len(p.Except) > maxName:
		return badArgument
	case !channel.ValidTarget(p.Channel, maxName), !utf8.ValidString(p.Event), !utf8.Valid(data):
		return badArgument
	}
	if p.App == "" {
		p.App = c.app()
	}
	if p.App == "" {
		return badArgument
	}
	if !c.hasApp(p.App) || !slices.ContainsFunc(c.grants.Publish, func(pattern string) bool { return matches(pattern, p.Channel) }) {
		return denied
	}
	p.Data = append([]byte{}, data...) // the guest may change it
	x.published = append(x.published, p)
	return 0
}

// app is the app of the event, or the one that the plugin has.
func (c call) app() string {
	if c.x.event.App == "" && len(c.apps) == 1 && c.apps[0] != "*" {
		return c.apps[0]
	}
	return c.x.event.App
}

func (im *imports) hasApp(id string) bool {
	return slices.Contains(im.apps, id) || slices.Contains(im.apps, "*")
}

// matches reports whether name is what the pattern says, in which * is any text.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, parts[0])
	if !ok || !strings.HasSuffix(name, parts[last]) {
		return false
	}
	name = strings.TrimSuffix(name, parts[last])
	for _, part := range parts[1:last] {
		if _, name, ok = strings.Cut(name, part); !ok {
			return false
		}
	}
	return true
}

// flush publishes what the hook that has just returned has queued.
func (x *instance) flush(ctx context.Context) {
	im := x.plugin.imports
	for _, p := range x.published {
		err := im.host.Publish(ctx, p)
		if err != nil && im.host.Log != nil && im.lines.Allow() {
			im.host.Log.Log(ctx, slog.LevelWarn, "a plugin's event was not published", "plugin", p.Plugin, "app", p.App, "channel", p.Channel, "error", err)
		}
	}
	clear(x.published)
	x.published = x.published[:0]
}
