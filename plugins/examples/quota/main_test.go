package main

import (
	"testing"

	plugin "github.com/revurb/revurb/sdk/go"
	"github.com/revurb/revurb/sdk/go/hook/onmessage"
)

func TestTheLimitIsTheConfigs(t *testing.T) {
	plugin.Use(new(plugin.Fake))
	if err := plugin.Configure([]byte(`{"per_minute":1}`)); err != nil {
		t.Fatal(err)
	}
	e := plugin.NewEvent(plugin.Fields{App: "app", UserID: "u1"})
	for _, want := range []string{"continue", "deny"} {
		if got := onmessage.Call(e).Decided(); got.Status != want || (got.Message != "") != (want == "deny") {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
}
