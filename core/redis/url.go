package redis

import (
	"errors"
	"fmt"
	"net/url"
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
	return nil
}
