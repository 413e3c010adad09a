package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/auth"
)

const terminatePath = "users/@/terminate_connections"

// postTerminate ends the connections of a user. That the user may have none is
// no error.
func (api *API) postTerminate(r *request) ([]byte, error) {
	if err := api.hub.Terminate(r.Context(), r.app, r.name); err != nil {
		return nil, err
	}
	return empty, nil
}

// withoutApp reports whether segments are the path of postTerminate as the
// Python library writes it, which leaves /apps/{app} out.
func withoutApp(segments []string) bool {
	rt := route{path: terminatePath}
	_, ok := rt.match(segments[1:])
	return ok
}

// findAppByKey finds the app of a request that names none in its path. It must
// then be the one whose key the request is signed with.
func (api *API) findAppByKey(r *request) error {
	q, err := auth.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("%v", err)
	}
	key := q.Get("auth_key")
	if key == "" {
		return fail(http.StatusUnauthorized, "%s", auth.ErrNoKey)
	}
	a, err := api.apps.ByKey(r.Context(), key)
	switch {
	case errors.Is(err, app.ErrNotFound):
		return fail(http.StatusUnauthorized, "%s", auth.ErrUnknownKey)
	case err != nil:
		return fmt.Errorf("find app: %w", err)
	}
	r.app, r.tenant = a, api.tenants.of(a, api.metrics)
	return nil
}
