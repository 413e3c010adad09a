package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// diagnosis is what is wrong with Redis, in the words of those who run it. The
// error itself is logged beside it.
type diagnosis struct {
	what string
	hint string // what to do; "" where it passes by itself
}

// unanswered is what is wrong where Redis has said nothing at all.
const unanswered = "Redis does not answer"

// refusals are what Redis says itself, by how it begins.
var refusals = []struct {
	prefix string
	diagnosis
}{
	{"WRONGPASS", wrongPassword},
	{"invalid password", wrongPassword},
	{"AUTH <password> called without any password", diagnosis{"Redis wants no password, and was given one", "take redis.password away, or set requirepass in redis.conf"}},
	{"NOAUTH", diagnosis{"Redis wants a password", "set redis.password (REVURB_REDIS_PASSWORD), or write it in redis.url"}},
	{"NOPERM", noPermission},
	{"The user executing the script can't", noPermission},
	{"READONLY", diagnosis{"Redis is read-only: it is a replica, or a failover is under way", "if it lasts, name the master, or have it asked of redis.sentinels"}},
	{"OOM", diagnosis{"Redis is out of memory", "raise maxmemory of Redis, or find out who fills it"}},
	{"LOADING", diagnosis{"Redis is loading its data", ""}},
	{"MASTERDOWN", diagnosis{"Redis is a replica that has lost its master", "if it lasts, start the master, or promote a replica"}},
	{"MISCONF", diagnosis{"Redis cannot save its data and refuses writes", "look at its log and its disk; stop-writes-on-bgsave-error is what refuses"}},
	{"NOREPLICAS", diagnosis{"Redis has too few replicas and refuses writes", "start its replicas, or lower min-replicas-to-write"}},
	{"CLUSTERDOWN", diagnosis{"the Redis Cluster is down: nobody serves some of its slots", "if it lasts, look at CLUSTER INFO and CLUSTER NODES"}},
	{"TRYAGAIN", diagnosis{"the Redis Cluster is moving a slot", ""}},
	{"max number of clients", diagnosis{"Redis has too many clients", "raise maxclients of Redis, or find out who has so many connections"}},
	{"DENIED", diagnosis{"Redis is in protected mode and refuses clients of other machines", "give Redis a password, or set protected-mode no"}},
	{"DB index is out of range", diagnosis{"Redis does not have this database", "lower redis.db, or what stands for it in redis.url, or raise databases in redis.conf"}},
	{"invalid DB index", diagnosis{"Redis does not have this database", "write another redis.db, or what stands for it in redis.url"}},
	{"SELECT is not allowed", diagnosis{"Redis is a Redis Cluster, which has only the database 0", "set redis.db to 0, and name nodes of it in redis.cluster"}},
	{"This instance has cluster support disabled", diagnosis{"Redis is not a Redis Cluster", "name it in redis.url or redis.host, not in redis.cluster"}},
	{"BUSY ", diagnosis{"Redis is busy with somebody's script", "if it lasts, SCRIPT KILL ends it"}},
	{"unknown command", diagnosis{"Redis does not know a command that this server needs", "run Redis 6.2 or later, or 7.0 as a Redis Cluster"}},
}

var (
	wrongPassword = diagnosis{"Redis refused the password", "correct redis.username and redis.password, or the URL that has them"}
	noPermission  = diagnosis{"Redis refused the user's permissions", "give the user what docs/operations.md (Cluster) has for it, with your prefix after ~ and &"}
)

// diagnose says what err means. Some errors mean something else as long as the
// node has not joined: then the configuration may be what is wrong.
func (c Config) diagnose(err error, joined bool) diagnosis {
	var old *tooOldError
	switch {
	case errors.As(err, &old):
		return diagnosis{old.Error(), "update Redis"}
	case ofSentinels(err):
		return c.diagnoseSentinels(err)
	case saysRedis(err, "MOVED"), saysRedis(err, "ASK"):
		if len(c.Cluster) == 0 {
			return diagnosis{"Redis is a node of a Redis Cluster", "name nodes of it in redis.cluster, instead of a url or a host"}
		}
		return diagnosis{"the Redis Cluster has moved a slot", ""}
	}
	for _, r := range refusals {
		if saysRedis(err, r.prefix) {
			return r.diagnosis
		}
	}
	if answered(err) {
		return diagnosis{"Redis refused a command", ""}
	}
	if d, ok := diagnoseTLS(err); ok {
		return d
	}
	return c.diagnoseNetwork(err, joined)
}

// answered reports whether err is what Redis has answered.
func answered(err error) bool {
	var refusal redis.Error
	var atSetUp *refusedError
	return errors.As(err, &refusal) && !errors.Is(err, redis.Nil) || errors.As(err, &atSetUp)
}

