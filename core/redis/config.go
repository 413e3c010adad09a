package redis

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Config is where the Redis is that the nodes of a cluster share. Without an
// address there is none, and the server runs alone.
type Config struct {
	URL      string `koanf:"url"`  // redis://, rediss:// or unix://; what it lacks may follow, but no host
	Host     string `koanf:"host"` // "" is no cluster
	Port     int    `koanf:"port"`
	Username string `koanf:"username"`
	Password string `koanf:"password"`
	DB       int    `koanf:"db"`

	TLS      bool   `koanf:"tls"`
	CAFile   string `koanf:"ca_file"`   // of who has signed the certificate of Redis; "" is those that the system trusts
	CertFile string `koanf:"cert_file"` // of this server, for a Redis that wants one
	KeyFile  string `koanf:"key_file"`

	Sentinels        []string `koanf:"sentinels"` // host:port; the master is asked of them
	Master           string   `koanf:"master"`    // its name there
	SentinelUsername string   `koanf:"sentinel_username"`
	SentinelPassword string   `koanf:"sentinel_password"`
	Cluster          []string `koanf:"cluster"` // host:port of some nodes of a Redis Cluster

	Prefix      string        `koanf:"prefix"`       // of all keys and channels; each cluster of servers has its own
	Lease       time.Duration `koanf:"lease"`        // after which a node that is silent is taken for dead
	PublishWait time.Duration `koanf:"publish_wait"` // for which an event waits while Redis is away
	PoolSize    int           `koanf:"pool_size"`    // connections to each Redis, at most, of each kind

	ReplayFor       time.Duration `koanf:"replay_for"`       // for which an event can be had again by a node that was cut off
	ReplayEvents    int           `koanf:"replay_events"`    // of a channel that are kept for that, at most
	ReplayBytes     int           `koanf:"replay_bytes"`     // of a channel's events, at most
	PublishReplicas int           `koanf:"publish_replicas"` // that must have an event before it is accepted
}

// DefaultConfig is no cluster.
var DefaultConfig = Config{
	Port: 6379, Prefix: "revurb", Lease: 10 * time.Second, PublishWait: 2 * time.Second, PoolSize: 16,
	ReplayFor: 30 * time.Second, ReplayEvents: 8192, ReplayBytes: 4 << 20,
	Sentinels: []string{}, Cluster: []string{},
}

// Enabled reports whether there is a Redis to share.
func (c Config) Enabled() bool {
	return c.URL != "" || c.Host != "" || len(c.Sentinels) > 0 || len(c.Cluster) > 0
}

// Place says where the Redis is, in words for people; without a password.
func (c Config) Place() string {
	o, err := c.options()
	switch {
	case err != nil || !c.Enabled():
		return ""
	case len(c.Sentinels) > 0:
		return c.Master + ", as " + strings.Join(c.Sentinels, " and ") + " know it"
	case len(c.Cluster) > 0:
		return "the cluster of " + strings.Join(c.Cluster, ", ")
	}
	return o.Addrs[0]
}

// How long Redis may take. A server that takes longer is as good as none.
const (
	dialTimeout = time.Second
	answer      = 1500 * time.Millisecond
)

// maxIdle is how long a connection may be idle and be used again. What lies between
// a node and Redis may forget one that is silent for longer, and tell neither end:
// whoever used it would wait in vain.
const maxIdle = 30 * time.Second

// mapAge is how old the map of a Redis Cluster may be when it is used. It is
// loaded in the background, where the one that there is serves meanwhile.
const mapAge = time.Second

// options returns what all kinds of clients have in common, but for what is in
// files. Nothing is tried again by the library: a PUBLISH that timed out may have
// been done.
func (c Config) options() (o redis.UniversalOptions, err error) {
	o = redis.UniversalOptions{
		DialTimeout: dialTimeout, ReadTimeout: answer, WriteTimeout: answer, PoolTimeout: answer,
		ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1,
		PoolSize: cmp.Or(c.PoolSize, DefaultConfig.PoolSize), MinIdleConns: 1, ConnMaxIdleTime: maxIdle,
		Username: c.Username, Password: c.Password, DB: c.DB,
		MasterName: c.Master, SentinelUsername: c.SentinelUsername, SentinelPassword: c.SentinelPassword,
	}
	if c.TLS {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	switch {
	case len(c.Cluster) > 0:
		o.Addrs = c.Cluster
		o.IsClusterMode = true
		if c.DB != 0 {
			return o, errors.New("redis.db: a Redis Cluster has only the database 0")
		}
	case len(c.Sentinels) > 0:
		o.Addrs = c.Sentinels
		if c.Master == "" {
			return o, errors.New("redis.master: the sentinels have to be asked for a master by its name, such as \"mymaster\"")
		}
	case c.URL != "":
		if err := CheckURL(c.URL); err != nil {
			return o, fmt.Errorf("redis.url: %w", err)
		}
		u, err := redis.ParseURL(c.URL)
		if err != nil {
			return o, errors.New("redis.url: " + aURL) // its own words may have the password in them
		}
		o.Addrs = []string{u.Addr}
		o.Username, o.Password = cmp.Or(u.Username, c.Username), cmp.Or(u.Password, c.Password)
		o.DB = cmp.Or(u.DB, c.DB)
		if u.TLSConfig != nil {
			o.TLSConfig = u.TLSConfig
		}
	default:
		o.Addrs = []string{fmt.Sprintf("%s:%d", c.Host, c.Port)}
		if strings.Contains(c.Host, ":") { // an IPv6 address
			o.Addrs[0] = fmt.Sprintf("[%s]:%d", c.Host, c.Port)
		}
	}
	return o, nil
}
