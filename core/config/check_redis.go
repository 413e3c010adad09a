package config

import (
	"reflect"
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
	if len(named) == 0 && !reflect.DeepEqual(c, redis.DefaultConfig) {
		l.warnAlone()
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
