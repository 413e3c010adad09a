package config_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/redis"
)

func TestRedisIsRefused(t *testing.T) {
	const url = `it is not a URL such as redis://user:password@host:6379/0, rediss:// with TLS, or unix:///path; in a password, write / as %2F, # as %23, ? as %3F and @ as %40`
	tests := map[string]struct {
		file string
		want string
	}{
		"no port":                   {"host = \"h\"\nport = 0\n", `revurb.toml:3: redis.port: 0 is too small; the least is 1`},
		"a port too large":          {"host = \"h\"\nport = 65536\n", `revurb.toml:3: redis.port: 65536 is too large; the most is 65535`},
		"a port in the host":        {"host = \"h:1\"\n", `revurb.toml:2: redis.host: "h:1": the port has a key of its own`},
		"a URL for a host":          {"host = \"redis://h\"\n", `revurb.toml:2: redis.host: "redis://h" is not a host; write only its name or address, such as ws.example.com`},
		"a database below none":     {"host = \"h\"\ndb = -1\n", `revurb.toml:3: redis.db: -1 is too small; the least is 0`},
		"a lease too short":         {"host = \"h\"\nlease = \"2s\"\n", `revurb.toml:3: redis.lease: 2s is too short; the least is 3s`},
		"a lease too long":          {"host = \"h\"\nlease = \"2m\"\n", `revurb.toml:3: redis.lease: 2m is too long; the most is 1m`},
		"a wait below none":         {"host = \"h\"\npublish_wait = \"-1s\"\n", `revurb.toml:3: redis.publish_wait: -1s is too short; the least is 0s`},
		"a log too short":           {"host = \"h\"\nreplay_for = \"0s\"\n", `revurb.toml:3: redis.replay_for: 0s is too short; the least is 1s`},
		"a log too long":            {"host = \"h\"\nreplay_for = \"2h\"\n", `revurb.toml:3: redis.replay_for: 2h is too long; the most is 1h`},
		"a log of no events":        {"host = \"h\"\nreplay_events = 0\n", `revurb.toml:3: redis.replay_events: 0 is too small; the least is 1`},
		"a log of no bytes":         {"host = \"h\"\nreplay_bytes = 0\n", `revurb.toml:3: redis.replay_bytes: 0 is too small; the least is 1`},
		"replicas below none":       {"host = \"h\"\npublish_replicas = -1\n", `revurb.toml:3: redis.publish_replicas: -1 is too small; the least is 0`},
		"no prefix":                 {"host = \"h\"\nprefix = \"\"\n", `revurb.toml:3: redis.prefix: it is empty; keys and channels need one, such as revurb`},
		"a prefix with braces":      {"host = \"h\"\nprefix = \"a{b}\"\n", `revurb.toml:3: redis.prefix: "a{b}" has the character '{' in it; use letters, digits and -_.:/`},
		"a sentinel without port":   {"sentinels = [\"10.0.0.1\"]\nmaster = \"m\"\n", `revurb.toml:2: redis.sentinels: "10.0.0.1" is not a host and a port, such as 10.0.0.1:6379`},
		"a node without host":       {"cluster = [\":6379\"]\n", `revurb.toml:2: redis.cluster: ":6379" is not a host and a port, such as 10.0.0.1:6379`},
		"a node with a odd port":    {"cluster = [\"h:http\"]\n", `revurb.toml:2: redis.cluster: "http" is not a port; it is a number from 1 to 65535`},
		"sentinels without master":  {"sentinels = [\"h:1\"]\n", `revurb.toml:2: redis.sentinels is set and redis.master is not; they are asked for a master by its name, such as "mymaster"`},
		"a master without":          {"host = \"h\"\nmaster = \"m\"\n", `revurb.toml:3: redis.master is set and redis.sentinels is not; it is they who know where the master is`},
		"two places":                {"url = \"redis://h\"\nhost = \"h\"\n", `revurb.toml:3: redis.url and redis.host are set; a Redis is named by one of url, host, sentinels and cluster`},
		"three places":              {"host = \"h\"\nsentinels = [\"h:1\"]\ncluster = [\"h:1\"]\n", `revurb.toml:3: redis.host and redis.sentinels and redis.cluster are set; a Redis is named by one of url, host, sentinels and cluster`},
		"a database of a cluster":   {"cluster = [\"h:1\"]\ndb = 1\n", `revurb.toml:3: redis.db is 1, but a Redis Cluster has only the database 0`},
		"a URL of another kind":     {"url = \"http://h\"\n", `revurb.toml:2: redis.url: invalid URL scheme: http; it is redis://user:password@host:6379/0, rediss:// with TLS, or unix:///path`},
		"a URL with a pool":         {"url = \"redis://h?pool_size=9\"\n", `revurb.toml:2: redis.url: pool_size has a key of its own, redis.pool_size`},
		"a URL with a timeout":      {"url = \"redis://h?db=1&read_timeout=9s\"\n", `revurb.toml:2: redis.url: read_timeout cannot be set; the options are db and skip_verify`},
		"a pool of none":            {"host = \"h\"\npool_size = 0\n", `revurb.toml:3: redis.pool_size: 0 is too small; the least is 4`},
		"a CA without TLS":          {"host = \"h\"\nca_file = \"x\"\n", `revurb.toml:3: redis.ca_file is set, but connections to Redis are made without TLS; set redis.tls, or write rediss:// in redis.url`},
		"a key without TLS":         {"url = \"redis://h\"\nkey_file = \"x\"\n", `revurb.toml:3: redis.key_file is set, but connections to Redis are made without TLS; set redis.tls, or write rediss:// in redis.url`},
		"a certificate, no key":     {"host = \"h\"\ntls = true\ncert_file = \"x\"\n", `revurb.toml:4: redis.cert_file is set and redis.key_file is not; a certificate needs its key`},
		"a key, no certificate":     {"url = \"rediss://h\"\nkey_file = \"x\"\n", `revurb.toml:3: redis.key_file is set and redis.cert_file is not; a key needs its certificate`},
		"a CA that is not there":    {"url = \"rediss://h\"\nca_file = \"/none\"\n", `revurb.toml:3: redis.ca_file: read /none: no such file or directory`},
		"a key that is not there":   {"url = \"rediss://h\"\ncert_file = \"/none\"\nkey_file = \"/none\"\n", `revurb.toml:4: redis.key_file: read /none: no such file or directory`},
		"a URL with a wrong option": {"url = \"redis://h?color=1\"\n", `revurb.toml:2: redis.url: unexpected option: color; it is redis://user:password@host:6379/0, rediss:// with TLS, or unix:///path`},
		"a URL with a bad port":     {"url = \"redis://:canary@h:x\"\n", `revurb.toml:2: redis.url: ` + url},
		"a slash in a password":     {"url = \"redis://u:canary/987654@h\"\n", `revurb.toml:2: redis.url: ` + url},
		"a slash, and no colon":     {"url = \"redis://u/canary@h\"\n", `revurb.toml:2: redis.url: ` + url},
		"a password as a number":    {"password = 987654\n", `revurb.toml:2: redis.password: want text, in quotes, not this`},
		"a sentinel's, too":         {"sentinel_password = 987654\n", `revurb.toml:2: redis.sentinel_password: want text, in quotes, not this`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, "[redis]\n"+test.file)
			checkProblems(t, err, []string{test.want})
		})
	}
}

