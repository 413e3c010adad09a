package redis_test

import (
	"strings"
	"testing"

	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/redis/redistest"
)

// A Redis that refuses a node for good says why, and the log says it once, in
// words, without a password. What has been put right lets the node in: it has not
// given up.
func TestRefusedByRedis(t *testing.T) {
	password := []redistest.Option{redistest.User("revurb", "canary")}
	for name, test := range map[string]struct {
		options []redistest.Option
		spoil   func(*redistest.Server, *redis.Config)
		want    string
		mend    func(*redistest.Server)
	}{
		"no password": {
			[]redistest.Option{redistest.Password("canary")},
			func(_ *redistest.Server, c *redis.Config) { c.URL = strings.Replace(c.URL, ":canary@", "", 1) },
			"Redis wants a password",
			func(s *redistest.Server) { s.Do("CONFIG", "SET", "requirepass", "") },
		},
		"a wrong password": {
			password,
			func(_ *redistest.Server, c *redis.Config) {
				c.URL = strings.Replace(c.URL, "canary", "wrong-canary", 1)
			},
			"Redis refused the password",
			func(s *redistest.Server) { s.Do("ACL", "SETUSER", "revurb", ">wrong-canary") },
		},
		"an unknown user": {
			password,
			func(_ *redistest.Server, c *redis.Config) { c.URL = strings.Replace(c.URL, "revurb", "other", 1) },
			"Redis refused the password",
			func(s *redistest.Server) { s.Do("ACL", "SETUSER", "other", "on", ">canary", "~*", "&*", "+@all") },
		},
		"another prefix": {
			[]redistest.Option{redistest.User("revurb", "canary", "~other:*", "&other:*", "+@all")},
			func(*redistest.Server, *redis.Config) {},
			"Redis refused the user's permissions",
			func(s *redistest.Server) { s.Do("ACL", "SETUSER", "revurb", "~revurb:*", "&revurb:*") },
		},
		"no database": {
			[]redistest.Option{redistest.Config("databases", "1")},
			func(_ *redistest.Server, c *redis.Config) { c.URL, c.DB = strings.TrimSuffix(c.URL, "/0"), 3 },
			"Redis does not have this database",
			nil,
		},
		"no cluster": {
			nil,
			func(s *redistest.Server, c *redis.Config) { c.URL, c.Cluster = "", []string{s.Addr()} },
			"Redis is not a Redis Cluster",
			nil,
		},
		"out of memory": {
			nil,
			func(s *redistest.Server, _ *redis.Config) { s.Do("CONFIG", "SET", "maxmemory", "1") },
			"Redis is out of memory",
			func(s *redistest.Server) { s.Do("CONFIG", "SET", "maxmemory", "0") },
		},
		"a replica": {
			nil,
			func(s *redistest.Server, _ *redis.Config) { s.Do("REPLICAOF", "127.0.0.1", "1") },
			"Redis is read-only",
			func(s *redistest.Server) { s.Do("REPLICAOF", "NO", "ONE") },
		},
		"too few replicas": {
			nil,
			func(s *redistest.Server, _ *redis.Config) { s.Do("CONFIG", "SET", "min-replicas-to-write", "1") },
			"Redis has too few replicas",
			func(s *redistest.Server) { s.Do("CONFIG", "SET", "min-replicas-to-write", "0") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, test.options...)
			c := config(s)
			test.spoil(s, &c)
			n, log := logged(t, c)
			waitLog(t, log, "cannot join the cluster: "+test.want)
			if n.Ready() {
				t.Error("the node is ready")
			}
			if test.mend != nil {
				test.mend(s)
				eventually(t, "the node is ready", n.Ready)
				waitLog(t, log, "joined the cluster")
			}
			text := log.String()
			if got := strings.Count(text, "cannot join the cluster"); got != 1 || strings.Contains(text, "canary") {
				t.Errorf("it is said %d times, want once and without a password:\n%s", got, text)
			}
		})
	}
}

// A Redis that has no place for one more says so and closes the connection; it is
// not taken for one that is not there.
func TestTooManyClients(t *testing.T) {
	s := redistest.Start(t)
	one := s.Conn()
	if _, err := one.Do("CONFIG", "SET", "maxclients", "1"); err != nil {
		t.Fatal(err)
	}
	n, log := logged(t, config(s))
	waitLog(t, log, "cannot join the cluster: Redis has too many clients")
	if _, err := one.Do("CONFIG", "SET", "maxclients", "1000"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node is ready", n.Ready)
}

// It is the same of a master that the sentinels do not know.
func TestUnknownMaster(t *testing.T) {
	s := redistest.StartSentinel(t, 1)
	c := redis.DefaultConfig
	c.Sentinels, c.Master, c.Lease = s.Addrs(), "other", lease
	_, log := logged(t, c)
	waitLog(t, log, `the sentinels do not know a master`)
	waitLog(t, log, `other`)
}

// An operator sees in the log that there was a failover.
func TestFailoverIsLogged(t *testing.T) {
	s := redistest.StartSentinel(t, 1)
	c := redis.DefaultConfig
	c.Sentinels, c.Master, c.Lease = s.Addrs(), redistest.MasterName, lease
	n, log := logged(t, c)
	eventually(t, "the node is ready", n.Ready)
	s.Failover((*redistest.Server).Kill)
	waitLog(t, log, "a failover: connected to the new master")
	if text := log.String(); !strings.Contains(text, "redis="+s.Master().Addr()) {
		t.Errorf("the log does not have the new master, %s:\n%s", s.Master().Addr(), text)
	}
}
