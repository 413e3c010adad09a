package config_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
)

const anotherApp = `
[[apps]]
id = "2"
key = "k2"
secret = "canary-secret"
`

// The webhooks of an app come after its keys, or stand in braces.
func TestWebhooks(t *testing.T) {
	l := get(t, anApp+`
[[apps.webhooks]]
url = "https://one.example/x"
events = ["channel_existence", "cache_miss"]
timeout = "2s"

[[apps.webhooks]]
url = "http://two.example"
headers = ["X-Token: canary-token"]
batch = true
`+anotherApp+`
webhooks = [{ url = "https://three.example" }, { url = "https://four.example", channels = ["private-*"] }]
`)
	hook := func(url string, change func(*app.Webhook)) app.Webhook {
		w := app.DefaultWebhook
		w.URL = url
		change(&w)
		return w
	}
	want := [][]app.Webhook{
		{
			hook("https://one.example/x", func(w *app.Webhook) {
				w.Events, w.Timeout = []string{"channel_existence", "cache_miss"}, 2*time.Second
			}),
			hook("http://two.example", func(w *app.Webhook) { w.Headers, w.Batch = []string{"X-Token: canary-token"}, true }),
		},
		{
			hook("https://three.example", func(*app.Webhook) {}),
			hook("https://four.example", func(w *app.Webhook) { w.Channels = []string{"private-*"} }),
		},
	}
	for i, hooks := range want {
		if got := l.Config.Apps[i].Webhooks; !reflect.DeepEqual(got, hooks) {
			t.Errorf("app %d has\n%+v\nwant\n%+v", i, got, hooks)
		}
	}
	for key, from := range map[string]config.Source{
		"apps[0].webhooks[1].url":     "revurb.toml:13",
		"apps[0].webhooks[1].timeout": config.FromDefault,
		"apps[1].webhooks[1].url":     "revurb.toml:22",
	} {
		if got := l.Sources[key]; got != from {
			t.Errorf("%s is from %q, want %q", key, got, from)
		}
	}
	shown := config.TOML(l.Entries())
	if strings.Contains(shown, "canary") {
		t.Errorf("a secret is shown:\n%s", shown)
	}
	if n := strings.Count(shown, "[[apps.webhooks]]"); n != 4 {
		t.Errorf("%d webhooks are shown, want 4:\n%s", n, shown)
	}
}

func TestWebhookIsRefused(t *testing.T) {
	const header = anApp + "[[apps.webhooks]]\n"
	const hook = header + "url = \"https://example.com\"\n"
	tests := map[string]struct {
		file string
		want []string
	}{
		"one that leads nowhere":               {header, []string{`revurb.toml:6: this webhook has no url`}},
		"one without an app":                   {"[[apps.webhooks]]\n", []string{`revurb.toml:1: [[apps.webhooks]] comes after the [[apps]] that it is for`}},
		"one that is no list":                  {anApp + "[apps.webhooks]\nurl = \"http://x\"\n", []string{`revurb.toml:6: [apps.webhooks] is written [[apps.webhooks]]`}},
		"one that is text":                     {anApp + "webhooks = \"http://x\"\n", []string{`revurb.toml:6: apps.webhooks is a list of tables; write each as [[apps.webhooks]]`}},
		"one in braces that has no list":       {anApp + "webhooks = { url = \"http://x\" }\n", []string{`revurb.toml:6: apps.webhooks is a list of tables; write each as [[apps.webhooks]]`}},
		"a list of texts":                      {anApp + "webhooks = [\"http://x\"]\n", []string{`revurb.toml:6: apps.webhooks is a list of tables; write each as [[apps.webhooks]]`}},
		"an unknown key":                       {hook + "event = []\n", []string{`revurb.toml:8: unknown key "event" in [[apps.webhooks]]; did you mean "events"?`}},
		"a section like it":                    {anApp + "[[apps.webhook]]\n", []string{`revurb.toml:6: unknown section [[apps.webhook]]; did you mean [[apps.webhooks]]?`}},
		"a value of another type":              {hook + "batch = 1\n", []string{`revurb.toml:8: apps.webhooks.batch: want true or false, without quotes, not the number 1`}},
		"an event that does not exist":         {hook + "events = [\"channel_occupyed\"]\n", []string{`revurb.toml:8: apps.webhooks.events: "channel_occupyed" is not one of cache_miss, channel_existence, channel_occupied, channel_vacated, client_event, member_added, member_removed, presence, subscription_count; did you mean "channel_occupied"?`}},
		"a pattern that is none":               {hook + "channels = [\"a[\"]\n", []string{`revurb.toml:8: apps.webhooks.channels: "a[" is not a pattern such as private-*`}},
		"a URL without a host":                 {header + "url = \"example.com/x\"\n", []string{`revurb.toml:7: apps.webhooks.url: it is not a URL such as "https://example.com/webhooks"`, `revurb.toml:6: this webhook has no url`}},
		"a URL of another kind":                {header + "url = \"ftp://example.com\"\n", []string{`revurb.toml:7: apps.webhooks.url: it is not a URL such as "https://example.com/webhooks"`, `revurb.toml:6: this webhook has no url`}},
		"a URL with a password":                {header + "url = \"https://u:canary@example.com\"\n", []string{`revurb.toml:7: apps.webhooks.url: it has a user in it; send "Authorization: Basic ..." in headers instead`, `revurb.toml:6: this webhook has no url`}},
		"a header without a value":             {hook + "headers = [\"canary\"]\n", []string{`revurb.toml:8: apps.webhooks.headers: a header is written "Name: value"`}},
		"a header that is ours":                {hook + "headers = [\"Content-Type: text/plain\"]\n", []string{`revurb.toml:8: apps.webhooks.headers: Content-Type is set by the server itself`}},
		"a header that would become two":       {hook + "headers = [\"X: canary\\r\\nY: 1\"]\n", []string{`revurb.toml:8: apps.webhooks.headers: the value of X has a line break or another control character in it`}},
		"a network that is none":               {"[webhooks]\nallow = [\"localhost\"]\n", []string{`revurb.toml:2: webhooks.allow: "localhost" is not an address ("10.0.0.1") and not a network ("10.0.0.0/8")`}},
		"a key of a webhook in the list's app": {anApp + "webhooks.url = \"http://x\"\n", []string{`revurb.toml:6: apps.webhooks is a list of tables; write each as [[apps.webhooks]]`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, test.file)
			checkProblems(t, err, test.want)
		})
	}
}
