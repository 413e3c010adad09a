package config

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/revurb/revurb/core/redis"
)

// checkRedisURL never repeats a password.
func checkRedisURL(s string) error {
	if s == "" {
		return nil
	}
	return redis.CheckURL(s)
}

// checkAddress takes the addresses of which a client is given several.
func checkAddress(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return fmt.Errorf("%q is not a host and a port, such as 10.0.0.1:6379", s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("%q is not a port; it is a number from 1 to 65535", port)
	}
	return checkHost(host)
}

// checkPrefix takes what means nothing to Redis: in the patterns of its ACL, or
// as the braces that say to which node of a Redis Cluster a key belongs.
func checkPrefix(s string) error {
	if s == "" {
		return errors.New("it is empty; keys and channels need one, such as revurb")
	}
	for _, r := range s {
		if !alphanumeric(r) && !strings.ContainsRune("-_.:/", r) {
			return fmt.Errorf("%q has the character %q in it; use letters, digits and -_.:/", s, r)
		}
	}
	return nil
}

func within(least, most time.Duration) rule {
	return func(v any) error {
		if d := v.(time.Duration); d > most {
			return fmt.Errorf("%s is too long; the most is %s", formatDuration(d), formatDuration(most))
		}
		return atLeast(least)(v)
	}
}
