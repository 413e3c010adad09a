package server_test

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/server"
)

func TestRoutes(t *testing.T) {
	for _, prefix := range []string{"", "/ws"} {
		s := serve(t, func(c *config.Config) { c.Server.Path = prefix })
		base := "http://" + s.server.Addr().String()
		for _, test := range []struct {
			method, path string
			status       int
			body         string
		}{
			{"GET", "/up", 200, `{"health":"OK"}`},
			{"GET", prefix + "/up", 200, `{"health":"OK"}`},
			{"GET", "/live", 200, `{"health":"OK"}`},
			{"GET", "/ready", 200, `{"health":"OK"}`},
			{"POST", "/up", 405, "Method not allowed."},
			{"GET", "/", 404, "Not found."},
			{"GET", "/nothing", 404, "Not found."},
			{"POST", prefix + "/app/" + appKey, 405, "Method not allowed."},
			{"GET", prefix + "/app/" + appKey, 426, ""},
			{"GET", prefix + "/apps/" + appID + "/channels", 401, ""},
			{"GET", "/metrics", 404, "Not found."}, // what is the operator's alone
			{"GET", "/debug/pprof/", 404, "Not found."},
			{"GET", prefix + "/metrics", 404, "Not found."},
		} {
			r, err := http.NewRequest(test.method, base+test.path, nil)
			must(t, err)
			r.Close = true
			res, err := http.DefaultClient.Do(r)
			must(t, err)
			b, err := io.ReadAll(res.Body)
			must(t, err)
			_ = res.Body.Close()
			if res.StatusCode != test.status || test.body != "" && string(b) != test.body {
				t.Errorf("%s %s: got %d %q, want %d %q", test.method, test.path, res.StatusCode, b, test.status, test.body)
			}
			if res.StatusCode == http.StatusMethodNotAllowed && !strings.Contains(res.Header.Get("Allow"), "GET") {
				t.Errorf("%s %s: got Allow %q, want GET in it", test.method, test.path, res.Header.Get("Allow"))
			}
		}
		if prefix != "" {
			if status, _ := get(t, s.server.Addr(), "/apps/"+appID+"/channels"); status != http.StatusNotFound {
				t.Errorf("the API without its prefix: got %d, want 404", status)
			}
		}
	}
}

func TestAdmin(t *testing.T) {
	s := serve(t)
	for path, part := range map[string]string{
		"/live":                     `{"health":"OK"}`,
		"/ready":                    `{"health":"OK"}`,
		"/metrics":                  "go_goroutines",
		"/debug/pprof/":             "goroutine",
		"/debug/pprof/heap?debug=1": "heap profile",
	} {
		if status, body := get(t, s.server.AdminAddr(), path); status != http.StatusOK || !strings.Contains(body, part) {
			t.Errorf("GET %s: got %d %.100q, want 200 and %s in it", path, status, body, part)
		}
	}
	for _, path := range []string{"/app/" + appKey, "/apps/" + appID + "/channels", "/"} {
		if status, _ := get(t, s.server.AdminAddr(), path); status != http.StatusNotFound {
			t.Errorf("GET %s: got %d, want 404", path, status)
		}
	}
}

func TestAdminMayBeSwitchedOff(t *testing.T) {
	s := serve(t, func(c *config.Config) { c.Admin.Listen = "" })
	if a := s.server.AdminAddr(); a != nil {
		t.Errorf("got an admin listener at %v, want none", a)
	}
}

func TestAdminAddressThatIsTaken(t *testing.T) {
	first := serve(t)
	c := config.Default()
	c.Server.Port = 0
	c.Admin.Listen = first.server.AdminAddr().String()
	s, err := server.New(c, discard)
	must(t, err)
	if err := s.Listen(); err == nil || !strings.Contains(err.Error(), "admin.listen") {
		t.Errorf("an address that was asked for: got %v, want to be told of admin.listen", err)
	}
}

