package config

import (
	"strings"
	"time"

	"github.com/revurb/revurb/core/api"
	"github.com/revurb/revurb/core/app"
)

// reverbNames are the variables of Laravel Reverb that mean something here.
// What else begins with REVERB_ is for Laravel or its frontend, and is left to
// them.
var reverbNames = []struct {
	name string
	key  string

	// read returns the value, or what is wanted instead of the text; neither
	// is no setting. Without it, text is read as any value of the key is.
	read func(text string) (value any, want string)
}{
	{"REVERB_SERVER_HOST", "server.host", nil},
	{"REVERB_SERVER_PORT", "server.port", nil},
	{"REVERB_SERVER_PATH", "server.path", reverbPath},
	{"REVERB_HOST", "server.hostname", nil},

	{"REVERB_APP_ID", "apps.id", nil},
	{"REVERB_APP_KEY", "apps.key", nil},
	{"REVERB_APP_SECRET", "apps.secret", nil},
	{"REVERB_ALLOWED_ORIGINS", "apps.allowed_origins", nil},
	{"REVERB_APP_PING_INTERVAL", "apps.ping_interval", seconds},
	{"REVERB_APP_ACTIVITY_TIMEOUT", "apps.activity_timeout", seconds},
	{"REVERB_APP_MAX_CONNECTIONS", "apps.max_connections", nil},
	{"REVERB_APP_MAX_MESSAGE_SIZE", "apps.max_message_size", nil},
	{"REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM", "apps.client_events", reverbClientEvents},
	{"REVERB_APP_RATE_LIMITING_ENABLED", "apps.message_rate.enabled", nil},
	{"REVERB_APP_RATE_LIMIT_MAX_ATTEMPTS", "apps.message_rate.max_attempts", nil},
	{"REVERB_APP_RATE_LIMIT_DECAY_SECONDS", "apps.message_rate.decay", seconds},
	{"REVERB_APP_RATE_LIMIT_TERMINATE", "apps.message_rate.terminate_on_limit", nil},

	// Reverb has one limit, of a whole request. Here a request may always have
	// a batch in it, and an event has a limit of its own; so that nothing is
	// refused that Reverb takes, this one raises the former and is the latter.
	{reverbMaxRequestSize, "api.max_request_size", raisedRequestSize},
	{reverbMaxRequestSize, "apps.max_event_size", eventSize},
}

const (
	reverbPrefix         = "REVERB_"
	reverbMaxRequestSize = "REVERB_MAX_REQUEST_SIZE"
)

// readReverb returns what Laravel's variables set.
func (e environment) readReverb(bad *Problems) (l layer) {
	for _, r := range reverbNames {
		text, ok := e[r.name]
		if text = laravelNull(text); !ok || text == "" && r.name != "REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM" {
			continue
		}
		k, from := findKey(r.key), fromEnv(r.name)
		if r.read == nil {
			l = append(l, k.parse(text, from, bad)...)
			continue
		}
		value, want := r.read(text)
		switch {
		case want != "":
			bad.add(from, "want %s, not %q", want, text)
		case value != nil:
			l = append(l, k.checked(value, from, bad)...)
		}
	}
	return l
}

// laravelNull is text, or "" if Laravel's env() takes it for nothing.
func laravelNull(text string) string {
	switch strings.ToLower(text) {
	case "null", "(null)", "empty", "(empty)":
		return ""
	case "(true)", "(false)":
		return strings.Trim(text, "()")
	}
	return text
}

// reverbPath adds the slash that Laravel's configuration may leave out.
func reverbPath(text string) (any, string) {
	if text = strings.Trim(text, "/"); text == "" {
		return "", ""
	}
	return "/" + text, ""
}

func seconds(text string) (any, string) {
	n, ok := parseInt(text)
	if !ok || n.(int) > maxSize { // which fits a Duration
		return nil, "a number of seconds, such as 60"
	}
	return time.Duration(n.(int)) * time.Second, ""
}

// reverbClientEvents reads Reverb's names for the modes of client events.
func reverbClientEvents(text string) (any, string) {
	switch strings.ToLower(text) {
	case "all":
		return string(app.FromAll), ""
	case "members":
		return string(app.FromMembers), ""
	case "", "none", "off", "false", "0":
		return string(app.FromNone), ""
	}
	return nil, "all, members or none"
}

func raisedRequestSize(text string) (any, string) {
	n, ok := parseInt(text)
	switch {
	case !ok || n.(int) < 1:
		return nil, "a number of bytes, such as 10000"
	case n.(int) <= api.DefaultConfig.MaxRequestSize:
		return nil, ""
	}
	return n, ""
}

// eventSize leaves it to raisedRequestSize to find fault with the text.
func eventSize(text string) (any, string) {
	if n, ok := parseInt(text); ok && n.(int) >= 1 && n.(int) <= maxSize {
		return n, ""
	}
	return nil, ""
}
