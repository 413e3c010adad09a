package redis_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// secured is a Redis that wants a certificate of its clients, and a configuration
// that has all of it. The certificate of the server is that of the client, too.
func secured(t *testing.T) (*redistest.Server, redis.Config) {
	t.Helper()
	s := redistest.Start(t, redistest.TLS(), redistest.Config("tls-auth-clients", "yes"))
	c := config(s)
	c.CAFile, c.CertFile, c.KeyFile = s.CAFile(), s.CAFile(), s.KeyFile()
	return s, c
}

func TestMutualTLS(t *testing.T) {
	s, c := secured(t)
	n, _ := logged(t, c)
	eventually(t, "the node is ready", n.Ready)
	c.URL = ""
	c.Host, c.TLS = "127.0.0.1", true
	_, _ = fmt.Sscanf(s.Addr(), "127.0.0.1:%d", &c.Port)
	byKeys, _ := logged(t, c)
	eventually(t, "a node without a URL is ready", byKeys.Ready)
}

// Whoever does not trust the other, or is not trusted, is told which file it takes.
func TestTLSIsRefused(t *testing.T) {
	s, right := secured(t)
	plain := redistest.Start(t)
	for name, test := range map[string]struct {
		change func(*redis.Config)
		want   string
	}{
		"no certificate": {func(c *redis.Config) { c.CertFile, c.KeyFile = "", "" }, "redis.cert_file"},
		"no CA":          {func(c *redis.Config) { c.CAFile = "" }, "redis.ca_file"},
		"no TLS":         {func(c *redis.Config) { c.URL = "redis://" + s.Addr() }, "if Redis wants TLS, write rediss://"},
		"no TLS there":   {func(c *redis.Config) { c.URL = "rediss://" + plain.Addr() }, "if Redis does not speak TLS, write redis://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := right
			test.change(&c)
			n, log := logged(t, c)
			waitLog(t, log, test.want)
			if n.Ready() || !strings.Contains(log.String(), "cannot join the cluster") {
				t.Errorf("ready %v, want not; logged:\n%s", n.Ready(), log)
			}
		})
	}
}

// Sentinels speak TLS as their master does, and may have a user of their own.
func TestSentinelsWithTLSAndUser(t *testing.T) {
	s := redistest.StartSentinel(t, 1, redistest.TLS())
	s.Sentinels[0].Do("ACL", "SETUSER", "watcher", "on", ">canary", "+@all", "allchannels")
	c := redis.DefaultConfig
	c.Sentinels, c.Master, c.Lease, c.TLS, c.CAFile = s.Addrs(), redistest.MasterName, lease, true, s.Servers[0].CAFile()
	c.SentinelUsername, c.SentinelPassword = "watcher", "wrong-canary"
	refused, log := logged(t, c)
	waitLog(t, log, "the sentinels refused the password")
	if refused.Ready() || strings.Contains(log.String(), "canary") {
		t.Errorf("ready %v, want not; logged:\n%s", refused.Ready(), log)
	}
	c.SentinelPassword = "canary"
	n, _ := logged(t, c)
	eventually(t, "the node is ready", n.Ready)
}

// Files are read at the start, and it is said which is wrong.
func TestFilesAreRefused(t *testing.T) {
	_, right := secured(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*redis.Config){
		"redis.ca_file: read /none: no such file or directory":         func(c *redis.Config) { c.CAFile = "/none" },
		"redis.ca_file: " + empty + " has no certificate in it":        func(c *redis.Config) { c.CAFile = empty },
		"redis.cert_file: read /none: no such file or directory":       func(c *redis.Config) { c.CertFile = "/none" },
		"redis.key_file: read /none: no such file or directory":        func(c *redis.Config) { c.KeyFile = "/none" },
		"redis.cert_file: read " + empty + ": tls: failed to find any": func(c *redis.Config) { c.CertFile = empty },
	} {
		c := right
		change(&c)
		if err := c.CheckFiles(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := redis.New(c, logger(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a node: got %v, want %s", err, want)
		}
	}
}

// A certificate may be renewed while the server runs.
func TestCertificateIsReadAnew(t *testing.T) {
	s, c := secured(t)
	dir := t.TempDir()
	move := func(from, name string) string {
		to := filepath.Join(dir, name)
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	other, _ := secured(t)
	c.CertFile, c.KeyFile = move(other.CAFile(), "cert"), move(other.KeyFile(), "key")
	n, log := logged(t, c)
	waitLog(t, log, "Redis refused the client's certificate")
	move(s.CAFile(), "cert")
	move(s.KeyFile(), "key")
	eventually(t, "the node is ready", n.Ready)
}