// Nobody has asked for the default address, so its absence is no reason not to
// start. That it is free is not certain on the machine of a test.
func TestDefaultAdminAddressThatIsTaken(t *testing.T) {
	byDefault := func(c *config.Config) { c.Admin = config.Default().Admin }
	first := serve(t, byDefault)
	second := serve(t, byDefault)
	if a := second.server.AdminAddr(); a != nil {
		t.Errorf("got a second admin listener at %v, want none", a)
	}
	if !strings.Contains(second.log.String(), "level=WARN") {
		t.Errorf("got the log %s, want a warning", second.log)
	}
	if first.server.AdminAddr() == nil {
		t.Log("another process has the default admin address; the first server went without it, too")
	}
	if status, _ := get(t, second.server.Addr(), "/up"); status != http.StatusOK {
		t.Errorf("GET /up of the second server: got %d, want 200", status)
	}
}

func TestWebSocketOnAnotherPathIsToldSo(t *testing.T) {
	for _, test := range []struct{ prefix, path string }{
		{"", "/"},
		{"", "/application/" + appKey},
		{"", "/app/" + appKey + "/more"},
		{"/ws", "/app/" + appKey},
	} {
		s := serve(t, func(c *config.Config) { c.Server.Path = test.prefix })
		c, status := s.ask(test.path, nil)
		if c == nil {
			t.Errorf("%s: got %d, want a WebSocket", test.path, status)
			continue
		}
		m, err := c.read()
		must(t, err)
		if m.Event != "pusher:error" || !strings.Contains(string(m.Data), "4005") {
			t.Errorf("%s: got %s %s, want pusher:error 4005", test.path, m.Event, m.Data)
		}
		m, err = c.read()
		must(t, err)
		if m.close != 4005 {
			t.Errorf("%s: got %+v, want a close frame 4005", test.path, m)
		}
		must(t, c.answerClose(4005))
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revurb.sock")
	s := serve(t, func(c *config.Config) { c.Server.UnixSocket = path })
	if got, want := s.server.URL(), "unix:"+path; got != want {
		t.Errorf("got the URL %s, want %s", got, want)
	}
	c := s.connect()
	must(t, c.subscribe("news", nil))
	s.stop()
	must(t, seeShutdown(c))
	must(t, c.answerClose(4200))
	s.wait()
}

func TestURL(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*config.Config)
		prefix string
		suffix string
	}{
		{"the address", func(*config.Config) {}, "http://127.0.0.1:", ""},
		{"the path", func(c *config.Config) { c.Server.Path = "ws/" }, "http://127.0.0.1:", "/ws"},
		{"the hostname", func(c *config.Config) { c.Server.Hostname = "ws.example.com" }, "http://ws.example.com:", ""},
		{"an address for all interfaces", func(c *config.Config) { c.Server.Host = "0.0.0.0" }, "http://127.0.0.1:", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := serve(t, test.change).server.URL()
			if !strings.HasPrefix(url, test.prefix) || !strings.HasSuffix(url, test.suffix) {
				t.Errorf("got %s, want %s...%s", url, test.prefix, test.suffix)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*config.Config)
		part   string
	}{
		{"a path that is none", func(c *config.Config) { c.Server.Path = "/{x}" }, "server.path"},
		{"a path with a space", func(c *config.Config) { c.Server.Path = "/a b" }, "server.path"},
		{"a path with an empty segment", func(c *config.Config) { c.Server.Path = "/a//b" }, "server.path"},
		{"a proxy that is no address", func(c *config.Config) { c.Server.TrustedProxies = []string{"nginx"} }, "trusted_proxies"},
		{"a certificate that is missing", func(c *config.Config) { c.TLS = config.TLS{Cert: "missing.pem", Key: "missing.key"} }, "missing.pem"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config.Default()
			test.change(&c)
			if _, err := server.New(c, discard); err == nil || !strings.Contains(err.Error(), test.part) {
				t.Errorf("got %v, want an error that mentions %s", err, test.part)
			}
		})
	}
}

func TestServeReturnsWhyItCannotListen(t *testing.T) {
	first := serve(t)
	c := config.Default()
	c.Server.Port = port(first.server.Addr())
	c.Admin.Listen = ""
	s, err := server.New(c, discard)
	must(t, err)
	if _, err := s.Serve(t.Context()); err == nil || !strings.Contains(err.Error(), "--port") {
		t.Errorf("got %v, want to be told of --port", err)
	}
}
