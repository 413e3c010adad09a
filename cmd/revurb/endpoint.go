package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/revurb/revurb/core/app"
)

// endpoint is where clients connect to.
type endpoint struct {
	scheme string // http or https
	host   string // as it stands in a URL: an IPv6 address has brackets
	port   string
	path   string // before all routes
}

// endpointOf takes the URL of a server apart. Of a server on a Unix socket
// only the proxy in front of it knows how it is reached; then it is hostname,
// on the port of the web.
func endpointOf(rawURL, hostname, path string) (endpoint, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return endpoint{}, fmt.Errorf("read the server's URL: %w", err)
	}
	if u.Scheme == "unix" {
		if hostname == "" {
			hostname = "localhost"
		}
		return endpoint{"http", hostname, "80", path}, nil
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return endpoint{u.Scheme, host, u.Port(), strings.TrimSuffix(u.Path, "/")}, nil
}

// pusherJS is the line that connects a page to app a.
func (e endpoint) pusherJS(a app.App) string {
	port, tls, transport := "wsPort", "false", "ws"
	if e.scheme == "https" {
		port, tls, transport = "wssPort", "true", "wss"
	}
	path := ""
	if e.path != "" {
		path = fmt.Sprintf("wsPath: '%s', ", e.path)
	}
	return fmt.Sprintf("new Pusher('%s', { wsHost: '%s', %s: %s, %sforceTLS: %s, enabledTransports: ['%s'], cluster: 'mt1' })",
		a.Key, e.host, port, e.port, path, tls, transport)
}

// dotenv are the lines that point Laravel and its frontend at app a.
func (e endpoint) dotenv(a app.App) string {
	lines := []string{
		"BROADCAST_CONNECTION=reverb",
		"REVERB_APP_ID=" + a.ID,
		"REVERB_APP_KEY=" + a.Key,
		"REVERB_APP_SECRET=" + a.Secret,
		"REVERB_HOST=" + e.host,
		"REVERB_PORT=" + e.port,
		"REVERB_SCHEME=" + e.scheme,
	}
	if e.path != "" {
		lines = append(lines, "REVERB_SERVER_PATH="+e.path)
	}
	for _, name := range []string{"APP_KEY", "HOST", "PORT", "SCHEME"} {
		lines = append(lines, fmt.Sprintf(`VITE_REVERB_%s="${REVERB_%s}"`, name, name))
	}
	return strings.Join(lines, "\n")
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
