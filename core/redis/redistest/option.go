package redistest

import (
	"slices"
	"strings"
	"testing"
)

// An Option changes how a server is started.
type Option func(testing.TB, *config)

// A config is what a server is started with.
type config struct {
	directives [][]string // of redis.conf
	sentinel   bool
	cluster    bool
	username   string
	password   string
	admin      string // password of the user adminName; empty: admin is the user above
	tls        *certificate
	fsync      string // of the append-only file; empty: nothing is kept
}

// adminName is the user that the package itself is where the test's own may
// not do everything.
const adminName = "redistest"

// Password lets in only clients that know password.
func Password(password string) Option {
	return func(_ testing.TB, c *config) {
		c.password = password
		c.set("requirepass", password)
	}
}

// User lets in only clients that are the user name with password, and lets
// them do what rules of the Redis ACL language say: none means everything.
// [Server.Do] and the other methods may still do everything.
func User(name, password string, rules ...string) Option {
	return func(_ testing.TB, c *config) {
		if len(rules) == 0 {
			rules = []string{"~*", "&*", "+@all"}
		}
		c.username, c.password, c.admin = name, password, randomID()
		c.set("user", append([]string{name, "on", ">" + password}, rules...)...)
		c.set("user", adminName, "on", ">"+c.admin, "~*", "&*", "+@all")
		c.set("user", "default", "off")
	}
}

// TLS makes the server speak only TLS, with a certificate for 127.0.0.1 and
// localhost that nobody trusts but [Server.TLSConfig] and [Server.CAFile].
func TLS() Option {
	return func(tb testing.TB, c *config) {
		tb.Helper()
		c.tls = newCertificate(tb)
	}
}

// AOF keeps what the server has in an append-only file, so that
// [Server.Restart] finds it again. Each command is in it before it is answered.
func AOF() Option {
	return func(_ testing.TB, c *config) { c.fsync = "always" }
}

// Config adds a directive of redis.conf: Config("maxmemory", "10mb").
func Config(directive string, values ...string) Option {
	return func(_ testing.TB, c *config) { c.set(directive, values...) }
}

func newConfig(tb testing.TB, options []Option) config {
	tb.Helper()
	var c config
	for _, option := range options {
		option(tb, &c)
	}
	return c
}

// with returns c and one directive more.
func (c config) with(directive string, values ...string) config {
	c.directives = slices.Clip(c.directives)
	c.set(directive, values...)
	return c
}

// login returns who may do everything; empty means anybody.
func (c *config) login() (username, password string) {
	if c.admin != "" {
		return adminName, c.admin
	}
	return c.username, c.password
}

func (c *config) set(directive string, values ...string) {
	c.directives = append(c.directives, append([]string{directive}, values...))
}

var quote = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// file returns c as a redis.conf.
func (c *config) file() []byte {
	var b strings.Builder
	for _, d := range c.directives {
		b.WriteString(d[0])
		for _, value := range d[1:] {
			b.WriteString(` "` + quote.Replace(value) + `"`)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}
