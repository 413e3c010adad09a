package api

import (
	"net/http"
	"sync"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/limit"
	"github.com/revurb/revurb/core/metrics"
)

// tenant is what the API keeps of one app between requests.
type tenant struct {
	// Static after construction.
	settings settings
	signer   *auth.Signer
	rates    map[rateLimit]*limit.Rate
	metrics  *metrics.App
}

// settings are those of an app that a tenant is made of.
type settings struct {
	secret                 string
	publishRate, queryRate int
}

// rateLimit names a limit, as the metrics do.
type rateLimit string

const (
	limitPublish rateLimit = "publish"
	limitQuery   rateLimit = "query"
)

// tenants holds the tenants. The zero value is ready to use.
type tenants struct {
	mu   sync.RWMutex // guards what follows
	byID map[string]*tenant
}

// of returns the tenant of a. It is a new one if the settings of a have changed.
func (ts *tenants) of(a *app.App, m *metrics.Metrics) *tenant {
	s := settings{a.Secret, a.PublishRate, a.QueryRate}
	ts.mu.RLock()
	t := ts.byID[a.ID]
	ts.mu.RUnlock()
	if t != nil && t.settings == s {
		return t
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.byID[a.ID]; t != nil && t.settings == s {
		return t
	}
	t = &tenant{
		settings: s,
		signer:   auth.NewSigner(a.Secret),
		rates: map[rateLimit]*limit.Rate{
			limitPublish: limit.PerSecond(a.PublishRate),
			limitQuery:   limit.PerSecond(a.QueryRate),
		},
		metrics: m.App(a.ID),
	}
	if ts.byID == nil {
		ts.byID = map[string]*tenant{}
	}
	ts.byID[a.ID] = t
	return t
}

// allow counts n against a limit of r's app, on all nodes together. Publishing
// counts the events, not the channels that they go to.
func (api *API) allow(r *request, l rateLimit, n int) error {
	t := r.tenant
	perSecond := map[rateLimit]int{limitPublish: t.settings.publishRate, limitQuery: t.settings.queryRate}[l]
	wait, ok, shared := api.hub.AllowTogether(r.Context(), r.app, string(l), n, perSecond)
	if !shared {
		wait, ok = t.rates[l].AllowN(n)
	}
	if ok {
		return nil
	}
	t.metrics.Limited(string(l))
	return fail(http.StatusTooManyRequests, "Rate limit exceeded: see %s_rate of the app", l).retryAfter(wait)
}
