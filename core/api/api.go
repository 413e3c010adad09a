package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/protocol"
)

// API serves /apps/{app}/..., and what one library asks for without /apps/{app}.
type API struct {
	// Static after construction.
	config  Config
	apps    app.Finder
	hub     *hub.Hub
	metrics *metrics.Metrics
	log     *slog.Logger
	routes  []route

	tenants tenants
}

// New returns the API to h for the apps that are found in apps.
func New(c Config, apps app.Finder, h *hub.Hub, m *metrics.Metrics, log *slog.Logger) *API {
	if c.MaxRequestSize <= 0 {
		c.MaxRequestSize = DefaultConfig.MaxRequestSize
	}
	api := &API{config: c, apps: apps, hub: h, metrics: m, log: log}
	api.routes = api.table()
	return api
}

// Register adds the API to mux, under prefix: "" or, for instance, "/ws". It
// takes every method of every path below /apps, so that what is no endpoint is
// answered, counted and logged like what is one.
func (api *API) Register(mux *http.ServeMux, prefix string) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { api.serve(w, r, prefix) })
	mux.Handle(prefix+"/apps", h)
	mux.Handle(prefix+"/apps/", h)
	mux.Handle(prefix+"/users/{user}/terminate_connections", h)
}

// request is a request on its way through the API. What is not known of it yet
// is zero.
type request struct {
	*http.Request
	id     string // to find it in the log
	prefix string // of its path, which is not part of the API

	endpoint string // for the metrics
	app      *app.App
	tenant   *tenant
	name     string // of the channel or the user in the path
	query    auth.Query
	body     []byte
}

// unknown is the endpoint of requests for which there is none.
const unknown = "unknown"

func (api *API) serve(w http.ResponseWriter, hr *http.Request, prefix string) {
	start := time.Now()
	r := &request{Request: hr, id: requestID(hr.Header.Get(headerRequestID)), prefix: prefix, endpoint: unknown}
	w.Header().Set(headerRequestID, r.id)

	status := api.respond(w, r)

	took := time.Since(start)
	appID := ""
	if r.app != nil {
		appID = r.app.ID
	}
	api.metrics.Request(appID, r.endpoint, status, took)
	if api.log.Enabled(r.Context(), slog.LevelDebug) {
		// The path without its query: that has signatures, and may have data.
		api.log.Debug("request", "method", r.Method, "path", protocol.RedactText(r.URL.EscapedPath()),
			"status", status, "took", took, "app", appID, "request_id", r.id)
	}
}

// respond answers r, whatever happens on the way, and returns the status.
func (api *API) respond(w http.ResponseWriter, r *request) (status int) {
	status, body, err := api.contain(w, r)
	if err == nil {
		return write(w, status, body)
	}
	var f *failure
	if errors.As(err, &f) {
		return f.write(w)
	}
	if errors.Is(err, broker.ErrUnavailable) {
		api.log.Debug("the cluster is away", "err", err)
		return fail(http.StatusServiceUnavailable, "The cluster is not reachable at the moment: try again").retryAfter(time.Second).write(w)
	}
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return statusGone // nobody is left to read an answer
	}
	api.log.Error("serve request", "method", r.Method, "path", protocol.RedactText(r.URL.EscapedPath()), "err", err, "request_id", r.id)
	return fail(http.StatusInternalServerError, "Internal server error. Its cause is in the server's log, at request_id %s", r.id).write(w)
}

// contain makes an error of a panic in what answers r: it is a failure of one
// request, not of the process.
func (api *API) contain(w http.ResponseWriter, r *request) (status int, body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			api.metrics.Panicked()
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return api.answer(w, r)
}

// answer takes r through all that requests have in common, the cheapest checks
// first, to the handler of its endpoint.
func (api *API) answer(w http.ResponseWriter, r *request) (status int, body []byte, err error) {
	if err := checkFraming(r); err != nil {
		return 0, nil, err
	}
	route, err := api.route(r)
	if err != nil {
		return 0, nil, err
	}
	if err := api.authenticate(r); err != nil {
		return 0, nil, err
	}
	if err := api.readBody(w, r); err != nil {
		return 0, nil, err
	}
	if !route.publishes {
		if err := api.allow(r, limitQuery, 1); err != nil {
			return 0, nil, err
		}
	}
	body, err = route.handle(r)
	return route.status, body, err
}
