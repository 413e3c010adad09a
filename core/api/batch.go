package api

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/revurb/revurb/core/protocol"
)

// noInfo is the answer of Laravel Reverb to a batch of which no event asked for
// info. The hosted service has an empty object.
var noInfo = []byte(`{"batch":{}}`)

// postBatch publishes several events, each to one channel: all of them, in
// their order, or none if one is not valid.
func (api *API) postBatch(r *request) ([]byte, error) {
	events, err := decodeBatch(r)
	if err != nil {
		return nil, err
	}
	if err := api.allow(r, limitPublish, len(events)); err != nil {
		return nil, err
	}
	for i := range events {
		if err := api.screen(r.Context(), r.app, &events[i], true); err != nil {
			return nil, inBatch(i, err)
		}
	}
	asked := false
	for i := range events {
		if err := api.publish(r.Context(), r.app, &events[i]); err != nil {
			return nil, err
		}
		asked = asked || events[i].info != nil
	}
	switch {
	case asked:
		return api.batchInfo(r, events)
	case r.app.Dialect == protocol.Reverb:
		return noInfo, nil
	}
	return empty, nil
}

// decodeBatch returns the valid events of a batch.
func decodeBatch(r *request) ([]event, error) {
	var raw []json.RawMessage
	err := protocol.Fields(r.body, func(key string, value []byte) error {
		if key == "batch" && value[0] == '[' {
			return json.Unmarshal(value, &raw)
		}
		return nil
	})
	most := r.app.MaxBatchEvents
	switch {
	case err != nil:
		return nil, bodyProblem(err)
	case raw == nil:
		return nil, badRequest("Expected request parameter batch to be an array")
	case len(raw) == 0:
		return nil, badRequest("The batch has no events")
	case most > 0 && len(raw) > most:
		return nil, badRequest("A batch may have %d events, not %d: see max_batch_events of the app", most, len(raw))
	}
	events := make([]event, len(raw))
	for i := range raw {
		e := &events[i]
		if err := bodyProblem(e.decode(raw[i])); err != nil {
			return nil, inBatch(i, err)
		}
		if len(e.channels) > 1 {
			return nil, inBatch(i, badRequest("Expected channel parameter: an event of a batch goes to one channel"))
		}
		if err := e.validate(r.app); err != nil {
			return nil, inBatch(i, err)
		}
	}
	return events, nil
}

// inBatch adds to a failure which event it is of.
func inBatch(i int, err error) error {
	var f *failure
	if !errors.As(err, &f) {
		return err
	}
	return &failure{f.status, fmt.Sprintf("%s (in batch[%d])", f.message, i), f.header}
}

// batchInfo answers with an object for each event, in their order.
func (api *API) batchInfo(r *request, events []event) ([]byte, error) {
	batch := make([]channelInfo, len(events))
	for i, e := range events {
		var err error
		if batch[i], err = api.info(r, e.channels[0], e.info); err != nil {
			return nil, err
		}
	}
	return encode(map[string]any{"batch": batch})
}
