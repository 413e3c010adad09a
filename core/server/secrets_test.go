package server_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// At the level that says most, the log has nothing that lets anyone in, and
// nothing of what an app says of its users.
func TestSecretsAreNotLogged(t *testing.T) {
	const person, whisper = "canary-user-info", "canary-client-event"
	s := serve(t)
	c := s.connect()
	room := c.credentials("presence-room", `{"user_id":"1","user_info":{"name":"`+person+`"}}`)
	must(t, c.subscribe("presence-room", room))
	must(t, c.write(0x81, []byte(`{"event":"client-typing","channel":"presence-room","data":{"text":"`+whisper+`"}}`)))

	// What is refused is logged, too: each with what is right in it.
	wrong := c.credentials("presence-room", `{"user_id":"2","user_info":{"name":"`+person+`"}}`)
	wrong["auth"] = wrong["auth"][:len(wrong["auth"])-1] + "x"
	wrong["channel"] = "presence-other"
	must(t, c.send("pusher:subscribe", wrong))
	must(t, c.write(0x81, []byte(`{"event":"pusher:subscribe","data":{"auth":"`+room["auth"]+`","channel_data":"`+person+`"`))) // no JSON
	must(t, c.send("pusher:signin", map[string]string{"auth": room["auth"], "user_data": `{"id":"` + person + `"}`}))
	for refused := 0; refused < 3; {
		m, err := c.read()
		must(t, err)
		if m.Event == "pusher:error" {
			refused++
		}
	}

	const event = `{"name":"news","channel":"presence-room","data":"canary-event"}`
	for _, spoil := range []string{"", "0"} {
		r, err := publish(s.server.URL(), event)
		must(t, err)
		r.URL.RawQuery += spoil
		r.Close = true
		res, err := http.DefaultClient.Do(r)
		must(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if want := map[string]int{"": 200, "0": 401}[spoil]; res.StatusCode != want {
			t.Errorf("POST events: got %d, want %d", res.StatusCode, want)
		}
	}
	if _, status := s.ask("/app/"+appKey+"?protocol=7&auth="+room["auth"], nil); status != 0 {
		t.Errorf("got %d, want a WebSocket", status)
	}
	s.stop()
	s.wait()

	log := s.log.String()
	if !strings.Contains(log, "presence-room") || !strings.Contains(log, "level=DEBUG") {
		t.Errorf("got a log that says nothing:\n%s", log)
	}
	for _, canary := range []string{appSecret, person, whisper, "canary-event"} {
		if strings.Contains(log, canary) {
			t.Errorf("%s is in the log:\n%s", canary, log)
		}
	}
	if mac := regexp.MustCompile(`[0-9a-fA-F]{63}`).FindString(log); mac != "" {
		t.Errorf("a signature is in the log, %s:\n%s", mac, log)
	}
}
