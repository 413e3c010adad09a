package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// encrypted reports whether connections are made with TLS.
func (c Config) encrypted() bool { return c.TLS || strings.HasPrefix(c.URL, "rediss://") }

// FileError is what is wrong with a file that the configuration names.
type FileError struct {
	Key string // "redis.ca_file"
	Err error
}

func (e *FileError) Error() string { return e.Key + ": " + e.Err.Error() }

func (e *FileError) Unwrap() error { return e.Err }

// CheckFiles reads the files that the configuration names. Its error is a
// [FileError].
func (c Config) CheckFiles() error { return c.trust(&tls.Config{MinVersion: tls.VersionTLS12}) }

// trust adds to t whom it trusts, and by what it is trusted.
func (c Config) trust(t *tls.Config) error {
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return &FileError{"redis.ca_file", fmt.Errorf("read %s: %w", c.CAFile, cause(err))}
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return &FileError{"redis.ca_file", fmt.Errorf("%s has no certificate in it; it has to be PEM", c.CAFile)}
		}
	}
	if c.CertFile == "" {
		return nil
	}
	if _, err := os.ReadFile(c.KeyFile); err != nil {
		return &FileError{"redis.key_file", fmt.Errorf("read %s: %w", c.KeyFile, cause(err))}
	}
	if _, err := c.certificate(nil); err != nil {
		return &FileError{"redis.cert_file", err}
	}
	t.GetClientCertificate = c.certificate
	return nil
}

// certificate reads the certificate of this server. It is read for each connection:
// it may be renewed while the server runs.
func (c Config) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.CertFile, cause(err))
	}
	return &cert, nil
}

// cause is err without the path, which the message has already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
