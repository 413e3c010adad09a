package loader

import "time"

// Config is one plugin, as [[plugins]] in revurb.toml has it.
type Config struct {
	Name         string         `koanf:"name"`         // for logs, metrics and what it keeps; by default that of the file
	Path         string         `koanf:"path"`         // of the .wasm file
	Enabled      bool           `koanf:"enabled"`      // false leaves it out, without losing its configuration
	SHA256       string         `koanf:"sha256"`       // of the file, in hexadecimal; another file is refused. "" takes any
	Apps         []string       `koanf:"apps"`         // IDs; "*" is all
	Hooks        []string       `koanf:"hooks"`        // of those that the plugin has; empty is all
	Channels     []string       `koanf:"channels"`     // patterns; empty is all
	Messages     string         `koanf:"messages"`     // which on_message is asked about: "all", "client" or "api"
	Capabilities []string       `koanf:"capabilities"` // log, config, kv, hmac, clock, random, publish:PATTERN
	Watch        bool           `koanf:"watch"`        // load the file again when it changes
	Config       map[string]any `koanf:"config"`       // what the plugin itself is configured with

	Authorize Authorize `koanf:"authorize"`
	OnError   OnError   `koanf:"on_error"`
	Limits    Limits    `koanf:"limits"`
}

// Authorize is what the plugin's authorize decides.
type Authorize struct {
	// Mode is "check", where the plugin is asked about what the signature allows,
	// or "replace", where its yes is enough.
	Mode string `koanf:"mode"`

	AllowFailOpen bool `koanf:"allow_fail_open"` // lets on_error.authorize be "allow"
}

// OnError is what happens when the plugin fails: "deny", "allow" or "skip", as if
// it had no opinion.
type OnError struct {
	OnConnect   string `koanf:"on_connect"`
	Authorize   string `koanf:"authorize"`
	OnSignin    string `koanf:"on_signin"`
	OnSubscribe string `koanf:"on_subscribe"`
	OnMessage   string `koanf:"on_message"`
}

// Limits bound what the plugin may take.
type Limits struct {
	Memory        Size          `koanf:"memory"`         // of an instance
	Pool          int           `koanf:"pool"`           // instances; 0 is as many as there are processors
	Deadline      time.Duration `koanf:"deadline"`       // of a call
	StartDeadline time.Duration `koanf:"start_deadline"` // of an instance's start
	Binary        Size          `koanf:"binary"`         // of the file
	Output        Size          `koanf:"output"`         // of an answer
	KV            Size          `koanf:"kv"`             // of what it keeps
}

// Size is a number of bytes, which revurb.toml may give as "16MiB".
type Size int64

// DefaultConfig is a plugin of which only the path is known.
func DefaultConfig() Config {
	return Config{
		Enabled:      true,
		Apps:         []string{"*"},
		Hooks:        []string{},
		Channels:     []string{},
		Messages:     "all",
		Capabilities: []string{"log", "config"},
		Config:       map[string]any{},
		Authorize:    Authorize{Mode: "check"},
		OnError:      OnError{"deny", "deny", "deny", "deny", "deny"},
		Limits: Limits{
			Memory: 16 << 20, Deadline: 20 * time.Millisecond, StartDeadline: time.Second,
			Binary: 10 << 20, Output: 1 << 20, KV: 16 << 20,
		},
	}
}
