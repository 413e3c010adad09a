package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// The least versions: XAUTOCLAIM came with 6.2, and SPUBLISH with 7.0.
var (
	least        = version{6, 2}
	leastCluster = version{7, 0}
)

type version [2]int

func (v version) before(w version) bool { return v[0] < w[0] || v[0] == w[0] && v[1] < w[1] }

// parseVersion reads 6.2.14. What it cannot read is none.
func parseVersion(s string) (v version, ok bool) {
	parts := strings.SplitN(s, ".", 3)
	for i := range min(len(parts), len(v)) {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return v, false
		}
		v[i] = n
	}
	return v, len(parts) > 1
}

// tooOldError is why a node does not work with a Redis.
type tooOldError struct {
	version string
	least   version
	cluster bool
}

func (e *tooOldError) Error() string {
	needed := fmt.Sprintf("%d.%d or later is needed", e.least[0], e.least[1])
	if e.cluster {
		needed += " as a Redis Cluster"
	}
	return fmt.Sprintf("Redis %s is too old: %s", e.version, needed)
}

// servers are those that the node has connections to. Each is looked at when a
// connection to it is made, so that none is missed that a failover or an update
// puts in the place of another.
type servers struct {
	node *Node

	mu      sync.Mutex        // guards what follows
	roles   map[string]string // by the ID of a run; of a Redis Cluster they are several
	current string            // the run of the only one
	about   []any             // of the last one, for the log
	said    bool              // that they cannot be looked at
}

// meet is called with each new connection, before it is used. It refuses those to
// servers that are too old.
func (s *servers) meet(ctx context.Context, c *redis.Conn) error {
	pipe := c.Pipeline()
	server, replication := pipe.Info(ctx, "server"), pipe.Info(ctx, "replication")
	_, err := pipe.Exec(ctx)
	switch {
	case saysRedis(err, "NOPERM"), saysRedis(err, "unknown command"):
		return s.meetBlind(ctx, c)
	case answered(err): // what comes next says why
		return nil
	case err != nil:
		return fmt.Errorf("look at the version of Redis: %w", err)
	}
	info := infoFields(server.Val())
	if info["redis_mode"] == "sentinel" {
		return nil
	}
	if err := s.check(info["redis_version"]); err != nil {
		return err
	}
	role := infoFields(replication.Val())
	known, text := s.note(info["run_id"], role["role"], strings.Trim(role["master_replid2"], "0") != "")
	if text != "" {
		s.node.log.Info(text, "redis", address(ctx, c))
	}
	if known {
		return nil
	}
	memory, err := c.Info(ctx, "memory").Result()
	if err != nil && !answered(err) {
		return fmt.Errorf("look at the memory of Redis: %w", err)
	}
	s.describe(info, infoFields(memory)["maxmemory_policy"])
	return nil
}

// meetBlind is for a user who may not ask for INFO: HELLO tells the version.
func (s *servers) meetBlind(ctx context.Context, c *redis.Conn) error {
	hello := redis.NewMapStringInterfaceCmd(ctx, "hello")
	err := c.Process(ctx, hello)
	if err != nil && !answered(err) {
		return fmt.Errorf("look at the version of Redis: %w", err)
	}
	if hello.Val()["mode"] == "sentinel" {
		return nil
	}
	version, _ := hello.Val()["version"].(string)
	if err := s.check(version); err != nil {
		return err
	}
	s.mu.Lock()
	said := s.said
	s.said, s.about = true, []any{"version", version}
	s.mu.Unlock()
	if !said {
		s.node.log.Warn("cannot check how Redis is set up: it refuses INFO",
			"hint", "add +info to the rights of the user; maxmemory-policy must be noeviction")
	}
	return nil
}

// check returns an error if a server is too old. One that does not say its version
// is not.
func (s *servers) check(text string) error {
	v, ok := parseVersion(text)
	cluster, least := s.node.keys.partitions > 1, least
	if cluster {
		least = leastCluster
	}
	if !ok || !v.before(least) {
		return nil
	}
	return &tooOldError{text, least, cluster}
}

// note remembers a server. It returns whether it is known, and what to log if it
// has taken the place of another.
func (s *servers) note(run, role string, promoted bool) (known bool, text string) {
	joined := s.node.health.joined()
	s.mu.Lock()
	defer s.mu.Unlock()
	was, before := s.roles[run], s.current
	s.roles[run] = role
	if role == "master" {
		s.current = run
	}
	switch c := s.node.config; {
	case !joined || role != "master" || before == "" || before == run:
	case len(c.Cluster) > 0: // which has several
		if was != role && promoted {
			text = "connected to a master of the Redis Cluster that a failover has made one"
		}
	case len(c.Sentinels) > 0:
		text = "a failover: connected to the new master"
	default:
		text = "connected to another Redis than before: it was restarted, or a failover put another in its place"
	}
	return was != "", text
}

// address is what the server at the other end of a connection calls itself.
func address(ctx context.Context, c *redis.Conn) string {
	if info, err := c.ClientInfo(ctx).Result(); err == nil {
		return info.LAddr
	}
	return ""
}

// describe says what a server is that is new.
func (s *servers) describe(info map[string]string, policy string) {
	about := []any{"version", info["redis_version"]}
	if valkey := info["valkey_version"]; valkey != "" {
		about = []any{"version", "Valkey " + valkey}
	}
	if policy != "" {
		about = append(about, "maxmemory_policy", policy)
	}
	s.mu.Lock()
	s.about = about
	s.mu.Unlock()
	if policy != "" && policy != "noeviction" {
		s.node.log.Warn("Redis may evict keys when its memory is full: members, counts and events would be lost",
			"maxmemory_policy", policy, "hint", "set maxmemory-policy noeviction")
	}
}

// attrs are what is logged of the last server that was met.
func (s *servers) attrs() []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.about
}

// infoFields returns the lines of an INFO.
func infoFields(info string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			all[name] = value
		}
	}
	return all
}
