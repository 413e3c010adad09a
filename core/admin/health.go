package admin

import (
	"io"
	"net/http"
)

// Live answers 200 for as long as the process answers at all.
func Live() http.Handler { return health(func() Health { return OK }) }

// Ready answers 200 while new clients are welcome, and 503 when they had better go
// elsewhere, with the reason.
func Ready(ask func() Health) http.Handler { return health(ask) }

// Health is whether new clients are welcome.
type Health string

// The answers to that.
const (
	OK       Health = "OK" // as Reverb answers GET /up
	Stopping Health = "STOPPING"
	NoRedis  Health = "NO_REDIS" // the other nodes cannot be reached
)

func health(ask func() Health) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		is := ask()
		if is != OK {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, `{"health":"`+string(is)+`"}`)
	})
}
