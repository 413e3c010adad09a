package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/config"
)

// load reads a file with the given text, if there is any, in a directory of
// its own.
func load(t *testing.T, text string, environ ...string) (config.Loaded, error) {
	t.Helper()
	return config.Load(config.Options{Dir: dirWith(t, text), Environ: environ})
}

func dirWith(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if text != "" {
		if err := os.WriteFile(filepath.Join(dir, config.FileName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const anApp = `
[[apps]]
id = "1"
key = "k1"
secret = "canary-secret"
`

// What a file says wrong is refused, with the line and what would be right.
func TestFileIsRefused(t *testing.T) {
	tests := map[string]struct {
		file string
		want []string // lines of the error
	}{
		"an unknown key names the nearest of its section": {
			"[server]\nhost = \"::1\"\nprot = 1\n",
			[]string{`revurb.toml:3: unknown key "prot" in [server]; did you mean "port"?`},
		},
		"an unknown key names the section it belongs in": {
			"[server]\nmax_pending_bytes = 1\n",
			[]string{`revurb.toml:2: unknown key "max_pending_bytes" in [server]; max_pending_bytes is a key of [websocket]`},
		},
		"a key before any section names its own": {
			"port = 1\n",
			[]string{`revurb.toml:1: unknown key "port"; port is a key of [server] and [redis]`},
		},
		"an unknown key like none lists those there are": {
			"[log]\nretention_policy = 1\n",
			[]string{`revurb.toml:2: unknown key "retention_policy" in [log]; [log] has level, format`},
		},
		"an unknown key of an app": {
			anApp + "max_conections = 5\n",
			[]string{`revurb.toml:6: unknown key "max_conections" in [[apps]]; did you mean "max_connections"?`},
		},
		"an unknown key in a table of an app": {
			anApp + "[apps.message_rate]\nenable = true\n",
			[]string{`revurb.toml:7: unknown key "enable" in [apps.message_rate]; did you mean "enabled"?`},
		},
		"an unknown key in braces": {
			anApp + "message_rate = { enabled = true, decays = \"1s\" }\n",
			[]string{`revurb.toml:6: unknown key "decays" in [apps.message_rate]; did you mean "decay"?`},
		},
		"a quoted key with a dot is not a path": {
			"\"server.port\" = 1\n",
			[]string{`revurb.toml:1: unknown key "server.port"; did you mean "port" in [server]?`},
		},
		"an unknown section is reported once": {
			"[sever]\nhost = \"::1\"\nport = 1\n[log]\nlevel = \"info\"\n",
			[]string{`revurb.toml:1: unknown section [sever]; did you mean [server]?`},
		},
		"one app is not a list of apps": {
			"[apps]\nid = \"1\"\n",
			[]string{`revurb.toml:1: [apps] is written [[apps]]`},
		},
		"a list called app": {
			"[[app]]\nid = \"1\"\n",
			[]string{`revurb.toml:1: unknown section [[app]]; did you mean [[apps]]?`},
		},
		"a section is not a list": {
			"[[server]]\nport = 1\n",
			[]string{`revurb.toml:1: [[server]] is written [server]`},
		},
		"a key is not a section": {
			"[server.port]\nnumber = 1\n",
			[]string{`revurb.toml:1: [server.port] is a key, not a section; write it as port = …`},
		},
		"a section is not a key": {
			"server = \"localhost:80\"\n",
			[]string{`revurb.toml:1: server is a section, not a key; write it as [server]`},
		},
		"apps is not a text":        {"apps = \"1\"\n", []string{`revurb.toml:1: apps is a list of tables; write each as [[apps]]`}},
		"apps is not a list of ids": {"apps = [\"1\"]\n", []string{`revurb.toml:1: apps is a list of tables; write each as [[apps]]`}},
		"apps is not one table":     {"apps.id = \"1\"\n", []string{`revurb.toml:1: apps is a list of tables; write each as [[apps]]`}},

		"text for a number":        {"[server]\nport = \"8080\"\n", []string{`revurb.toml:2: server.port: want a whole number, without quotes, not the text "8080"`}},
		"a fraction for a number":  {"[server]\nport = 80.5\n", []string{`revurb.toml:2: server.port: want a whole number, without quotes, not the number 80.5`}},
		"a number for text":        {"[server]\nhost = 1\n", []string{`revurb.toml:2: server.host: want text, in quotes, not the number 1`}},
		"text for true":            {"[websocket]\ncompression = \"true\"\n", []string{`revurb.toml:2: websocket.compression: want true or false, without quotes, not the text "true"`}},
		"a number for a duration":  {"[server]\nidle_timeout = 60\n", []string{`revurb.toml:2: server.idle_timeout: want a duration with a unit, in quotes, such as "500ms", "10s" or "1h30m", not the number 60`}},
		"a duration without unit":  {"[server]\nidle_timeout = \"60\"\n", []string{`revurb.toml:2: server.idle_timeout: want a duration with a unit, in quotes, such as "500ms", "10s" or "1h30m", not the text "60"`}},
		"text for a list":          {"[server]\ntrusted_proxies = \"10.0.0.1\"\n", []string{`revurb.toml:2: server.trusted_proxies: want a list of texts, such as ["a", "b"], not the text "10.0.0.1"`}},
		"a number in a list":       {"[server]\ntrusted_proxies = [\n  \"10.0.0.1\",\n  7,\n]\n", []string{`revurb.toml:2: server.trusted_proxies: want a list of texts, such as ["a", "b"], not a list with the number 7 in it`}},
		"a table for text":         {"[server]\nhost = { name = \"x\" }\n", []string{`revurb.toml:2: server.host: want text, in quotes, not a table`}},
		"a date for text":          {"[server]\nhost = 2026-01-01\n", []string{`revurb.toml:2: server.host: want text, in quotes, not a date or time`}},
		"a secret is not repeated": {"[[apps]]\nid = \"1\"\nkey = \"k\"\nsecret = 987654\n", []string{`revurb.toml:4: apps.secret: want text, in quotes, not this`, `revurb.toml:1: this app has no secret`}},

		"a port out of range":         {"[server]\nport = 65536\n", []string{`revurb.toml:2: server.port: 65536 is too large; the most is 65535`}},
		"a negative limit":            {anApp + "max_connections = -1\n", []string{`revurb.toml:6: apps.max_connections: -1 is too small; the least is 0`}},
		"unlimited messages":          {anApp + "max_message_size = 0\n", []string{`revurb.toml:6: apps.max_message_size: 0 is too small; the least is 1`}},
		"a negative duration":         {"[server]\ndrain_timeout = \"-1s\"\n", []string{`revurb.toml:2: server.drain_timeout: -1s is too short; the least is 0s`}},
		"no time for a handshake":     {"[server]\nhandshake_timeout = \"0s\"\n", []string{`revurb.toml:2: server.handshake_timeout: 0s is too short; the least is 1ms`}},
		"half a second for clients":   {anApp + "activity_timeout = \"1500ms\"\n", []string{`revurb.toml:6: apps.activity_timeout: 1.5s is not a whole number of seconds, which is what clients are told`}},
		"no time to authorize":        {anApp + "authorization_timeout = \"0s\"\n", []string{`revurb.toml:6: apps.authorization_timeout: 0s is too short; the least is 1s`}},
		"a code that clients fear":    {anApp + "terminate_code = 4300\n", []string{`revurb.toml:6: apps.terminate_code: 4300 is too large; the most is 4299`}},
		"a window of no seconds":      {anApp + "timestamp_window = \"500ms\"\n", []string{`revurb.toml:6: apps.timestamp_window: 500ms is too short; the least is 1s`}},
		"a level that is none":        {"[log]\nlevel = \"inof\"\n", []string{`revurb.toml:2: log.level: "inof" is not one of debug, info, warn, error; did you mean "info"?`}},
		"a dialect that is none":      {anApp + "dialect = \"soketi\"\n", []string{`revurb.toml:6: apps.dialect: "soketi" is not one of pusher, reverb`}},
		"a path without slash":        {"[server]\npath = \"ws\"\n", []string{`revurb.toml:2: server.path: "ws" must begin with a slash: "/ws"`}},
		"a path that ends in a slash": {"[server]\npath = \"/ws/\"\n", []string{`revurb.toml:2: server.path: "/ws/" must not end with a slash`}},
		"a path that is a pattern":    {"[server]\npath = \"/{app}\"\n", []string{`revurb.toml:2: server.path: "/{app}" is not a path such as /ws; use letters, digits and -._~ between slashes`}},
		"a URL for a host":            {"[server]\nhostname = \"https://x.example\"\n", []string{`revurb.toml:2: server.hostname: "https://x.example" is not a host; write only its name or address, such as ws.example.com`}},
		"a port in a host":            {"[server]\nhost = \"127.0.0.1:80\"\n", []string{`revurb.toml:2: server.host: "127.0.0.1:80": the port has a key of its own`}},
		"a socket path too long":      {"[server]\nunix_socket = \"/" + strings.Repeat("x", 103) + "\"\n", []string{`revurb.toml:2: server.unix_socket: "/` + strings.Repeat("x", 103) + `" is 104 bytes long, and the path of a socket may have 103`}},
		"a port without a host":       {"[admin]\nlisten = \"9601\"\n", []string{`revurb.toml:2: admin.listen: "9601" is not a host and a port, such as 127.0.0.1:9601; write "" for none`}},
		"a network that is none":      {"[server]\ntrusted_proxies = [\"10.0.0.0/33\"]\n", []string{`revurb.toml:2: server.trusted_proxies: "10.0.0.0/33" is not an address ("10.0.0.1"), not a network ("10.0.0.0/8") and not "unix"`}},
		"a URL for an origin":         {anApp + "allowed_origins = [\"https://x.example\"]\n", []string{`revurb.toml:6: apps.allowed_origins: "https://x.example" would match nothing; write only the host, such as example.com or *.example.com`}},
		"no origin at all":            {anApp + "allowed_origins = []\n", []string{`revurb.toml:6: apps.allowed_origins: it is empty, which lets nobody in; write "*" for everyone`}},
		"a glob of another kind":      {anApp + "allowed_origins = [\"{a,b}.example\"]\n", []string{`revurb.toml:6: apps.allowed_origins: "{a,b}.example" is not a host; the one special character is *, which stands for any characters`}},
		"a certificate without key":   {"[tls]\ncert = \"c.pem\"\n", []string{`revurb.toml:2: tls.cert is set and tls.key is not; a certificate needs its key`}},
		"a key without certificate":   {"[tls]\nkey = \"k.pem\"\n", []string{`revurb.toml:2: tls.key is set and tls.cert is not; a key needs its certificate`}},

		"an app without credentials":   {"[[apps]]\n", []string{`revurb.toml:1: this app has no id`, `revurb.toml:1: this app has no key`, `revurb.toml:1: this app has no secret`}},
		"an empty key":                 {"[[apps]]\nid = \"1\"\nkey = \"\"\nsecret = \"s\"\n", []string{`revurb.toml:3: apps.key: it is empty`, `revurb.toml:1: this app has no key`}},
		"a key that no URL can carry":  {"[[apps]]\nid = \"1\"\nkey = \"a/b\"\nsecret = \"s\"\n", []string{`revurb.toml:3: apps.key: "a/b" has the character '/' in it; use letters, digits, - and _`, `revurb.toml:1: this app has no key`}},
		"a secret with a space around": {"[[apps]]\nid = \"1\"\nkey = \"k\"\nsecret = \"canary \"\n", []string{`revurb.toml:4: apps.secret: it begins or ends with a space or a line break`, `revurb.toml:1: this app has no secret`}},
		"two apps with an id": {
			anApp + "[[apps]]\nid = \"1\"\nkey = \"k2\"\nsecret = \"s\"\n",
			[]string{`revurb.toml:7: the id "1" is also that of the app at revurb.toml:3; every app needs its own`},
		},
		"two apps with a key": {
			anApp + "[[apps]]\nid = \"2\"\nkey = \"k1\"\nsecret = \"s\"\n",
			[]string{`revurb.toml:8: the key "k1" is also that of the app at revurb.toml:4; every app needs its own`},
		},

		"a key twice":         {"[server]\nport = 1\nport = 2\n", []string{`revurb.toml:3:1: key port is already defined`}},
		"a section twice":     {"[server]\n[server]\n", []string{`revurb.toml:2:2: table server already exists`}},
		"text without quotes": {"[log]\nlevel = debug\n", []string{`revurb.toml:2:9: unexpected character U+0064 'd' at start of value; text is written in quotes`}},
		"a bracket too few":   {"[server\n", []string{`revurb.toml:1:8: expected ']' to close table name`}},

		"all there is wrong is told": {
			"[server]\nprot = 1\nhost = 5\n[log]\nlevel = \"loud\"\n" + anApp + "dialect = \"x\"\n",
			[]string{
				`revurb.toml:2: unknown key "prot" in [server]; did you mean "port"?`,
				`revurb.toml:3: server.host: want text, in quotes, not the number 5`,
				`revurb.toml:5: log.level: "loud" is not one of debug, info, warn, error`,
				`revurb.toml:11: apps.dialect: "x" is not one of pusher, reverb`,
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, test.file)
			checkProblems(t, err, test.want)
		})
	}
}

// What a variable says wrong is refused, with its name.
func TestEnvironmentIsRefused(t *testing.T) {
	tests := map[string]struct {
		file    string
		environ []string
		want    []string
	}{
		"a slip of the pen":       {"", []string{"REVURB_SERVER_PROT=1"}, []string{`REVURB_SERVER_PROT: unknown variable; did you mean REVURB_SERVER_PORT?`}},
		"a name like none":        {"", []string{"REVURB_COLOR=blue"}, []string{`REVURB_COLOR: unknown variable`}},
		"a slip in an app's key":  {"", []string{"REVURB_APP_SECERT=x"}, []string{`REVURB_APP_SECERT: unknown variable; did you mean REVURB_APP_SECRET?`}},
		"text for a number":       {"", []string{"REVURB_SERVER_PORT=http"}, []string{`REVURB_SERVER_PORT: want a whole number, not "http"`}},
		"an empty number":         {"", []string{"REVURB_SERVER_PORT="}, []string{`REVURB_SERVER_PORT: want a whole number, not ""`}},
		"text for true":           {"", []string{"REVURB_WEBSOCKET_COMPRESSION=maybe"}, []string{`REVURB_WEBSOCKET_COMPRESSION: want true or false, not "maybe"`}},
		"a duration without unit": {"", []string{"REVURB_SERVER_DRAIN_TIMEOUT=10"}, []string{`REVURB_SERVER_DRAIN_TIMEOUT: want a duration with a unit, such as 500ms, 10s or 1h30m, not "10"`}},
		"a value out of range":    {"", []string{"REVURB_SERVER_PORT=70000"}, []string{`REVURB_SERVER_PORT: 70000 is too large; the most is 65535`}},
		"a network in a list":     {"", []string{"REVURB_SERVER_TRUSTED_PROXIES=10.0.0.1, *"}, []string{`REVURB_SERVER_TRUSTED_PROXIES: "*" is not an address; write "0.0.0.0/0" and "::/0" to believe everyone`}},
		"quotes around a secret":  {"", []string{"REVURB_APP_ID=1", "REVURB_APP_KEY=k", `REVURB_APP_SECRET="canary"`}, []string{`REVURB_APP_SECRET: it has quotes around it, which would be part of it`, `REVURB_APP_SECRET: it is missing; REVURB_APP_ID and REVURB_APP_KEY are set, and an app needs ID, KEY and SECRET`}},
		"an app without a secret": {"", []string{"REVURB_APP_ID=1", "REVURB_APP_KEY=k"}, []string{`REVURB_APP_SECRET: it is missing; REVURB_APP_ID and REVURB_APP_KEY are set, and an app needs ID, KEY and SECRET`}},
		"a Laravel app without":   {"", []string{"REVERB_APP_ID=1"}, []string{`REVERB_APP_KEY: it is missing; REVERB_APP_ID is set, and an app needs ID, KEY and SECRET`, `REVERB_APP_SECRET: it is missing; REVERB_APP_ID is set, and an app needs ID, KEY and SECRET`}},
		"a limit of no app":       {"", []string{"REVURB_APP_MAX_CONNECTIONS=5"}, []string{`REVURB_APP_MAX_CONNECTIONS: it is for an app, and nothing says which; set REVURB_APP_ID`}},
		"a limit of which app":    {anApp + "[[apps]]\nid = \"2\"\nkey = \"k2\"\nsecret = \"s\"\n", []string{"REVURB_APP_MAX_CONNECTIONS=5"}, []string{`REVURB_APP_MAX_CONNECTIONS: it is for an app, and nothing says which; set REVURB_APP_ID`}},
		"the key of another app":  {anApp, []string{"REVURB_APP_ID=2", "REVURB_APP_KEY=k1", "REVURB_APP_SECRET=s"}, []string{`REVURB_APP_KEY: the key "k1" is also that of the app at revurb.toml:4; every app needs its own`}},

		"Laravel's port":               {"", []string{"REVERB_SERVER_PORT=eighty"}, []string{`REVERB_SERVER_PORT: want a whole number, not "eighty"`}},
		"Laravel's seconds":            {"", []string{"REVERB_APP_PING_INTERVAL=1m"}, []string{`REVERB_APP_PING_INTERVAL: want a number of seconds, such as 60, not "1m"`}},
		"Laravel's client events":      {"", []string{"REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM=member"}, []string{`REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM: want all, members or none, not "member"`}},
		"Laravel's request size, once": {"", []string{"REVERB_MAX_REQUEST_SIZE=10k"}, []string{`REVERB_MAX_REQUEST_SIZE: want a number of bytes, such as 10000, not "10k"`}},

		"a lone service host is a slip": {"", []string{"REVURB_SERVICE_HOST=0.0.0.0"}, []string{`REVURB_SERVICE_HOST: unknown variable; did you mean REVURB_SERVER_HOST?`}},
		"a file and a variable": {
			"[server]\nprot = 1\n",
			[]string{"REVURB_SERVER_HOTS=x"},
			[]string{`revurb.toml:2: unknown key "prot" in [server]; did you mean "port"?`, `REVURB_SERVER_HOTS: unknown variable; did you mean REVURB_SERVER_HOST?`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, test.file, test.environ...)
			checkProblems(t, err, test.want)
		})
	}
}

func TestFlagIsRefused(t *testing.T) {
	_, err := config.Load(config.Options{Dir: t.TempDir(), Flags: []config.Flag{{"port", "server.port", "http"}, {"path", "server.path", "ws"}}})
	checkProblems(t, err, []string{`--port: want a whole number, not "http"`, `--path: "ws" must begin with a slash: "/ws"`})
}

// A file that is named must be there; the one in the directory need not.
func TestNamedFileIsMissing(t *testing.T) {
	_, err := config.Load(config.Options{Dir: t.TempDir(), Path: "other.toml"})
	checkProblems(t, err, []string{`--config: read other.toml: no such file or directory`})
	_, err = load(t, "", "REVURB_CONFIG=other.toml")
	checkProblems(t, err, []string{`REVURB_CONFIG: read other.toml: no such file or directory`})
}

// checkProblems wants an error that is exactly these lines, and no secret.
func checkProblems(t *testing.T, err error, want []string) {
	t.Helper()
	var p config.Problems
	if !errors.As(err, &p) {
		t.Fatalf("got %v, want problems", err)
	}
	if got, want := p.Error(), strings.Join(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, secret := range []string{"canary", "987654"} {
		if strings.Contains(p.Error(), secret) {
			t.Errorf("the error repeats a secret: %v", err)
		}
	}
}
