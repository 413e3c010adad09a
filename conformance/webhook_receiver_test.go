package conformance

import (
	"net/http"
	"strings"
	"testing"
)

func TestWebhookReceiver(t *testing.T) {
	w, err := NewWebhookReceiver("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	post := func(url, channel string) int {
		res, err := http.Post(url, "application/json", strings.NewReader(
			`{"time_ms":12,"events":[{"name":"channel_occupied","channel":"`+channel+`"}]}`))
		if err != nil {
			t.Error(err)
			return 0
		}
		_ = res.Body.Close()
		return res.StatusCode
	}

	w.Refuse("a", 2)
	for i, want := range []int{500, 500, 200} {
		if got := post(w.URL, "a"); got != want {
			t.Errorf("call %d: got %d, want %d", i, got, want)
		}
	}
	if got := post(w.Only, "b"); got != http.StatusOK {
		t.Errorf("a call that nobody refuses: got %d, want 200", got)
	}
	calls, _ := w.Calls(allWebhooks, "a")
	if len(calls) != 3 || string(calls[0].TimeMS) != "12" || calls[0].Header.Get("Content-Type") != "application/json" {
		t.Errorf("got calls %+v, want three with their time and header", calls)
	}
	if events := delivered(calls, "a"); len(events) != 1 || events[0].Text("name") != "channel_occupied" {
		t.Errorf("got events %v, want that of the call that was taken", events)
	}
	if calls, _ := w.Calls(existenceWebhooks, "b"); len(calls) != 1 {
		t.Errorf("got %d calls to the other URL, want 1", len(calls))
	}

	release := w.Hang("c")
	_, more := w.Calls(allWebhooks, "c")
	answered := make(chan int)
	go func() { answered <- post(w.URL, "c") }()
	<-more // it is recorded before it is answered
	select {
	case <-answered:
		t.Error("a call that hangs is answered")
	default:
	}
	release()
	if got := <-answered; got != http.StatusOK {
		t.Errorf("a call that hung: got %d, want 200", got)
	}
}
