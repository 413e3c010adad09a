package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks"
)

// event is what a backend asks to have published: one event, to any number of
// channels.
type event struct {
	name     string
	data     json.RawMessage // as it was sent; nil is none at all
	channels []string        // each once
	seen     map[string]bool // the same, to look them up: a body has room for very many
	socketID string          // who does not get it, or ""
	info     attributes      // that the backend wants to know of the channels

	screened bool        // plugins have been asked
	outgoing []hub.Event // what goes out then
}

// decode reads an event from a JSON object. Keys that it does not know are
// ignored: libraries send some.
//
// A socket_id that is none is ignored too, as by the hosted service. It excludes
// nobody.
func (e *event) decode(raw []byte) error {
	return protocol.Fields(raw, func(key string, value []byte) (err error) {
		switch key {
		case "name":
			if e.name, err = protocol.String(value); err != nil {
				return badRequest("Expected name parameter to be a string")
			}
		case "data":
			e.data = value
		case "channel":
			return e.decodeChannel(value)
		case "channels":
			return e.decodeChannels(value)
		case "socket_id":
			if id, err := protocol.String(value); err == nil {
				e.socketID = id
			}
		case "info":
			e.info, err = decodeInfo(value, eventAttributes)
		}
		return err
	})
}

func (e *event) decodeChannel(value []byte) error {
	if string(value) == "null" {
		return nil
	}
	name, err := protocol.String(value)
	if err != nil {
		return badRequest("Expected channel parameter to be a string")
	}
	e.add(name)
	return nil
}

func (e *event) decodeChannels(value []byte) error {
	if string(value) == "null" {
		return nil
	}
	var names []*string // a null among them is no name
	if err := json.Unmarshal(value, &names); err != nil || slices.Contains(names, nil) {
		return badRequest("Expected channels parameter to be an array of strings")
	}
	for _, name := range names {
		e.add(*name)
	}
	return nil
}

// add adds a channel that the event goes to, unless it goes there already.
func (e *event) add(name string) {
	if e.seen[name] {
		return
	}
	if e.seen == nil {
		e.seen = map[string]bool{}
	}
	e.seen[name] = true
	e.channels = append(e.channels, name)
}

// validate reports what is wrong with e, before anything of it is published.
func (e *event) validate(a *app.App) error {
	switch {
	case e.name == "":
		return badRequest("Expected name parameter to be a string")
	case e.data == nil:
		return badRequest("Expected data parameter to be a string")
	case len(e.channels) == 0:
		return badRequest("Expected channel or channels parameter: an event needs at least one channel")
	case a.MaxChannelsPerEvent > 0 && len(e.channels) > a.MaxChannelsPerEvent:
		return badRequest("An event may go to %d channels, not to %d: see max_channels_per_event of the app", a.MaxChannelsPerEvent, len(e.channels))
	}
	for i, name := range e.channels {
		he := hub.Event{Channel: name, Name: e.name}
		if i == 0 { // it is the same in all channels
			he.Data = e.data
		}
		var invalid *hub.Invalid
		switch err := hub.Validate(a, he); {
		case errors.As(err, &invalid) && invalid.TooBig:
			return fail(http.StatusRequestEntityTooLarge, "%v", err)
		case err != nil:
			return badRequest("%v", err)
		}
	}
	return nil
}

// in is a valid event as it goes to one of its channels.
func (e *event) in(name string) hub.Event {
	return hub.Event{Channel: name, Name: e.name, Data: e.data, Except: e.socketID}
}

// screen asks the plugins whether a valid event may go out, and as what. Nothing
// is published until all is screened.
func (api *API) screen(ctx context.Context, a *app.App, e *event, batch bool) error {
	if e.screened || !api.hub.Screens() {
		return nil
	}
	e.screened = true
	for _, name := range e.channels {
		he := e.in(name)
		publish, err := api.hub.Screen(ctx, a, &he, batch)
		var no *hooks.Denied
		switch {
		case errors.As(err, &no) && no.Failed:
			return fail(http.StatusServiceUnavailable, "%s", no.Message).retryAfter(time.Second)
		case errors.As(err, &no):
			return fail(http.StatusForbidden, "%s", no.Message)
		case err != nil:
			return err
		case publish:
			e.outgoing = append(e.outgoing, he)
		}
	}
	return nil
}

// publish publishes a valid event to all its channels.
func (api *API) publish(ctx context.Context, a *app.App, e *event) error {
	if err := api.screen(ctx, a, e, false); err != nil {
		return err
	}
	if e.screened {
		for _, he := range e.outgoing {
			if err := api.publishOne(ctx, a, he); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range e.channels {
		if err := api.publishOne(ctx, a, e.in(name)); err != nil {
			return err
		}
	}
	return nil
}

// A channel that is published to faster than it can be sent is tried again for
// a while: a burst is over soon, and the backend slows down by waiting.
const (
	overloadWait  = time.Second
	overloadPause = 5 * time.Millisecond // doubled each time
)

// publishOne publishes an event to one channel. The 503 that it may return says
// nothing of the channels before: they have got the event.
func (api *API) publishOne(ctx context.Context, a *app.App, e hub.Event) error {
	var waited time.Duration
	for pause := overloadPause; ; pause *= 2 {
		err := api.hub.Publish(ctx, a, e)
		if !errors.Is(err, channel.ErrOverloaded) {
			return err
		}
		if waited += pause; waited > overloadWait {
			api.metrics.App(a.ID).Limited("channel")
			return fail(http.StatusServiceUnavailable,
				"Channel %s is published to faster than its subscribers can be sent", e.Channel).retryAfter(overloadWait)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
