package listen

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/core/config"
)

// Certificate is a certificate and its key, read from files that may change.
// Connections that are open keep the one that they began with.
type Certificate struct {
	// Static after construction.
	files config.TLS
	log   *slog.Logger

	current atomic.Pointer[tls.Certificate]

	mu   sync.Mutex        // guards what follows
	seen [sha256.Size]byte // of the files when they were last read, whatever came of it
}

// LoadCertificate reads the PEM files that c names.
func LoadCertificate(c config.TLS, log *slog.Logger) (*Certificate, error) {
	switch {
	case c.Cert == "":
		return nil, fmt.Errorf("tls: there is a key (%s) and no certificate: set tls.cert", c.Key)
	case c.Key == "":
		return nil, fmt.Errorf("tls: there is a certificate (%s) and no key: set tls.key", c.Cert)
	}
	cert := &Certificate{files: c, log: log}
	if err := cert.Reload(); err != nil {
		return nil, err
	}
	return cert, nil
}

// Config serves the certificate over TLS 1.2 or 1.3, for HTTP/1.1: there are no
// WebSockets over HTTP/2 here (RFC 8441).
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}
}

// Reload reads the files again. If they are not a certificate and its key, the
// error says why, and the certificate stays what it is.
func (c *Certificate) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	cert, key, err := c.read()
	if err != nil {
		return err
	}
	return c.use(cert, key)
}

// reloadIfChanged is Reload if the files are not those that were read the last
// time. What is wrong with them is logged, once.
func (c *Certificate) reloadIfChanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.seen
	cert, key, err := c.read()
	if c.seen == last {
		return
	}
	if err == nil {
		err = c.use(cert, key)
	}
	if err != nil {
		c.log.Error("the TLS files have changed and cannot be used; the old certificate stays", "err", err)
	}
}

// read notes what it has seen, even if it cannot read everything.
func (c *Certificate) read() (cert, key []byte, err error) {
	sum := sha256.New()
	defer func() {
		_, _ = fmt.Fprint(sum, err)
		sum.Sum(c.seen[:0])
	}()
	if cert, err = os.ReadFile(c.files.Cert); err != nil {
		return nil, nil, fmt.Errorf("tls.cert: %w", err)
	}
	sum.Write(cert)
	if key, err = os.ReadFile(c.files.Key); err != nil {
		return nil, nil, fmt.Errorf("tls.key: %w", err)
	}
	sum.Write(key)
	return cert, key, nil
}

func (c *Certificate) use(cert, key []byte) error {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("tls: certificate %s and key %s: %w", c.files.Cert, c.files.Key, err)
	}
	expires := pair.Leaf.NotAfter
	if time.Now().After(expires) {
		c.log.Warn("the TLS certificate has expired", "cert", c.files.Cert, "expired", expires)
	}
	if c.current.Swap(&pair) != nil {
		c.log.Info("using a new TLS certificate", "cert", c.files.Cert, "expires", expires)
	}
	return nil
}
