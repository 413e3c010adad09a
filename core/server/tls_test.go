package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/config"
)

// writeCertificate writes a certificate for name and its key to the files.
func writeCertificate(t *testing.T, files config.TLS, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	for file, block := range map[string]*pem.Block{
		files.Cert: {Type: "CERTIFICATE", Bytes: cert},
		files.Key:  {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		must(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	}
}

// secure is a server with TLS, whose certificate is in files.
func secure(t *testing.T, change ...func(*config.Config)) (s *stage, files config.TLS) {
	t.Helper()
	dir := t.TempDir()
	files = config.TLS{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
	writeCertificate(t, files, "old")
	return serve(t, append(change, func(c *config.Config) { c.TLS = files })...), files
}

// shake does a TLS handshake. It checks nothing but that there is one.
func (s *stage) shake() *tls.Conn {
	s.t.Helper()
	c := tls.Client(s.tcp(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the certificate is the test's
	must(s.t, c.Handshake())
	return c
}

// certified is the name of the certificate that the server shows.
func (s *stage) certified() string {
	s.t.Helper()
	c := s.shake()
	defer func() { _ = c.Close() }()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestTLS(t *testing.T) {
	s, _ := secure(t, func(c *config.Config) { c.Apps[0].TLSOnly = true })
	if !strings.HasPrefix(s.server.URL(), "https://") {
		t.Errorf("got the URL %s, want https", s.server.URL())
	}
	c, res, err := upgrade(s.shake(), path, nil)
	must(t, err)
	if c == nil {
		t.Fatalf("got %s, want a WebSocket", res.Status)
	}
	must(t, c.greet())
	must(t, c.subscribe("news", nil))
	s.stop()
	must(t, seeShutdown(c))
	must(t, c.answerClose(4200))
	if sum := s.wait(); sum.Disconnected != 1 {
		t.Errorf("got %d disconnected, want 1", sum.Disconnected)
	}
}

func TestTLSReload(t *testing.T) {
	s, files := secure(t)
	old, _, err := upgrade(s.shake(), path, nil)
	must(t, err)
	must(t, old.greet())

	writeCertificate(t, files, "new")
	must(t, s.server.Reload())
	if got := s.certified(); got != "new" {
		t.Errorf("after Reload: got %s, want new", got)
	}
	must(t, old.subscribe("news", nil)) // who is connected stays so

	must(t, os.WriteFile(files.Cert, []byte("no certificate"), 0o600))
	if err := s.server.Reload(); err == nil || !strings.Contains(err.Error(), files.Cert) {
		t.Errorf("Reload of a broken file: got %v, want an error that mentions %s", err, files.Cert)
	}
	if got := s.certified(); got != "new" {
		t.Errorf("after Reload of a broken file: got %s, want new", got)
	}
	must(t, os.WriteFile(files.Cert, []byte("still no certificate"), 0o600)) // and nobody says so
	eventually(t, "log the broken file", func() bool {
		return strings.Contains(s.log.String(), "level=ERROR") && strings.Contains(s.log.String(), "the old certificate stays")
	})

	writeCertificate(t, files, "newest")
	eventually(t, "newest", func() bool { return s.certified() == "newest" })
}

func TestReloadWithoutTLS(t *testing.T) {
	must(t, serve(t).server.Reload())
}

func TestTLSHandshakeHasADeadline(t *testing.T) {
	s, _ := secure(t, impatient)
	half := s.tcp()
	_, err := half.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03half a ClientHello"))
	must(t, err)
	ended(t, half)
	// One who has shaken hands, and says nothing.
	var silent *tls.Conn
	eventually(t, "shake hands in time", func() bool {
		silent = tls.Client(s.tcp(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the certificate is the test's
		return silent.Handshake() == nil
	})
	ended(t, silent)
}

func TestHTTPToATLSPortIsToldSo(t *testing.T) {
	s, _ := secure(t)
	c := s.tcp()
	_, err := io.WriteString(c, "GET /up HTTP/1.1\r\nHost: x\r\n\r\n")
	must(t, err)
	if said := ended(t, c); !strings.HasPrefix(said, "HTTP/1.1 400") || !strings.Contains(said, "https://") {
		t.Errorf("got %q, want 400 and a word of https", said)
	}
}
