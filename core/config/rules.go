package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
)

// rules say which values of a key make sense, beyond those of its kind. A
// number or a duration without a rule must not be negative.
var rules = map[string]rule{
	"server.host":              texts(checkHost),
	"server.port":              between(0, 65535),
	"server.unix_socket":       texts(checkSocket),
	"server.path":              texts(checkPath),
	"server.hostname":          texts(checkHost),
	"server.handshake_timeout": atLeast(time.Millisecond),
	"server.request_timeout":   atLeast(time.Millisecond),
	"server.idle_timeout":      atLeast(time.Millisecond),
	"server.max_header_size":   between(1<<10, 1<<20),
	"server.trusted_proxies":   each(checkProxy),

	"websocket.max_pending_bytes":    between(1, maxSize),
	"websocket.max_pending_messages": between(1, maxSize),
	"websocket.write_timeout":        atLeast(time.Millisecond),
	"websocket.close_timeout":        atLeast(time.Millisecond),
	"websocket.send_buffer":          between(0, maxSize),

	"api.max_request_size": between(1, maxSize),

	"redis.url":       texts(checkRedisURL),
	"redis.host":      texts(checkHost),
	"redis.port":      between(1, 65535),
	"redis.sentinels": each(checkAddress),
	"redis.cluster":   each(checkAddress),
	"redis.prefix":    texts(checkPrefix),
	"redis.lease":     within(3*time.Second, time.Minute), // less would take who is only busy for dead

	"redis.pool_size":     between(4, 10_000),
	"redis.replay_for":    within(time.Second, time.Hour),
	"redis.replay_events": between(1, maxSize),
	"redis.replay_bytes":  between(1, maxSize),

	"admin.listen": texts(checkListen),
	"log.level":    oneOf("debug", "info", "warn", "error"),
	"log.format":   oneOf("auto", "text", "json"),

	"apps.id":               texts(checkName),
	"apps.key":              texts(checkName),
	"apps.secret":           texts(checkSecret),
	"apps.dialect":          oneOf(string(protocol.Pusher), string(protocol.Reverb)),
	"apps.allowed_origins":  someOf(each(checkOrigin)),
	"apps.activity_timeout": wholeSeconds,
	"apps.pong_timeout":     atLeast(time.Second),
	"apps.ping_interval":    zeroOr(atLeast(time.Second)),
	"apps.max_message_size": between(1, maxSize),
	"apps.client_events":    oneOf(string(app.FromMembers), string(app.FromAll), string(app.FromNone)),

	"apps.authorization_timeout": atLeast(time.Second),
	"apps.terminate_code":        between(4000, 4299), // from 4300 on, clients never come back

	"apps.timestamp_window": zeroOr(atLeast(time.Second)),

	"apps.message_rate.max_attempts": between(1, maxSize),
	"apps.message_rate.decay":        atLeast(time.Millisecond),

	"apps.webhooks.url":          texts(checkWebhookURL),
	"apps.webhooks.events":       each(checkWebhookEvent),
	"apps.webhooks.channels":     each(checkChannelGlob),
	"apps.webhooks.headers":      each(checkHeader),
	"apps.webhooks.batch_window": atLeast(time.Millisecond),
	"apps.webhooks.batch_size":   between(1, 10_000),
	"apps.webhooks.timeout":      atLeast(100 * time.Millisecond),

	"webhooks.allow":             each(checkNetwork),
	"webhooks.retry_after":       atLeast(time.Millisecond),
	"webhooks.retry_for":         atLeast(time.Second),
	"webhooks.max_queued_events": between(1, maxSize),
	"webhooks.max_queued_bytes":  between(1, maxSize),
	"webhooks.grace":             within(100*time.Millisecond, time.Minute), // less would tell of who only loads a page anew
}

// maxSize is where a size is certainly a slip: it still fits 32 bits.
const maxSize = 1<<31 - 1

// rule says what is wrong with a value, and what would be right.
type rule func(v any) error

// check applies the rule of k to v, which is of its kind.
func (k *key) check(v any) error {
	if r, ok := ruleOf(k.name); ok {
		return r(v)
	}
	switch v := v.(type) {
	case int:
		return between(0, maxSize)(v)
	case time.Duration:
		return atLeast(0)(v)
	}
	return nil
}

func between(least, most int) rule {
	return func(v any) error {
		switch n := v.(int); {
		case n < least:
			return fmt.Errorf("%d is too small; the least is %d", n, least)
		case n > most:
			return fmt.Errorf("%d is too large; the most is %d", n, most)
		}
		return nil
	}
}

func atLeast(least time.Duration) rule {
	return func(v any) error {
		if d := v.(time.Duration); d < least {
			return fmt.Errorf("%s is too short; the least is %s", formatDuration(d), formatDuration(least))
		}
		return nil
	}
}

func zeroOr(r rule) rule {
	return func(v any) error {
		if v == any(time.Duration(0)) {
			return nil
		}
		return r(v)
	}
}

