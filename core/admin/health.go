package admin

import (
	"io"
	"net/http"
)

// Live answers 200 for as long as the process answers at all.
func Live() http.Handler { return health(func() bool { return true }) }

// Ready answers 200 while ready reports that new clients are welcome, and 503
// when they had better go elsewhere.
func Ready(ready func() bool) http.Handler { return health(ready) }

func health(ok func() bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !ok() {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"health":"STOPPING"}`)
			return
		}
		_, _ = io.WriteString(w, `{"health":"OK"}`) // as Reverb answers GET /up
	})
}
