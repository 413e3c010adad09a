package app_test

import (
	"testing"

	"github.com/revurb/revurb/core/app"
)

func TestWants(t *testing.T) {
	tests := []struct {
		name             string
		events, channels []string
		event, channel   string
		want             bool
	}{
		{"everything, if nothing is asked for", nil, nil, app.CacheMiss, "cache-a", true},
		{"an event by its name", []string{app.CacheMiss}, nil, app.CacheMiss, "cache-a", true},
		{"not another one", []string{app.CacheMiss}, nil, app.ChannelOccupied, "cache-a", false},
		{"the first of a group", []string{"channel_existence"}, nil, app.ChannelOccupied, "a", true},
		{"the last of a group", []string{"cache_miss", "presence"}, nil, app.MemberRemoved, "presence-a", true},
		{"not what is in another group", []string{"channel_existence"}, nil, app.MemberAdded, "presence-a", false},
		{"a channel by its name", nil, []string{"news"}, app.ChannelOccupied, "news", true},
		{"a channel by its beginning", nil, []string{"x", "private-*"}, app.ChannelOccupied, "private-a", true},
		{"no other channel", nil, []string{"private-*"}, app.ChannelOccupied, "a-private-a", false},
		{"both must fit", []string{app.CacheMiss}, []string{"cache-*"}, app.CacheMiss, "private-cache-a", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := app.Webhook{Events: tt.events, Channels: tt.channels}
			if got := w.Wants(tt.event, tt.channel); got != tt.want {
				t.Errorf("Wants(%s, %s) = %v, want %v", tt.event, tt.channel, got, tt.want)
			}
		})
	}
}