// saysRedis reports whether Redis has refused with an error that begins so; also
// one that a script has met, which old versions put into one of their own.
func saysRedis(err error, prefix string) bool {
	var atSetUp *refusedError
	if redis.HasErrorPrefix(err, prefix) || errors.As(err, &atSetUp) && strings.HasPrefix(atSetUp.text, prefix) {
		return true
	}
	var refusal redis.Error
	if !errors.As(err, &refusal) || !strings.Contains(refusal.Error(), "user_script") {
		return false
	}
	return strings.Contains(refusal.Error(), ": -"+prefix) || strings.Contains(refusal.Error(), ": "+prefix)
}

// ofSentinels reports whether it is they who did not answer, or had no answer.
func ofSentinels(err error) bool {
	return errors.Is(err, errSentinels)
}

func (c Config) diagnoseSentinels(err error) diagnosis {
	switch {
	case errors.Is(err, redis.Nil):
		return diagnosis{fmt.Sprintf("the sentinels do not know a master %q", c.Master), "correct redis.master: it is the name in sentinel monitor"}
	case saysRedis(err, "WRONGPASS"), saysRedis(err, "AUTH <password>"):
		return diagnosis{"the sentinels refused the password", "correct redis.sentinel_username and redis.sentinel_password"}
	case saysRedis(err, "NOAUTH"):
		return diagnosis{"the sentinels want a password", "set redis.sentinel_password"}
	case saysRedis(err, "NOPERM"):
		return diagnosis{"the sentinels refused the user's permissions", "let it do SENTINEL GET-MASTER-ADDR-BY-NAME, SENTINEL MASTER and SUBSCRIBE"}
	case saysRedis(err, "unknown command"):
		return diagnosis{"those named as sentinels are none", "name sentinels in redis.sentinels; their port is 26379, unless set"}
	}
	if d, ok := diagnoseTLS(err); ok {
		return d
	}
	return diagnosis{"no sentinel answers", "see that they run, and that redis.sentinels has their addresses"}
}

// diagnoseTLS is for those who do not trust each other, or do not speak TLS.
func diagnoseTLS(err error) (diagnosis, bool) {
	var (
		unknown  x509.UnknownAuthorityError
		host     x509.HostnameError
		invalid  x509.CertificateInvalidError
		verify   *tls.CertificateVerificationError
		noTLS    tls.RecordHeaderError
		alert    *net.OpError
		isAlert  = errors.As(err, &alert) && alert.Op == "remote error"
		ofClient = isAlert && strings.Contains(err.Error(), "certificate")
	)
	switch {
	case errors.As(err, &unknown):
		return diagnosis{"the certificate of Redis is of an authority that is not trusted", "name the authority's certificate in redis.ca_file"}, true
	case errors.As(err, &host):
		return diagnosis{"the certificate of Redis is for another name", "name Redis as its certificate does"}, true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return diagnosis{"the certificate of Redis has expired or is not valid yet", "renew it, or look at the clocks"}, true
	case errors.As(err, &verify):
		return diagnosis{"the certificate of Redis is not valid", ""}, true
	case errors.As(err, &noTLS):
		return diagnosis{"Redis does not speak TLS", withoutTLS}, true
	case ofClient:
		return diagnosis{"Redis refused the client's certificate, or wants one", "name one that it trusts in redis.cert_file and redis.key_file"}, true
	case isAlert:
		return diagnosis{"Redis refused the TLS handshake", "see that it speaks TLS 1.2 or later"}, true
	}
	return diagnosis{}, false
}

const (
	withTLS    = "if Redis wants TLS, write rediss:// in redis.url, or set redis.tls"
	withoutTLS = "if Redis does not speak TLS, write redis:// in redis.url, or set redis.tls to false"
)

// diagnoseNetwork is for when Redis has not said a word.
func (c Config) diagnoseNetwork(err error, joined bool) diagnosis {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return diagnosis{"the host of Redis is not known", "correct its name, or look at the DNS"}
	case errors.As(err, &dns):
		return diagnosis{"the host of Redis cannot be looked up", "look at the DNS"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return diagnosis{unanswered, "see that it runs, and that its address and port are right"}
	case joined: // the configuration was right
		return diagnosis{unanswered, ""}
	case c.encrypted() && (errors.As(err, &timeout) && timeout.Timeout()):
		return diagnosis{unanswered, withoutTLS}
	case !c.encrypted() && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		return diagnosis{unanswered, withTLS}
	}
	return diagnosis{unanswered, ""}
}
