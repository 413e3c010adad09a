package redis

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

const aURL = "it is not a URL such as redis://user:password@host:6379/0, rediss:// with TLS, or unix:///path; in a password, write / as %2F, # as %23, ? as %3F and @ as %40"

// CheckURL says what is wrong with a redis.url. It never repeats a password, nor
// what may be a part of one.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return errors.New(aURL)
	}
	u.User = nil
	if _, err := redis.ParseURL(u.String()); err != nil {
		if strings.Contains(u.String(), "@") {
			return errors.New(aURL)
		}
		return fmt.Errorf("%s; it is redis://user:password@host:6379/0, rediss:// with TLS, or unix:///path", strings.TrimPrefix(err.Error(), "redis: "))
	}
	return checkOptions(u.Query())
}

// checkOptions refuses what the library would take in a URL and the server does not
// heed.
func checkOptions(options url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(options)) {
		switch name {
		case "db", "skip_verify":
		case "pool_size":
			return errors.New("pool_size has a key of its own, redis.pool_size")
		default:
			return fmt.Errorf("%s cannot be set; the options are db and skip_verify", name)
		}
	}
	return nil
}
