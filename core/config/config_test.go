package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/protocol"
)

// get loads and wants no error.
func get(t *testing.T, text string, environ ...string) config.Loaded {
	t.Helper()
	l, err := load(t, text, environ...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestNothingConfiguredIsTheDefault(t *testing.T) {
	l := get(t, "")
	if want := config.Default(); !reflect.DeepEqual(l.Config, want) {
		t.Errorf("got\n%+v\nwant\n%+v", l.Config, want)
	}
	if l.Path != "" || len(l.Warnings) > 0 {
		t.Errorf("got path %q and warnings %q, want none", l.Path, l.Warnings)
	}
	for key, from := range l.Sources {
		if from != config.FromDefault {
			t.Errorf("%s comes from %q, want the default", key, from)
		}
	}
}

func TestLaterLayersWin(t *testing.T) {
	dir := dirWith(t, "[server]\nhost = \"10.0.0.1\"\nport = 1\npath = \"/file\"\nhostname = \"file\"\n")
	l, err := config.Load(config.Options{
		Dir: dir,
		Environ: []string{
			"REVERB_SERVER_PORT=2", "REVERB_SERVER_PATH=reverb", "REVERB_HOST=reverb",
			"REVURB_SERVER_PATH=/revurb", "REVURB_SERVER_HOSTNAME=revurb",
		},
		Flags: []config.Flag{{"hostname", "server.hostname", "flag"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		key    string
		got    any
		want   any
		source config.Source
	}{
		{"server.host", l.Config.Server.Host, "10.0.0.1", "revurb.toml:2"},
		{"server.port", l.Config.Server.Port, 2, "env REVERB_SERVER_PORT"},
		{"server.path", l.Config.Server.Path, "/revurb", "env REVURB_SERVER_PATH"},
		{"server.hostname", l.Config.Server.Hostname, "flag", "flag --hostname"},
		{"server.idle_timeout", l.Config.Server.IdleTimeout, time.Minute, "default"},
	}
	for _, test := range tests {
		if test.got != test.want || l.Sources[test.key] != test.source {
			t.Errorf("%s: got %v from %q, want %v from %q", test.key, test.got, l.Sources[test.key], test.want, test.source)
		}
	}
}

func TestNamedFileIsRead(t *testing.T) {
	dir := dirWith(t, "[server]\nport = 1\n")
	for name, port := range map[string]string{"flag.toml": "2", "env.toml": "3"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("[server]\nport = "+port+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"REVURB_CONFIG=env.toml"}
	tests := map[string]struct {
		options config.Options
		port    int
		source  config.Source
	}{
		"revurb.toml of the directory":    {config.Options{Dir: dir}, 1, "revurb.toml:2"},
		"REVURB_CONFIG instead":           {config.Options{Dir: dir, Environ: env}, 3, "env.toml:2"},
		"--config wins over both":         {config.Options{Dir: dir, Environ: env, Path: "flag.toml"}, 2, "flag.toml:2"},
		"an absolute path stays as it is": {config.Options{Dir: "/", Path: filepath.Join(dir, "env.toml")}, 3, config.Source(filepath.Join(dir, "env.toml") + ":2")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l, err := config.Load(test.options)
			if err != nil {
				t.Fatal(err)
			}
			if l.Config.Server.Port != test.port || l.Sources["server.port"] != test.source {
				t.Errorf("got %d from %q, want %d from %q", l.Config.Server.Port, l.Sources["server.port"], test.port, test.source)
			}
		})
	}
}

func TestFileOfEveryForm(t *testing.T) {
	want := app.Default(protocol.Pusher)
	want.ID, want.Key, want.Secret = "1", "k1", "canary-secret"
	want.MessageRate.Enabled = true
	want.MessageRate.Decay = 5 * time.Second
	tests := map[string]string{
		"headers":         anApp + "[apps.message_rate]\nenabled = true\ndecay = \"5s\"\n",
		"dotted keys":     anApp + "message_rate.enabled = true\nmessage_rate.decay = \"5s\"\n",
		"braces":          anApp + "message_rate = { enabled = true, decay = \"5s\" }\n",
		"a list in a row": "apps = [{ id = \"1\", key = \"k1\", secret = \"canary-secret\", message_rate = { enabled = true, decay = \"5s\" } }]\n",
		"a byte order mark, as Windows editors write": "\ufeff" + anApp + "message_rate.enabled = true\nmessage_rate.decay = \"5s\"\n",
		"line ends of Windows":                        strings.ReplaceAll(anApp+"message_rate.enabled = true\nmessage_rate.decay = \"5s\"\n", "\n", "\r\n"),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if got := get(t, text).Config.Apps; !reflect.DeepEqual(got, app.List{want}) {
				t.Errorf("got\n%+v\nwant\n%+v", got, want)
			}
		})
	}
}

func TestEachAppStartsFromItsDialect(t *testing.T) {
	l := get(t, anApp+"max_user_id = 7\n[[apps]]\nid = \"2\"\nkey = \"k2\"\nsecret = \"s\"\ndialect = \"reverb\"\n[apps.message_rate]\nenabled = true\n")
	pusher, reverb := app.Default(protocol.Pusher), app.Default(protocol.Reverb)
	pusher.ID, pusher.Key, pusher.Secret, pusher.MaxUserID = "1", "k1", "canary-secret", 7
	reverb.ID, reverb.Key, reverb.Secret, reverb.MessageRate.Enabled = "2", "k2", "s", true
	if want := (app.List{pusher, reverb}); !reflect.DeepEqual(l.Config.Apps, want) {
		t.Errorf("got\n%+v\nwant\n%+v", l.Config.Apps, want)
	}
	for key, want := range map[string]config.Source{
		"apps[0].max_user_id": "revurb.toml:6", "apps[0].max_event_size": "default",
		"apps[1].key": "revurb.toml:9", "apps[1].message_rate.enabled": "revurb.toml:13",
	} {
		if got := l.Sources[key]; got != want {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
	}
}

// Every key can be set in the environment, by a name that is no other's.
func TestEveryKeyHasAVariableOfItsOwn(t *testing.T) {
	l := get(t, anApp)
	names := map[string]string{config.EnvConfig: "the file"}
	for _, e := range l.Entries() {
		name := config.EnvName(strings.Replace(e.Key, "[0]", "", 1))
		if other, taken := names[name]; taken {
			t.Errorf("%s is %s and %s", name, other, e.Key)
		}
		names[name] = e.Key
	}
	for name, want := range map[string]string{
		"REVURB_SERVER_PORT": "server.port", "REVURB_WEBSOCKET_MAX_PENDING_BYTES": "websocket.max_pending_bytes",
		"REVURB_APP_ID": "apps[0].id", "REVURB_APP_MESSAGE_RATE_DECAY": "apps[0].message_rate.decay",
	} {
		if names[name] != want {
			t.Errorf("%s is %q, want %q", name, names[name], want)
		}
	}
}

func TestEnvironmentIsReadByKind(t *testing.T) {
	c := get(t, "",
		"REVURB_SERVER_HOST=", "REVURB_SERVER_PORT=9_000", "REVURB_WEBSOCKET_COMPRESSION=On",
		"REVURB_SERVER_DRAIN_TIMEOUT=1m30s", "REVURB_SERVER_TRUSTED_PROXIES=10.0.0.1, fd00::/8, unix,",
	).Config
	want := config.Default()
	want.Server.Host, want.Server.Port, want.WebSocket.Compression = "", 9000, true
	want.Server.DrainTimeout, want.Server.TrustedProxies = 90*time.Second, []string{"10.0.0.1", "fd00::/8", "unix"}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c, want)
	}
}

func TestAppOfTheEnvironment(t *testing.T) {
	two := anApp + "max_connections = 3\n[[apps]]\nid = \"2\"\nkey = \"k2\"\nsecret = \"s2\"\n"
	type line struct {
		id, key, secret string
		dialect         protocol.Dialect
		maxConnections  int
	}
	tests := map[string]struct {
		file    string
		environ []string
		want    []line
	}{
		"is the only one": {
			"",
			[]string{"REVURB_APP_ID=9", "REVURB_APP_KEY=k9", "REVURB_APP_SECRET=s9", "REVURB_APP_MAX_CONNECTIONS=5"},
			[]line{{"9", "k9", "s9", protocol.Pusher, 5}},
		},
		"comes after those of the file": {
			two,
			[]string{"REVURB_APP_ID=9", "REVURB_APP_KEY=k9", "REVURB_APP_SECRET=s9"},
			[]line{{"1", "k1", "canary-secret", protocol.Pusher, 3}, {"2", "k2", "s2", protocol.Pusher, 0}, {"9", "k9", "s9", protocol.Pusher, 0}},
		},
		"changes the one with its id": {
			two,
			[]string{"REVURB_APP_ID=2", "REVURB_APP_SECRET=new", "REVURB_APP_DIALECT=reverb"},
			[]line{{"1", "k1", "canary-secret", protocol.Pusher, 3}, {"2", "k2", "new", protocol.Reverb, 0}},
		},
		"changes the only one": {
			anApp,
			[]string{"REVURB_APP_SECRET=new", "REVURB_APP_MAX_CONNECTIONS=5"},
			[]line{{"1", "k1", "new", protocol.Pusher, 5}},
		},
		"gives the file's its secret": {
			"[[apps]]\nid = \"1\"\nkey = \"k\"\n",
			[]string{"REVURB_APP_SECRET=env"},
			[]line{{"1", "k", "env", protocol.Pusher, 0}},
		},
		"gives the file's all credentials": {
			"[[apps]]\nmax_connections = 3\n",
			[]string{"REVURB_APP_ID=9", "REVURB_APP_KEY=k9", "REVURB_APP_SECRET=s9"},
			[]line{{"9", "k9", "s9", protocol.Pusher, 3}},
		},
		"is Laravel's": {
			"",
			[]string{"REVERB_APP_ID=9", "REVERB_APP_KEY=k9", "REVERB_APP_SECRET=s9", "REVERB_APP_MAX_CONNECTIONS=5"},
			[]line{{"9", "k9", "s9", protocol.Reverb, 5}},
		},
		"is Laravel's, with our names on top": {
			"",
			[]string{"REVERB_APP_ID=9", "REVERB_APP_KEY=k9", "REVERB_APP_SECRET=s9", "REVERB_APP_MAX_CONNECTIONS=5", "REVURB_APP_SECRET=ours", "REVURB_APP_DIALECT=pusher"},
			[]line{{"9", "k9", "ours", protocol.Pusher, 5}},
		},
		"is Laravel's and in the file too": {
			anApp,
			[]string{"REVERB_APP_ID=1", "REVERB_APP_KEY=k1", "REVERB_APP_SECRET=canary-secret", "REVERB_APP_MAX_CONNECTIONS=5"},
			[]line{{"1", "k1", "canary-secret", protocol.Pusher, 5}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []line
			for _, a := range get(t, test.file, test.environ...).Config.Apps {
				got = append(got, line{a.ID, a.Key, a.Secret, a.Dialect, a.MaxConnections})
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

// What runs Reverb runs this without a change.
func TestLaravelNames(t *testing.T) {
	l := get(t, "",
		"REVERB_SERVER=reverb", "REVERB_SERVER_HOST=0.0.0.0", "REVERB_SERVER_PORT=6001", "REVERB_SERVER_PATH=ws/", "REVERB_HOST=ws.example.com",
		"REVERB_PORT=443", "REVERB_SCHEME=https", "VITE_REVERB_APP_KEY=k", "REDIS_HOST=redis", "REVERB_SCALING_ENABLED=false", "REVERB_UNHEARD_OF=1",
		"REVERB_MAX_REQUEST_SIZE=2_000_000",
		"REVERB_APP_ID=9", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=s", "REVERB_ALLOWED_ORIGINS=example.com,*.example.com",
		"REVERB_APP_PING_INTERVAL=20", "REVERB_APP_ACTIVITY_TIMEOUT=15", "REVERB_APP_MAX_CONNECTIONS=null", "REVERB_APP_MAX_MESSAGE_SIZE=20000",
		"REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM=all",
		"REVERB_APP_RATE_LIMITING_ENABLED=(true)", "REVERB_APP_RATE_LIMIT_MAX_ATTEMPTS=7", "REVERB_APP_RATE_LIMIT_DECAY_SECONDS=8", "REVERB_APP_RATE_LIMIT_TERMINATE=true",
	)
	want := config.Default()
	want.Server.Host, want.Server.Port, want.Server.Path, want.Server.Hostname = "0.0.0.0", 6001, "/ws", "ws.example.com"
	want.API.MaxRequestSize = 2_000_000
	a := app.Default(protocol.Reverb)
	a.ID, a.Key, a.Secret = "9", "k", "s"
	a.AllowedOrigins = []string{"example.com", "*.example.com"}
	a.PingInterval, a.ActivityTimeout = 20*time.Second, 15*time.Second
	a.MaxMessageSize, a.MaxEventSize, a.ClientEvents = 20_000, 2_000_000, app.FromAll
	a.MessageRate = app.MessageRate{Enabled: true, MaxAttempts: 7, Decay: 8 * time.Second, TerminateOnLimit: true}
	want.Apps = app.List{a}
	if !reflect.DeepEqual(l.Config, want) {
		t.Errorf("got\n%+v\nwant\n%+v", l.Config, want)
	}
}

func TestLaravelValues(t *testing.T) {
	reverb := []string{"REVERB_APP_ID=9", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=s"}
	tests := map[string]struct {
		file string
		env  string
		want func(config.Config) bool
	}{
		"no client events":       {"", "REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM=", func(c config.Config) bool { return c.Apps[0].ClientEvents == app.FromNone }},
		"an empty limit is none": {"", "REVERB_APP_MAX_CONNECTIONS=", func(c config.Config) bool { return c.Apps[0].MaxConnections == 0 }},
		"Reverb's own request size limits events and leaves room for a batch": {
			"", "REVERB_MAX_REQUEST_SIZE=10000",
			func(c config.Config) bool { return c.Apps[0].MaxEventSize == 10_000 && c.API.MaxRequestSize == 1<<20 },
		},
		"a request size is not for the file's app": {
			"[[apps]]\nid = \"9\"\nkey = \"k\"\nsecret = \"s\"\n", "REVERB_MAX_REQUEST_SIZE=10000",
			func(c config.Config) bool { return c.Apps[0].MaxEventSize == 10_240 },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if c := get(t, test.file, append(reverb, test.env)...).Config; !test.want(c) {
				t.Errorf("got %+v", c)
			}
		})
	}
}

// Kubernetes sets variables for every service, also for one of our name.
func TestServiceLinksAreIgnored(t *testing.T) {
	l := get(t, "",
		"REVURB_SERVICE_HOST=10.0.0.9", "REVURB_SERVICE_PORT=8080", "REVURB_SERVICE_PORT_HTTP=8080", "REVURB_PORT=tcp://10.0.0.9:8080",
		"REVURB_PORT_8080_TCP=tcp://10.0.0.9:8080", "REVURB_PORT_8080_TCP_PROTO=tcp", "REVURB_PORT_8080_TCP_PORT=8080", "REVURB_PORT_8080_TCP_ADDR=10.0.0.9",
		"REVURB_SERVER_SERVICE_HOST=10.0.0.8", "REVURB_SERVER_SERVICE_PORT=80", "REVURB_SERVER_PORT=tcp://10.0.0.8:80", "REVURB_SERVER_PORT_80_TCP_ADDR=10.0.0.8",
		"REVERB_SERVER_SERVICE_HOST=10.0.0.7", "REVERB_SERVER_PORT=tcp://10.0.0.7:80",
	)
	if want := config.Default(); !reflect.DeepEqual(l.Config, want) {
		t.Errorf("got\n%+v\nwant\n%+v", l.Config, want)
	}
}

func TestReservedNamesAreNoKeys(t *testing.T) {
	get(t, "", "REVURB_CONFORMANCE_SECRET=s", "REVURB_CONFORMANCE_URL=ws://x")
}

func TestWarnings(t *testing.T) {
	tests := map[string]struct {
		file    string
		environ []string
		want    string
	}{
		"a Redis that is nowhere":          {"[redis]\npassword = \"canary\"\n", nil, "revurb.toml:2: redis.password is set, but nothing says where the Redis is, so the server runs alone"},
		"a limit of Laravel's, and no app": {"", []string{"REVERB_APP_PING_INTERVAL=9"}, "REVERB_APP_PING_INTERVAL is not used: no REVERB_APP_ID says which app it is for"},
		"an event larger than a request":   {anApp + "max_event_size = 1_048_577\n[websocket]\nmax_pending_bytes = 9_000_000\n", nil, "revurb.toml:6: max_event_size is 1048577, but a request may have only 1048576 bytes"},
		"a message that cuts off":          {anApp + "max_message_size = 2_000_000\n", nil, "revurb.toml:6: max_message_size is 2000000, but a client that is 1048576 bytes behind is cut off"},
		"an app that nobody can reach":     {anApp + "tls_only = true\n", nil, "revurb.toml:6: tls_only is on, but the server has no certificate and trusts no proxy"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := get(t, test.file, test.environ...)
			if len(l.Warnings) != 1 || !strings.HasPrefix(l.Warnings[0], test.want) {
				t.Errorf("got %q, want one that begins with %q", l.Warnings, test.want)
			}
		})
	}
}

// What config show writes can be read again, and means the same; only the
// secrets are missing.
func TestShownConfigurationLoads(t *testing.T) {
	text := anApp + "allowed_origins = [\"a.example\", \"*.b.example\"]\n[server]\nidle_timeout = \"90m\"\nunix_socket = \"say-\\\"x\\\"<>\"\n[tls]\ncert = \"a\\\\b\"\nkey = \"c\"\n"
	l := get(t, text)
	shown := config.TOML(l.Entries())
	if strings.Contains(shown, "canary-secret") {
		t.Errorf("a secret is shown:\n%s", shown)
	}
	again := get(t, strings.ReplaceAll(shown, "********", "canary-secret"))
	if !reflect.DeepEqual(again.Config, l.Config) {
		t.Errorf("got\n%+v\nwant\n%+v", again.Config, l.Config)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"start", "init", "version", "api", "apps"}
	for name, want := range map[string]string{"strat": "start", "inti": "init", "Version": "version", "deploy": "", "x": "", "app": "apps"} {
		if got := config.Nearest(name, names); got != want {
			t.Errorf("Nearest(%q): got %q, want %q", name, got, want)
		}
	}
}
