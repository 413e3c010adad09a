package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// ErrReloading is the error of a reload while another one is under way.
var ErrReloading = errors.New("plugins are being reloaded already; try again once that is done")

// Plugins is what an operator may ask of plugins. What a func returns is
// written as JSON. Without a func its path is not found.
type Plugins struct {
	// List returns the plugins that are loaded, and how they are.
	List func() any

	// Reload loads the plugins anew, all or none, and returns what has changed.
	Reload func(ctx context.Context) (any, error)
}

func (p Plugins) routes(mux *http.ServeMux) {
	if p.List != nil {
		mux.HandleFunc("GET /plugins", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, p.List())
		})
	}
	if p.Reload != nil {
		// The listener asks nobody for a password, so a web page that the
		// operator has open must not be able to post to it.
		mux.Handle("POST /plugins/reload", http.NewCrossOriginProtection().Handler(http.HandlerFunc(p.reload)))
	}
}

func (p Plugins) reload(w http.ResponseWriter, r *http.Request) {
	report, err := p.Reload(r.Context())
	switch {
	case errors.Is(err, ErrReloading):
		refuse(w, http.StatusConflict, err)
	case err != nil:
		refuse(w, http.StatusUnprocessableEntity, err)
	default:
		answer(w, http.StatusOK, report)
	}
}

func refuse(w http.ResponseWriter, status int, err error) {
	answer(w, status, struct {
		Error string `json:"error"`
	}{err.Error()})
}

func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "write the answer as JSON: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
