package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
)

// reply is an error as Redis says it.
type reply string

func (s reply) Error() string { return string(s) }

func (reply) RedisError() {}

// Every way in which Redis fails is said in words that an operator searches for,
// and what can be done is said with it.
func TestDiagnosis(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	read := func(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} }
	alert := func(text string) error { return &net.OpError{Op: "remote error", Err: errors.New("tls: " + text)} }
	verify := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	sentinels := func(err error) error {
		return fmt.Errorf("%w: %w", errSentinels, errors.Join(err))
	}
	plain := Config{Host: "h"}
	secure := Config{URL: "rediss://h"}
	cluster := Config{Cluster: []string{"h:1"}}
	masters := Config{Sentinels: []string{"h:1"}, Master: "mymaster"}
	for name, test := range map[string]struct {
		config     Config
		err        error
		what, hint string // "" is no hint
	}{
		"nobody listens":         {plain, dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "Redis does not answer", "see that it runs"},
		"an unknown host":        {plain, dial(&net.DNSError{Name: "h", IsNotFound: true}), "the host of Redis is not known", "correct its name"},
		"no DNS":                 {plain, dial(&net.DNSError{Name: "h", IsTimeout: true}), "cannot be looked up", "DNS"},
		"a timeout":              {plain, read(os.ErrDeadlineExceeded), "Redis does not answer", ""},
		"a context's timeout":    {plain, context.DeadlineExceeded, "Redis does not answer", ""},
		"a full pool":            {plain, redis.ErrPoolTimeout, "Redis does not answer", ""},
		"plain to TLS":           {plain, io.EOF, "Redis does not answer", "rediss://"},
		"plain to TLS, reset":    {plain, read(os.NewSyscallError("read", syscall.ECONNRESET)), "Redis does not answer", "rediss://"},
		"TLS to plain":           {secure, dial(os.ErrDeadlineExceeded), "Redis does not answer", "redis://"},
		"TLS to something else":  {secure, tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "Redis does not speak TLS", "redis://"},
		"TLS, and closed":        {secure, io.EOF, "Redis does not answer", ""},
		"an unknown CA":          {secure, verify(x509.UnknownAuthorityError{}), "an authority that is not trusted", "redis.ca_file"},
		"a certificate of else":  {secure, verify(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}), "for another name", "as its certificate does"},
		"an old certificate":     {secure, verify(x509.CertificateInvalidError{Reason: x509.Expired}), "has expired", "renew it"},
		"a bad certificate":      {secure, verify(x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}), "is not valid", ""},
		"no client certificate":  {secure, alert("certificate required"), "Redis refused the client's certificate, or wants one", "redis.cert_file"},
		"a bad one":              {secure, alert("bad certificate"), "Redis refused the client's certificate, or wants one", "redis.cert_file"},
		"no common version":      {secure, alert("protocol version not supported"), "Redis refused the TLS handshake", "TLS 1.2"},
		"no password":            {plain, reply("NOAUTH Authentication required."), "Redis wants a password", "redis.password"},
		"a wrong one":            {plain, fmt.Errorf("failed to authenticate: %w", reply("WRONGPASS invalid username-password pair or user is disabled.")), "Redis refused the password", "redis.password"},
		"one, and none is set":   {plain, reply("ERR AUTH <password> called without any password configured for the default user."), "Redis wants no password", "redis.password"},
		"no permission":          {plain, reply("NOPERM this user has no permissions to run the 'evalsha' command"), "Redis refused the user's permissions", "docs/operations.md"},
		"of an old script":       {plain, reply("ERR Error running script (call to f_1): @user_script:5: @user_script: 5: The user executing the script can't run this command or subcommand"), "Redis refused the user's permissions", "docs/operations.md"},
		"of a new one":           {plain, reply("NOPERM ACL failure in script: User revurb has no permissions to run the 'time' command script: 1, on @user_script:5."), "Redis refused the user's permissions", "docs/operations.md"},
		"a replica":              {plain, reply("READONLY You can't write against a read only replica."), "Redis is read-only", "name the master"},
		"a replica, in a script": {plain, reply("ERR Error running script (call to f_1): @user_script:5: @user_script: 5: -READONLY You can't write against a read only replica."), "Redis is read-only", "name the master"},
		"out of memory":          {plain, reply("OOM command not allowed when used memory > 'maxmemory'."), "Redis is out of memory", "maxmemory"},
		"in a script":            {plain, reply("ERR Error running script (call to f_1): @user_script:5: @user_script: 5: -OOM command not allowed when used memory > 'maxmemory'."), "Redis is out of memory", "maxmemory"},
		"loading":                {plain, reply("LOADING Redis is loading the dataset in memory"), "Redis is loading its data", ""},
		"no master":              {plain, reply("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."), "a replica that has lost its master", "promote"},
		"no disk":                {plain, reply("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."), "Redis cannot save its data", "disk"},
		"no replicas":            {plain, reply("NOREPLICAS Not enough good replicas to write."), "too few replicas", "min-replicas-to-write"},
		"a cluster that is down": {cluster, reply("CLUSTERDOWN The cluster is down"), "the Redis Cluster is down", "CLUSTER INFO"},
		"a moved slot":           {cluster, reply("MOVED 866 127.0.0.1:2"), "has moved a slot", ""},
		"a slot on its way":      {cluster, reply("TRYAGAIN Multiple keys request during rehashing of slot"), "is moving a slot", ""},
		"a cluster unannounced":  {plain, reply("MOVED 866 127.0.0.1:2"), "Redis is a node of a Redis Cluster", "redis.cluster"},
		"no cluster":             {cluster, reply("ERR This instance has cluster support disabled"), "Redis is not a Redis Cluster", "redis.url"},
		"too many clients":       {plain, &refusedError{"max number of clients reached"}, "Redis has too many clients", "maxclients"},
		"protected":              {plain, &refusedError{"DENIED Redis is running in protected mode because"}, "Redis is in protected mode", "protected-mode"},
		"no such database":       {plain, fmt.Errorf("failed to initialize connection options: %w", reply("ERR DB index is out of range")), "Redis does not have this database", "redis.db"},
		"a cluster's database":   {plain, reply("ERR SELECT is not allowed in cluster mode"), "only the database 0", "redis.cluster"},
		"a script of somebody's": {plain, reply("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."), "Redis is busy with somebody's script", "SCRIPT KILL"},
		"a group that is there":  {plain, reply("BUSYGROUP Consumer Group name already exists"), "Redis refused a command", ""},
		"an unknown command":     {plain, reply("ERR unknown command `XAUTOCLAIM`, with args beginning with:"), "does not know a command", "6.2"},
		"an old version":         {plain, fmt.Errorf("dial: %w", &tooOldError{"6.0.16", least, false}), "Redis 6.0.16 is too old: 6.2 or later is needed", "update"},
		"an old cluster":         {cluster, &tooOldError{"6.2.14", leastCluster, true}, "Redis 6.2.14 is too old: 7.0 or later is needed as a Redis Cluster", "update"},
		"anything else":          {plain, reply("ERR wrong number of arguments"), "Redis refused a command", ""},
		"an unknown master":      {masters, sentinels(redis.Nil), `the sentinels do not know a master "mymaster"`, "redis.master"},
		"a sentinel's password":  {masters, sentinels(reply("NOAUTH Authentication required.")), "the sentinels want a password", "redis.sentinel_password"},
		"a wrong one of theirs":  {masters, sentinels(reply("WRONGPASS invalid")), "the sentinels refused the password", "redis.sentinel_username"},
		"a right of theirs":      {masters, sentinels(reply("NOPERM this user")), "the sentinels refused the user's permissions", "SENTINEL"},
		"no sentinels":           {masters, sentinels(reply("ERR unknown command 'sentinel'")), "those named as sentinels are none", "26379"},
		"dead sentinels":         {masters, sentinels(dial(syscall.ECONNREFUSED)), "no sentinel answers", "redis.sentinels"},
		"sentinels' certificate": {masters, sentinels(verify(x509.UnknownAuthorityError{})), "an authority that is not trusted", "redis.ca_file"},
	} {
		t.Run(name, func(t *testing.T) {
			d := test.config.diagnose(test.err, false)
			if !strings.Contains(d.what, test.what) || !strings.Contains(d.hint, test.hint) || (test.hint == "") != (d.hint == "") {
				t.Errorf("%v:\ngot %+v\nwant %q and %q", test.err, d, test.what, test.hint)
			}
		})
	}
}

// Once a node has joined, a connection that is lost is no slip in a configuration.
func TestDiagnosisOfWhatWorked(t *testing.T) {
	for _, c := range []Config{{Host: "h"}, {Host: "h", TLS: true}} {
		for _, err := range []error{io.EOF, os.ErrDeadlineExceeded} {
			if d := c.diagnose(err, true); d.what != unanswered || d.hint != "" {
				t.Errorf("%v: got %+v, want no hint", err, d)
			}
		}
	}
}