// All of it can be in the environment, too.
func TestRedisFromEnvironment(t *testing.T) {
	l := get(t, "", "REVURB_REDIS_SENTINELS=a:1,b:2", "REVURB_REDIS_MASTER=m", "REVURB_REDIS_SENTINEL_USERNAME=u", "REVURB_REDIS_POOL_SIZE=32",
		"REVURB_REDIS_REPLAY_FOR=1m", "REVURB_REDIS_REPLAY_EVENTS=1_000", "REVURB_REDIS_REPLAY_BYTES=65536", "REVURB_REDIS_PUBLISH_REPLICAS=2")
	want := redis.DefaultConfig
	want.Sentinels, want.Master, want.SentinelUsername, want.PoolSize = []string{"a:1", "b:2"}, "m", "u", 32
	want.ReplayFor, want.ReplayEvents, want.ReplayBytes, want.PublishReplicas = time.Minute, 1000, 65536, 2
	if !reflect.DeepEqual(l.Config.Redis, want) {
		t.Errorf("got\n%+v\nwant\n%+v", l.Config.Redis, want)
	}
	_, err := load(t, "", "REVURB_REDIS_URL=rediss://h", "REVURB_REDIS_CA_FILE=/none")
	checkProblems(t, err, []string{`REVURB_REDIS_CA_FILE: redis.ca_file: read /none: no such file or directory`})
}

// Passwords are not shown, wherever they are, and the rest is.
func TestRedisPasswordsAreMasked(t *testing.T) {
	l := get(t, "[redis]\nurl = \"rediss://me:canary%2F1@h:6380/2\"\npassword = \"canary-2\"\nsentinel_password = \"canary-3\"\n")
	shown := map[string]string{}
	for _, e := range l.Entries() {
		shown[e.Key] = e.Value
		if strings.Contains(e.Value+e.JSON, "canary") {
			t.Errorf("%s shows a secret: %s", e.Key, e.Value)
		}
	}
	for key, want := range map[string]string{
		"redis.url": `"rediss://me:********@h:6380/2"`, "redis.password": `"********"`, "redis.sentinel_password": `"********"`, "redis.prefix": `"revurb"`,
	} {
		if shown[key] != want {
			t.Errorf("%s is shown as %s, want %s", key, shown[key], want)
		}
	}
	for _, url := range []string{"redis://h", "redis://me@h", "unix:///run/redis.sock"} {
		l := get(t, "[redis]\nurl = \""+url+"\"\n")
		if i := slices.IndexFunc(l.Entries(), func(e config.Entry) bool { return e.Value == `"`+url+`"` }); i < 0 {
			t.Errorf("%s is not shown as it is", url)
		}
	}
}

