package api

import (
	"errors"

	"github.com/revurb/revurb/core/protocol"
)

// postEvents publishes one event to one or more channels. Without a body, the
// parameters are those of the query.
func (api *API) postEvents(r *request) ([]byte, error) {
	e := &event{}
	var err error
	if len(r.body) > 0 {
		err = bodyProblem(e.decode(r.body))
	} else {
		err = e.fromQuery(r)
	}
	if err != nil {
		return nil, err
	}
	if err := e.validate(r.app); err != nil {
		return nil, err
	}
	if err := api.allow(r, limitPublish, 1); err != nil {
		return nil, err
	}
	if err := api.publish(r.Context(), r.app, e); err != nil {
		return nil, err
	}
	if e.info == nil {
		return empty, nil
	}
	channels := make(map[string]channelInfo, len(e.channels))
	for _, name := range e.channels {
		if channels[name], err = api.info(r, name, e.info); err != nil {
			return nil, err
		}
	}
	return encode(map[string]any{"channels": channels})
}

// fromQuery reads an event from parameters that are named as in the body.
func (e *event) fromQuery(r *request) (err error) {
	e.name = r.query.Get("name")
	if r.query.Has("data") {
		e.data = protocol.AppendString(nil, r.query.Get("data"))
	}
	if name := r.query.Get("channel"); name != "" {
		e.add(name)
	}
	for _, name := range r.query.All("channels") {
		e.add(name)
	}
	e.socketID = r.query.Get("socket_id")
	e.info, err = parseInfo(r.query.All("info"), eventAttributes)
	return err
}

// bodyProblem says what is wrong with a body that could not be decoded: whatever
// it is, the client is to blame.
func bodyProblem(err error) error {
	var f *failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	}
	return badRequest("The body must be one JSON object: %v", err)
}
