package sdktest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strconv"

	"github.com/revurb/revurb/hooks/abi"
)

// Check calls a new instance of g as v says, and returns what it did otherwise
// than v wants.
func (v Vector) Check(ctx context.Context, g *Guest) error {
	h := &host{ctx: v.Ctx, config: v.Config, kv: make(map[string]string), secret: Secret}
	maps.Copy(h.kv, v.KV)
	ctx = with(ctx, h)
	i, err := g.New(ctx)
	if err != nil {
		return err
	}
	defer i.Close(ctx)
	f, err := i.Call(ctx, v.Export, v.Frame)
	if v.Want.Trap {
		if !errors.Is(err, ErrFailed) {
			return fmt.Errorf("got %v, want a failure", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	got, err := verdict(f)
	if err != nil {
		return err
	}
	got.Log, got.Publish = h.log, h.publish
	if v.Want.KV != nil {
		got.KV = h.kv
	}
	if !reflect.DeepEqual(got, v.Want) {
		return fmt.Errorf("got  %.400q\nwant %.400q", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", v.Want))
	}
	return nil
}

func verdict(f abi.Frame) (w Want, err error) {
	var ok, ok2 bool
	w.Status, ok = f.Int(abi.ResponseStatus)
	w.Code, ok2 = f.Int(abi.ResponseCode)
	if !ok || !ok2 {
		return w, errors.New("the status or the code is no integer of eight bytes")
	}
	for i := abi.ResponseMessage; i < f.Fields(); i++ {
		if b := f.Field(i); b != nil {
			if w.Fields == nil {
				w.Fields = make(map[string]string)
			}
			w.Fields[strconv.Itoa(i)] = string(b)
		}
	}
	return w, nil
}