func TestScalingNames(t *testing.T) {
	type c = redis.Config
	on := "REVERB_SCALING_ENABLED=true"
	tests := map[string]struct {
		file    string
		environ []string
		want    func(*c)
	}{
		"off is none":              {"", []string{"REVERB_SCALING_ENABLED=false", "REDIS_HOST=r", "REVERB_SCALING_CHANNEL=x"}, func(*c) {}},
		"and so is nothing":        {"", []string{"REDIS_HOST=r", "REDIS_URL=redis://r"}, func(*c) {}},
		"on is here":               {"", []string{on}, func(c *c) { c.Host = "127.0.0.1" }},
		"as Laravel writes it":     {"", []string{"REVERB_SCALING_ENABLED=(true)"}, func(c *c) { c.Host = "127.0.0.1" }},
		"elsewhere":                {"", []string{on, "REDIS_HOST=r", "REDIS_PORT=6380", "REDIS_USERNAME=u", "REDIS_PASSWORD=p", "REDIS_DB=3"}, func(c *c) { c.Host, c.Port, c.Username, c.Password, c.DB = "r", 6380, "u", "p", 3 }},
		"null is no password":      {"", []string{on, "REDIS_PASSWORD=null", "REDIS_USERNAME=", "REDIS_HOST=r"}, func(c *c) { c.Host = "r" }},
		"a channel is a prefix":    {"", []string{on, "REVERB_SCALING_CHANNEL=chat"}, func(c *c) { c.Host, c.Prefix = "127.0.0.1", "chat" }},
		"a URL wins over a host":   {"", []string{on, "REDIS_URL=rediss://r:1/2", "REDIS_HOST=127.0.0.1", "REDIS_PASSWORD=p"}, func(c *c) { c.URL, c.Password = "rediss://r:1/2", "p" }},
		"the file's place counts":  {"[redis]\nsentinels = [\"s:1\"]\nmaster = \"m\"\n", []string{on, "REDIS_HOST=r", "REDIS_PASSWORD=p"}, func(c *c) { c.Sentinels, c.Master = []string{"s:1"}, "m" }},
		"our names' counts":        {"", []string{on, "REDIS_HOST=r", "REVURB_REDIS_URL=redis://x"}, func(c *c) { c.URL = "redis://x" }},
		"the file's rest is added": {"[redis]\nlease = \"5s\"\nport = 1\n", []string{on, "REDIS_PORT=2"}, func(c *c) { c.Host, c.Lease, c.Port = "127.0.0.1", 5*time.Second, 2 }},
		"a service link is none":   {"", []string{on, "REDIS_HOST=r", "REDIS_PORT=tcp://10.0.0.9:6379", "REDIS_SERVICE_PORT=6379"}, func(c *c) { c.Host = "r" }},
		"ours without Laravel's":   {"", []string{"REVURB_REDIS_CLUSTER=a:1, b:2", "REVURB_REDIS_PASSWORD=p"}, func(c *c) { c.Cluster, c.Password = []string{"a:1", "b:2"}, "p" }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := redis.DefaultConfig
			test.want(&want)
			l := get(t, test.file, test.environ...)
			if got := l.Config.Redis; !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, want)
			}
			if len(l.Warnings) > 0 {
				t.Errorf("got warnings %q, want none", l.Warnings)
			}
		})
	}
}

func TestScalingIsRefused(t *testing.T) {
	for env, want := range map[string]string{
		"REVERB_SCALING_ENABLED=maybe":                       `REVERB_SCALING_ENABLED: want true or false, not "maybe"`,
		"REVERB_SCALING_ENABLED=true REDIS_PORT=x":           `REDIS_PORT: want a whole number, not "x"`,
		"REVERB_SCALING_ENABLED=1 REVERB_SCALING_CHANNEL=a*": `REVERB_SCALING_CHANNEL: "a*" has the character '*' in it; use letters, digits and -_.:/`,
		"REVERB_SCALING_ENABLED=on REVURB_REDIS_LEASE=1s":    `REVURB_REDIS_LEASE: 1s is too short; the least is 3s`,
		"REVURB_REDIS_HOST=r REVURB_REDIS_CLUSTER=r:1":       `REVURB_REDIS_CLUSTER: redis.host and redis.cluster are set; a Redis is named by one of url, host, sentinels and cluster`,
	} {
		_, err := load(t, "", strings.Fields(env)...)
		checkProblems(t, err, []string{want})
	}
}
