package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/admin"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/metrics"
)

func TestPlugins(t *testing.T) {
	reload := func(report any, err error) admin.Plugins {
		return admin.Plugins{Reload: func(context.Context) (any, error) { return report, err }}
	}
	list := admin.Plugins{List: func() any { return []map[string]string{{"name": "guard"}} }}
	tests := map[string]struct {
		plugins      admin.Plugins
		method, path string
		site         string // Sec-Fetch-Site, as browsers say it
		status       int
		body         string
	}{
		"are listed":                          {list, "GET", "/plugins", "", 200, `[{"name":"guard"}]`},
		"are not found where there are none":  {admin.Plugins{}, "GET", "/plugins", "", 404, ""},
		"are reloaded":                        {reload(map[string]int{"replaced": 1}, nil), "POST", "/plugins/reload", "", 200, `{"replaced":1}`},
		"are not reloaded where none are":     {admin.Plugins{}, "POST", "/plugins/reload", "", 404, ""},
		"that cannot be loaded are refused":   {reload(nil, errors.New(`guard: no "memory"`)), "POST", "/plugins/reload", "", 422, `{"error":"guard: no \"memory\""}`},
		"are reloaded one reload at a time":   {reload(nil, fmt.Errorf("x: %w", admin.ErrReloading)), "POST", "/plugins/reload", "", 409, `{"error":"x: ` + admin.ErrReloading.Error() + `"}`},
		"are not reloaded by looking":         {reload(1, nil), "GET", "/plugins/reload", "", 405, ""},
		"are not reloaded by somebody's page": {reload(1, nil), "POST", "/plugins/reload", "cross-site", 403, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, serve(t, test.plugins), test.method, test.path, test.site)
			if status != test.status || test.body != "" && strings.TrimSpace(body) != test.body {
				t.Errorf("got %d %s, want %d %s", status, body, test.status, test.body)
			}
		})
	}
}

// serve returns the URL of an admin server that is closed with the test.
func serve(t *testing.T, p admin.Plugins) string {
	t.Helper()
	s, err := admin.Listen(t.Context(), config.Admin{Listen: "127.0.0.1:0"}, metrics.New(), func() admin.Health { return admin.OK }, p, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + s.Addr().String()
}

func ask(t *testing.T, url, method, path, site string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if site != "" {
		r.Header.Set("Sec-Fetch-Site", site)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
