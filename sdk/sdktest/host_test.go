package sdktest

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/kv"
	"github.com/revurb/revurb/hooks/wasm"
)

// TestGoldenInTheServersHost gives the server's host the vectors of on_message
// that it can be given: events without fields of later versions, nothing kept or
// configured before, and answers that the hook may give.
func TestGoldenInTheServersHost(t *testing.T) {
	vectors, err := ReadVectors("../testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	for language, guest := range guests(t) {
		t.Run(language, func(t *testing.T) {
			var published [][]string
			p, err := wasm.Load(t.Context(), guest, wasm.Options{
				Name: language, Apps: []string{"*"},
				Grants: wasm.Grants{Log: true, Config: true, KV: true, HMAC: true, Clock: true, Random: true, Publish: []string{"*"}},
				Limits: wasm.Limits{Pool: 1, Call: time.Minute, Start: time.Minute},
				Host: wasm.Host{
					KV: kv.New(0, nil), Now: func() time.Time { return time.UnixMilli(Now) },
					Secret: func(string) (string, bool) { return Secret, true },
					Publish: func(_ context.Context, p wasm.Publication) error {
						published = append(published, []string{p.Channel, p.Event, string(p.Data)})
						return nil
					},
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Drain(context.Background()) })
			ran := 0
			for _, v := range vectors {
				e, ok := event(v)
				if !ok {
					continue
				}
				ran++
				published = nil
				if err := check(t.Context(), p, v, e, &published); err != nil {
					t.Errorf("%s: %v", v.Name, err)
				}
			}
			if ran < 40 {
				t.Errorf("ran %d vectors, want at least 40", ran)
			}
		})
	}
}

// event returns the event of a vector, if the server has events like it.
func event(v Vector) (e hooks.Event, ok bool) {
	f, err := abi.Parse(v.Frame)
	if err != nil || v.Export != "on_message" || f.Fields() != abi.Fields || v.Ctx != nil || v.Config != nil || v.KV != nil || v.Want.KV != nil || v.Want.Trap {
		return e, false
	}
	if string(f.Field(abi.Event)) == "random" { // a guest of Go has taken some already
		return e, false
	}
	for _, i := range []int{abi.App, abi.Channel, abi.SocketID, abi.UserID, abi.Event, abi.Auth, abi.Flags} {
		if b := f.Field(i); b != nil && len(b) == 0 {
			return e, false
		}
	}
	for _, i := range []int{abi.ResponseChannel, abi.ResponseUserID, abi.ResponseUserInfo} { // not for on_message to set
		if _, sets := v.Want.Fields[strconv.Itoa(i)]; sets {
			return e, false
		}
	}
	text := func(i int) string { return string(f.Field(i)) }
	e = hooks.Event{
		App: text(abi.App), Channel: text(abi.Channel), SocketID: text(abi.SocketID), UserID: text(abi.UserID),
		Name: text(abi.Event), Data: text(abi.Data), HasData: f.Field(abi.Data) != nil, Auth: text(abi.Auth),
	}
	e.Flags, ok = f.Int(abi.Flags)
	return e, ok
}

func check(ctx context.Context, p *wasm.Plugin, v Vector, e hooks.Event, published *[][]string) error {
	var got hooks.Verdict
	if err := p.Call(ctx, abi.OnMessage, &e, &got); err != nil {
		return err
	}
	w := Want{Status: uint64(got.Status), Code: uint64(got.Code), Log: v.Want.Log, Publish: *published}
	for i, b := range map[int][]byte{
		abi.ResponseMessage: got.Message, abi.ResponseChannel: got.Channel, abi.ResponseEvent: got.Event,
		abi.ResponseData: got.Data, abi.ResponseUserID: got.UserID, abi.ResponseUserInfo: got.UserInfo,
	} {
		if b == nil {
			continue
		}
		if w.Fields == nil {
			w.Fields = make(map[string]string)
		}
		w.Fields[strconv.Itoa(i)] = string(b)
	}
	if !reflect.DeepEqual(w, v.Want) {
		return fmt.Errorf("got  %+v\nwant %+v", w, v.Want)
	}
	return nil
}
