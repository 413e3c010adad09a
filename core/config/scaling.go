package config

const reverbScaling = "REVERB_SCALING_ENABLED"

// scalingNames are the variables that Laravel has for the Redis that Reverb scales
// over. They are for much else in Laravel, so they count only where scaling is on.
var scalingNames = []struct{ name, key string }{
	{"REDIS_URL", "redis.url"},
	{"REDIS_HOST", "redis.host"},
	{"REDIS_PORT", "redis.port"},
	{"REDIS_USERNAME", "redis.username"},
	{"REDIS_PASSWORD", "redis.password"},
	{"REDIS_DB", "redis.db"},
	{"REVERB_SCALING_CHANNEL", "redis.prefix"},
}

// readScaling returns what Laravel's variables say of scaling. As in Laravel, the
// Redis is on this machine if they do not say where, and a URL wins over a host.
func (e environment) readScaling(bad *Problems) (l layer) {
	text := laravelNull(e[reverbScaling])
	if on, ok := parseBool(text); !ok && text != "" {
		bad.add(fromEnv(reverbScaling), "want true or false, not %q", text)
		return nil
	} else if on != true {
		return nil
	}
	byURL := laravelNull(e["REDIS_URL"]) != ""
	if !byURL {
		l = append(l, findKey("redis.host").parse("127.0.0.1", fromEnv(reverbScaling), bad)...)
	}
	for _, s := range scalingNames {
		if text := laravelNull(e[s.name]); text != "" && !(byURL && s.key == "redis.host") {
			l = append(l, findKey(s.key).parse(text, fromEnv(s.name), bad)...)
		}
	}
	return l
}

// namesRedis reports whether one of layers says where the Redis is. Then Laravel's
// variables do not: every Laravel has them, for its own.
func namesRedis(layers ...layer) bool {
	for _, l := range layers {
		for _, name := range redisAddresses {
			if _, ok := l.last(name); ok {
				return true
			}
		}
	}
	return false
}
