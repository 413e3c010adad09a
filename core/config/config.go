// Package config reads the configuration: the defaults, then revurb.toml, then
// the environment, then the flags. It is the only package that imports a
// configuration library, and it does not know what any key is for.
//
// It is strict: a name that it does not know, in the file or in a REVURB_
// variable, is an error that says where it is and what was probably meant.
// Laravel's REVERB_ variables are read unchanged; ours win over them.
//
// Each section is a struct of the package that uses it, with its defaults next
// to it; those of package server, which is above this one, are here. A new key
// is a field there and a line in revurb.toml: the test of this package fails
// until both are there.
package config

import (
	"time"

	"github.com/revurb/revurb/core/api"
	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/webhook"
	"github.com/revurb/revurb/core/websocket"
	"github.com/revurb/revurb/hooks/loader"
)

// Config is the whole of revurb.toml.
type Config struct {
	Server    Server           `koanf:"server"`
	TLS       TLS              `koanf:"tls"`
	WebSocket websocket.Config `koanf:"websocket"`
	API       api.Config       `koanf:"api"`
	Webhooks  webhook.Config   `koanf:"webhooks"`
	Hooks     loader.Settings  `koanf:"hooks"`
	Redis     redis.Config     `koanf:"redis"`
	Admin     Admin            `koanf:"admin"`
	Log       Log              `koanf:"log"`
	Apps      app.List         `koanf:"apps"`
	Plugins   []loader.Config  `koanf:"plugins"`
}

// Server is where the server listens and whom it lets in.
type Server struct {
	Host       string `koanf:"host"`
	Port       int    `koanf:"port"`        // 0 is any free port
	UnixSocket string `koanf:"unix_socket"` // a path; instead of host and port
	Path       string `koanf:"path"`        // before all routes, as /ws
	Hostname   string `koanf:"hostname"`    // what clients connect to, as the server says it

	DrainTimeout     time.Duration `koanf:"drain_timeout"`     // over which a stopping server spreads its goodbyes
	HandshakeTimeout time.Duration `koanf:"handshake_timeout"` // for TLS and the headers of a request
	RequestTimeout   time.Duration `koanf:"request_timeout"`   // for the body of a request
	IdleTimeout      time.Duration `koanf:"idle_timeout"`      // of an HTTP connection between requests
	MaxHeaderSize    int           `koanf:"max_header_size"`   // bytes of a request's headers

	TrustedProxies      []string `koanf:"trusted_proxies"` // addresses and CIDRs whose X-Forwarded-* are believed
	MaxConnectionsPerIP int      `koanf:"max_connections_per_ip"`
	ConnectionRatePerIP int      `koanf:"connection_rate_per_ip"` // a second
}

// TLS is the certificate to serve. Without one the server speaks plain HTTP.
type TLS struct {
	Cert string `koanf:"cert"` // a PEM file, with the chain
	Key  string `koanf:"key"`  // a PEM file
}

// Admin is the listener for metrics and profiles.
type Admin struct {
	Listen string `koanf:"listen"` // host:port; "" is none
}

// Log is what is logged, and how.
type Log struct {
	Level  string `koanf:"level"`  // debug, info, warn or error
	Format string `koanf:"format"` // auto, text or json
}

// Default is the configuration of an empty file.
func Default() Config {
	webhooks := webhook.DefaultConfig()
	webhooks.Grace = occupancy.DefaultGrace
	return Config{
		Server: Server{
			Host: "127.0.0.1", Port: 8080,
			DrainTimeout:     10 * time.Second,
			HandshakeTimeout: 5 * time.Second,
			RequestTimeout:   10 * time.Second,
			IdleTimeout:      60 * time.Second,
			MaxHeaderSize:    8 << 10,
			TrustedProxies:   []string{},
		},
		WebSocket: websocket.DefaultConfig,
		API:       api.DefaultConfig,
		Webhooks:  webhooks,
		Hooks:     loader.DefaultSettings,
		Redis:     redis.DefaultConfig,
		Admin:     Admin{Listen: "127.0.0.1:9601"},
		Log:       Log{Level: "info", Format: "auto"},
	}
}
