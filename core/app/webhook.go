package app

import (
	"path"
	"slices"
	"time"
)

// Webhook is a URL of an app's backend that is told what happens.
type Webhook struct {
	URL      string   `koanf:"url"`
	Events   []string `koanf:"events"`   // names and groups of them; empty is all
	Channels []string `koanf:"channels"` // globs; empty is all
	Headers  []string `koanf:"headers"`  // "Name: value"

	Batch       bool          `koanf:"batch"`        // several events may come in one request
	BatchWindow time.Duration `koanf:"batch_window"` // for which the first waits for others
	BatchSize   int           `koanf:"batch_size"`   // events of one request, at most
	Timeout     time.Duration `koanf:"timeout"`      // of one request
}

// DefaultWebhook is a webhook without a URL: of all events, one in each request.
var DefaultWebhook = Webhook{
	Events: []string{}, Channels: []string{}, Headers: []string{},
	BatchWindow: 50 * time.Millisecond, BatchSize: 50, Timeout: 5 * time.Second,
}

// The events that a backend may be told of.
const (
	ChannelOccupied   = "channel_occupied"
	ChannelVacated    = "channel_vacated"
	MemberAdded       = "member_added"
	MemberRemoved     = "member_removed"
	ClientEvent       = "client_event"
	CacheMiss         = "cache_miss"
	SubscriptionCount = "subscription_count"
)

// WebhookEvents are the names that Webhook.Events may have, and the events that
// each stands for. The groups are those of the hosted service's dashboard.
var WebhookEvents = map[string][]string{
	ChannelOccupied:     {ChannelOccupied},
	ChannelVacated:      {ChannelVacated},
	MemberAdded:         {MemberAdded},
	MemberRemoved:       {MemberRemoved},
	ClientEvent:         {ClientEvent},
	CacheMiss:           {CacheMiss},
	SubscriptionCount:   {SubscriptionCount},
	"channel_existence": {ChannelOccupied, ChannelVacated},
	"presence":          {MemberAdded, MemberRemoved},
}

// Wants reports whether the backend asked for an event of a channel.
func (w *Webhook) Wants(event, channel string) bool {
	wanted := func(name string) bool { return slices.Contains(WebhookEvents[name], event) }
	if len(w.Events) > 0 && !slices.ContainsFunc(w.Events, wanted) {
		return false
	}
	matches := func(glob string) bool {
		ok, err := path.Match(glob, channel)
		return ok && err == nil
	}
	return len(w.Channels) == 0 || slices.ContainsFunc(w.Channels, matches)
}
