package config

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/revurb/revurb/core/redis"
)

// redisAddresses are the keys that say where the Redis is. One is enough.
var redisAddresses = []string{"redis.url", "redis.host", "redis.sentinels", "redis.cluster"}

func (l *Loaded) checkRedis(bad *Problems) {
	c := l.Config.Redis
	var named []string
	for i, set := range []bool{c.URL != "", c.Host != "", len(c.Sentinels) > 0, len(c.Cluster) > 0} {
		if set {
			named = append(named, redisAddresses[i])
		}
	}
	switch {
	case len(named) > 1:
		bad.add(l.Sources[named[1]], "%s are set; a Redis is named by one of url, host, sentinels and cluster", strings.Join(named, " and "))
	case len(c.Sentinels) > 0 && c.Master == "":
		bad.add(l.Sources["redis.sentinels"], `redis.sentinels is set and redis.master is not; they are asked for a master by its name, such as "mymaster"`)
	case len(c.Sentinels) == 0 && c.Master != "":
		bad.add(l.Sources["redis.master"], "redis.master is set and redis.sentinels is not; it is they who know where the master is")
	case len(c.Cluster) > 0 && c.DB != 0:
		bad.add(l.Sources["redis.db"], "redis.db is %d, but a Redis Cluster has only the database 0", c.DB)
	}
	if len(named) > 0 {
		l.checkRedisTLS(bad)
	}
	if len(named) == 0 && !reflect.DeepEqual(c, redis.DefaultConfig) {
		l.warnAlone()
	}
}

// checkRedisTLS reads the files, too: a slip is to be found before a server is
// without its Redis.
func (l *Loaded) checkRedisTLS(bad *Problems) {
	c := l.Config.Redis
	files := map[string]string{"redis.ca_file": c.CAFile, "redis.cert_file": c.CertFile, "redis.key_file": c.KeyFile}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if files[name] != "" && !c.TLS && !strings.HasPrefix(c.URL, "rediss://") {
			bad.add(l.Sources[name], "%s is set, but connections to Redis are made without TLS; set redis.tls, or write rediss:// in redis.url", name)
			return
		}
	}
	switch {
	case c.CertFile != "" && c.KeyFile == "":
		bad.add(l.Sources["redis.cert_file"], "redis.cert_file is set and redis.key_file is not; a certificate needs its key")
		return
	case c.KeyFile != "" && c.CertFile == "":
		bad.add(l.Sources["redis.key_file"], "redis.key_file is set and redis.cert_file is not; a key needs its certificate")
		return
	}
	var file *redis.FileError
	if err := c.CheckFiles(); errors.As(err, &file) {
		bad.add(l.Sources[file.Key], "%v", err)
	}
}

// warnAlone is for a section that is filled in, but for what matters.
func (l *Loaded) warnAlone() {
	for _, e := range l.Entries() {
		if section(e.Key) == "redis" && e.Source != FromDefault {
			l.Warnings = append(l.Warnings, Problem{
				e.Source.place(), e.Key + " is set, but nothing says where the Redis is, so the server runs alone; set url, host, sentinels or cluster",
			}.String())
			return
		}
	}
}
