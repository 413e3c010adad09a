package mutants

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/webhook"
)

func startReceiver(t *testing.T) *conformance.WebhookReceiver {
	t.Helper()
	r, err := conformance.NewWebhookReceiver("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// telling is a webhook on its way to the backend.
type telling struct {
	header http.Header
	body   string
	lost   bool // it does not arrive, and nobody notices
}

// rewrite changes the body, and signs it as if it had been so.
func (w *telling) rewrite(pattern *regexp.Regexp, with string) {
	w.body = pattern.ReplaceAllString(w.body, with)
	w.header.Set("X-Pusher-Signature", client.Sign(credentialsOf(mainApp).Secret, w.body))
}

// startBackend returns where the webhooks of m go to: the receiver, or something
// before it.
func startBackend(t *testing.T, m *mutant, receiver *conformance.WebhookReceiver) string {
	t.Helper()
	if m.told == nil {
		return strings.TrimSuffix(receiver.URL, "/all")
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the server has given up
		}
		tell := &telling{r.Header, string(body), false}
		if m.told(tell); tell.lost {
			return
		}
		onward := httptest.NewRequest(r.Method, r.URL.Path, strings.NewReader(tell.body)).WithContext(r.Context())
		onward.Header = tell.header
		receiver.ServeHTTP(w, onward)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// webhooks are those that the suite asks for.
func webhooks(backend string) []app.Webhook {
	all, existence := app.DefaultWebhook, app.DefaultWebhook
	all.URL = backend + "/all"
	existence.URL, existence.Events = backend+"/channel_existence", []string{"channel_existence"}
	return []app.Webhook{all, existence}
}

func hooksOf(c *config.Config) []app.Webhook {
	for i := range c.Apps {
		if c.Apps[i].ID == credentialsOf(mainApp).ID {
			return c.Apps[i].Webhooks
		}
	}
	return nil
}

// tracker follows subscriptions in its own way.
type tracker struct {
	occupancy.Tracker
	tell   func(occupancy.Change)
	join   func(k *tracker, t channel.Topic, userID string)
	leave  func(k *tracker)
	missed bool // every miss is told
}

func (k *tracker) Start(tell func(occupancy.Change)) {
	k.tell = tell
	k.Tracker.Start(tell)
}

func (k *tracker) Join(ctx context.Context, t channel.Topic, userID string) error {
	err := k.Tracker.Join(ctx, t, userID)
	if k.join != nil {
		k.join(k, t, userID)
	}
	return err
}

func (k *tracker) Leave(ctx context.Context, t channel.Topic, userID string) error {
	err := k.Tracker.Leave(ctx, t, userID)
	if k.leave != nil {
		k.leave(k)
	}
	return err
}

func (k *tracker) Missed(ctx context.Context, t channel.Topic) (bool, error) {
	if k.missed {
		return true, nil
	}
	return k.Tracker.Missed(ctx, t)
}

// tracking has a server use a tracker of its own.
func tracking(k tracker) func(*hub.Ports) {
	return func(p *hub.Ports) {
		mine := k
		mine.Tracker = p.Occupancy
		p.Occupancy = &mine
	}
}

// waiting tells a backend at once, and waits for its answer.
type waiting struct{}

func (waiting) Notify(a *app.App, e webhook.Event) {
	for _, w := range a.Webhooks {
		if !w.Wants(e.Name, e.Channel) {
			continue
		}
		body := `{"time_ms":1,"events":[{"name":"` + e.Name + `","channel":"` + e.Channel + `"}]}`
		if res, err := http.Post(w.URL, "application/json", strings.NewReader(body)); err == nil {
			_ = res.Body.Close()
		}
	}
}

var (
	seconds   = regexp.MustCompile(`("time_ms":\d+)\d{3},`)
	vacated   = regexp.MustCompile(`"channel_vacated"`)
	added     = regexp.MustCompile(`("member_added",.*"user_id":)"([^"]*)"`)
	whisper   = regexp.MustCompile(`"data":"((?:[^"\\]|\\.)*)"`)
	ofPrivate = regexp.MustCompile(`("channel":"private-.*"socket_id":"[^"]*")`)
	anonymous = regexp.MustCompile(`,"user_id":"[^"]*"`)
)

// webhookMutants tell backends otherwise.
func webhookMutants() []mutant {
	return []mutant{
		{
			name: "webhooks-every-tab", bug: "a backend hears of every subscription",
			killedBy: []string{"WHK-01"},
			ports: tracking(tracker{join: func(k *tracker, t channel.Topic, _ string) {
				k.tell(occupancy.Change{Topic: t, Came: true})
			}}),
		},
		{
			name: "webhooks-second-tab", bug: "a backend hears of a user's second tab",
			killedBy: []string{"WHK-04"},
			ports: tracking(tracker{join: func(k *tracker, t channel.Topic, userID string) {
				if userID != "" {
					k.tell(occupancy.Change{Topic: t, UserID: userID, Came: true})
				}
			}}),
		},
		{
			name: "webhooks-never-vacated", bug: "a backend does not hear that a channel is vacated",
			killedBy: []string{"WHK-01", "WHK-02"},
			told:     func(w *telling) { w.lost = vacated.MatchString(w.body) },
		},
		{
			name: "webhooks-no-grace", bug: "a channel is vacated as soon as it is left",
			killedBy: []string{"WHK-03"},
			ports:    tracking(tracker{leave: func(k *tracker) { _ = k.Flush(context.Background()) }}),
		},
		{
			name: "webhooks-user-id-number", bug: "a user's ID is told as the number that it was",
			killedBy: []string{"WHK-04"},
			told: func(w *telling) {
				if strings.Contains(w.body, `"user_id":"7"`) {
					w.rewrite(added, "${1}${2}")
				}
			},
		},
		{
			name: "webhooks-wrong-tenant", bug: "webhooks are signed with the secret of another app",
			killedBy: []string{"WHK-05"},
			told: func(w *telling) {
				w.header.Set("X-Pusher-Signature", client.Sign(credentialsOf(conformance.Second).Secret, w.body))
			},
		},
		{
			name: "webhooks-wrong-key", bug: "webhooks name the key of another app",
			killedBy: []string{"WHK-05"},
			told:     func(w *telling) { w.header.Set("X-Pusher-Key", credentialsOf(conformance.Second).Key) },
		},
		{
			name: "webhooks-signed-before", bug: "the signature is that of other bytes than those that are sent",
			killedBy: []string{"WHK-05"},
			told:     func(w *telling) { w.body += "\n" },
		},
		{
			name: "webhooks-charset", bug: "the type of a webhook has a charset",
			killedBy: []string{"WHK-06"},
			told:     func(w *telling) { w.header.Set("Content-Type", "application/json; charset=utf-8") },
		},
		{
			name: "webhooks-seconds", bug: "the time of a webhook is in seconds",
			killedBy: []string{"WHK-07"},
			told:     func(w *telling) { w.rewrite(seconds, "${1},") },
		},
		{
			name: "webhooks-private-user", bug: "a client event of a private channel has a user",
			killedBy: []string{"WHK-08"},
			told:     func(w *telling) { w.rewrite(ofPrivate, `${1},"user_id":"u1"`) },
		},
		{
			name: "webhooks-anonymous", bug: "a client event of a presence channel has no user",
			killedBy: []string{"WHK-08"},
			told: func(w *telling) {
				if strings.Contains(w.body, `"client_event"`) {
					w.rewrite(anonymous, "")
				}
			},
		},
		{
			name: "webhooks-nested-data", bug: "the data of a client event is what it was, not a string",
			killedBy: []string{"WHK-08", "WHK-16"},
			told: func(w *telling) {
				if data := whisper.FindStringSubmatch(w.body); data != nil {
					w.rewrite(whisper, `"data":`+strings.ReplaceAll(data[1], `\"`, `"`))
				}
			},
		},
		{
			name: "webhooks-every-miss", bug: "a backend hears of every miss of a cache",
			killedBy: []string{"WHK-09"},
			ports:    tracking(tracker{missed: true}),
		},
		{
			name: "webhooks-batched", bug: "events come together though batching is off",
			killedBy: []string{"WHK-11"},
			config:   func(c *config.Config) { hooksOf(c)[0].Batch = true },
		},
		{
			name: "webhooks-once", bug: "a webhook that fails is not sent again",
			killedBy: []string{"WHK-13"},
			config:   func(c *config.Config) { c.Webhooks.RetryFor = 500 * time.Millisecond },
		},
		{
			name: "webhooks-blocking", bug: "a client waits until the backend has heard",
			killedBy: []string{"WHK-14"}, also: []string{"WHK-13"},
			ports: func(p *hub.Ports) { p.Webhooks = waiting{} },
		},
		{
			name: "webhooks-unfiltered", bug: "a URL hears what it has not asked for",
			killedBy: []string{"WHK-15"},
			config:   func(c *config.Config) { hooksOf(c)[1].Events = nil },
		},
	}
}
