package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A handler serves one request of the backend of r.app, which is authenticated.
// What it returns is the body of the response, in JSON.
type handler func(r *request) ([]byte, error)

// route is one endpoint.
type route struct {
	method    string
	path      string // below /apps/{app}/; * is the name of a channel, @ the ID of a user
	endpoint  string // its name in the metrics
	status    int
	publishes bool // it counts against publish_rate, by itself, and not against query_rate
	handle    handler
}

// table is all the endpoints that there are.
func (api *API) table() []route {
	return []route{
		{"POST", "events", "events", http.StatusOK, true, api.postEvents},
		{"POST", "batch_events", "batch_events", http.StatusOK, true, api.postBatch},
		{"GET", "channels", "channels", http.StatusOK, false, api.getChannels},
		{"GET", "channels/*", "channel", http.StatusOK, false, api.getChannel},
		{"GET", "channels/*/users", "users", http.StatusOK, false, api.getUsers},

		{"POST", terminatePath, "terminate_connections", http.StatusOK, false, api.postTerminate},

		// Of Laravel Reverb alone.
		{"GET", "connections", "connections", http.StatusOK, false, api.getConnections},

		// Deprecated, but still called by old libraries.
		{"POST", "channels/*/events", "channel_events", http.StatusAccepted, true, api.postChannelEvent},
		{"GET", "channels/*/stats", "stats", http.StatusOK, false, api.getStats},
	}
}

// route finds the endpoint of r, and the app and the channel that its path
// names.
func (api *API) route(r *request) (route, error) {
	segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), r.prefix), "/") // "", "apps", app, ...
	find := func() error { return api.findApp(r, unescape(segments[2])) }
	switch {
	case withoutApp(segments):
		segments = append([]string{"", "apps", ""}, segments[1:]...)
		find = func() error { return api.findAppByKey(r) }
	case len(segments) < 4 || segments[1] != "apps" || segments[2] == "":
		return route{}, notFound()
	}
	var allowed []string
	for _, rt := range api.routes {
		name, ok := rt.match(segments[3:])
		if !ok {
			continue
		}
		if rt.method != r.Method {
			allowed = append(allowed, rt.method)
			continue
		}
		r.endpoint, r.name = rt.endpoint, name
		return rt, find()
	}
	if allowed == nil {
		return route{}, notFound()
	}
	slices.Sort(allowed)
	f := fail(http.StatusMethodNotAllowed, "Method not allowed: this is for %s", strings.Join(allowed, " and "))
	f.header = http.Header{"Allow": {strings.Join(allowed, ", ")}}
	return route{}, f
}

func notFound() error { return fail(http.StatusNotFound, "Not found: there is no such endpoint") }

// match reports whether segments are the path of rt, and which channel or user
// they name.
func (rt *route) match(segments []string) (name string, ok bool) {
	for want := range strings.SplitSeq(rt.path, "/") {
		switch {
		case len(segments) == 0:
			return "", false
		case (want == "*" || want == "@") && segments[0] != "":
			name = unescape(segments[0])
		case want != segments[0]:
			return "", false
		}
		segments = segments[1:]
	}
	return name, len(segments) == 0
}

// unescape decodes one segment of a path. The server has refused a request whose
// path cannot be decoded.
func unescape(segment string) string {
	if s, err := url.PathUnescape(segment); err == nil {
		return s
	}
	return segment
}

func (api *API) findApp(r *request, id string) error {
	a, err := api.apps.ByID(r.Context(), id)
	if err != nil {
		return appError(id, err)
	}
	r.app, r.tenant = a, api.tenants.of(a, api.metrics)
	return nil
}