// wholeSeconds is for what the protocol tells clients in seconds.
func wholeSeconds(v any) error {
	d := v.(time.Duration)
	if d%time.Second != 0 {
		return fmt.Errorf("%s is not a whole number of seconds, which is what clients are told", formatDuration(d))
	}
	return atLeast(time.Second)(v)
}

func oneOf(names ...string) rule {
	return texts(func(s string) error {
		for _, n := range names {
			if s == n {
				return nil
			}
		}
		return fmt.Errorf("%q is not one of %s%s", s, strings.Join(names, ", "), didYouMean(s, names, strconv.Quote))
	})
}

func texts(check func(string) error) rule {
	return func(v any) error { return check(v.(string)) }
}

func each(check func(string) error) rule {
	return func(v any) error {
		for _, s := range v.([]string) {
			if err := check(s); err != nil {
				return err
			}
		}
		return nil
	}
}

func someOf(r rule) rule {
	return func(v any) error {
		if len(v.([]string)) == 0 {
			return errors.New(`it is empty, which lets nobody in; write "*" for everyone`)
		}
		return r(v)
	}
}

func checkHost(s string) error {
	switch {
	case strings.Contains(s, "://"), strings.ContainsAny(s, "/?#'\"\\ \t"):
		return fmt.Errorf("%q is not a host; write only its name or address, such as ws.example.com", s)
	case strings.HasPrefix(s, "["):
		return fmt.Errorf("%q: write the address without brackets", s)
	case strings.Count(s, ":") == 1:
		return fmt.Errorf("%q: the port has a key of its own", s)
	case strings.Contains(s, ":"):
		if _, err := netip.ParseAddr(s); err != nil {
			return fmt.Errorf("%q is not an address", s)
		}
	}
	return nil
}

func checkPath(s string) error {
	switch {
	case s == "":
		return nil
	case s == "/":
		return errors.New(`write "" for no path`)
	case !strings.HasPrefix(s, "/"):
		return fmt.Errorf("%q must begin with a slash: %q", s, "/"+s)
	case strings.HasSuffix(s, "/"):
		return fmt.Errorf("%q must not end with a slash", s)
	}
	for segment := range strings.SplitSeq(s[1:], "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, reserved) {
			return fmt.Errorf("%q is not a path such as /ws; use letters, digits and -._~ between slashes", s)
		}
	}
	return nil
}

// reserved reports whether a URL's path cannot have r as it is (RFC 3986,
// section 2.3).
func reserved(r rune) bool { return !alphanumeric(r) && !strings.ContainsRune("-._~", r) }

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// checkSocket knows that the kernel has room for only so long a path, which it
// would refuse as an "invalid argument".
func checkSocket(s string) error {
	if len(s) > 103 {
		return fmt.Errorf("%q is %d bytes long, and the path of a socket may have 103", s, len(s))
	}
	return nil
}

func checkListen(s string) error {
	if s == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf(`%q is not a host and a port, such as 127.0.0.1:9601; write "" for none`, s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q is not a port; it is a number up to 65535", port)
	}
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("%q is not an address", host)
		}
	}
	return nil
}

func checkProxy(s string) error {
	if s == "unix" {
		return nil
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return nil
	}
	if s == "*" {
		return errors.New(`"*" is not an address; write "0.0.0.0/0" and "::/0" to believe everyone`)
	}
	return fmt.Errorf(`%q is not an address ("10.0.0.1"), not a network ("10.0.0.0/8") and not "unix"`, s)
}

// checkOrigin takes the patterns that package conn matches against the host of
// an Origin header, without scheme and port.
func checkOrigin(s string) error {
	switch {
	case s == "":
		return errors.New(`"" matches no host; write "*" for everyone`)
	case strings.ContainsAny(s, "/:"):
		return fmt.Errorf("%q would match nothing; write only the host, such as example.com or *.example.com", s)
	case strings.ContainsFunc(s, unicode.IsSpace), strings.ContainsAny(s, "?[]{}\\^$"):
		return fmt.Errorf("%q is not a host; the one special character is *, which stands for any characters", s)
	}
	return nil
}

// checkName takes the IDs and keys that stand in URLs and before the colon of
// a signature as they are.
func checkName(s string) error {
	if s == "" {
		return errors.New("it is empty")
	}
	for _, r := range s {
		if !alphanumeric(r) && !strings.ContainsRune("-_.~@+=,;!", r) {
			return fmt.Errorf("%q has the character %q in it; use letters, digits, - and _", s, r)
		}
	}
	return nil
}

// checkSecret never repeats the secret.
func checkSecret(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case strings.TrimSpace(s) != s:
		return errors.New("it begins or ends with a space or a line break")
	case len(s) > 1 && strings.ContainsRune(`"'`, rune(s[0])) && s[len(s)-1] == s[0]:
		return errors.New("it has quotes around it, which would be part of it")
	}
	return nil
}
