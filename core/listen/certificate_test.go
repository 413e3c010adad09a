package listen_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/listen"
)

// pair returns a certificate for name and its key, in PEM.
func pair(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// write puts a certificate for name and its key into dir.
func write(t *testing.T, dir, name string) config.TLS {
	t.Helper()
	files := config.TLS{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
	cert, key := pair(t, name)
	writeFile(t, files.Cert, cert)
	writeFile(t, files.Key, key)
	return files
}

func writeFile(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// served is the name of the certificate that c serves.
func served(t *testing.T, c *listen.Certificate) string {
	t.Helper()
	cert, err := c.Config().GetCertificate(new(tls.ClientHelloInfo))
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf.Subject.CommonName
}

func load(t *testing.T, files config.TLS, log *slog.Logger) *listen.Certificate {
	t.Helper()
	c, err := listen.LoadCertificate(files, log)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoadCertificateSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir, "good")
	_, otherKey := pair(t, "other")
	other := filepath.Join(dir, "other.key")
	writeFile(t, other, otherKey)
	garbage := filepath.Join(dir, "garbage")
	writeFile(t, garbage, []byte("no PEM"))
	missing := filepath.Join(dir, "missing")
	for _, test := range []struct {
		name  string
		files config.TLS
		want  []string
	}{
		{"no key", config.TLS{Cert: good.Cert}, []string{"set tls.key", good.Cert}},
		{"no certificate", config.TLS{Key: good.Key}, []string{"set tls.cert", good.Key}},
		{"the certificate is missing", config.TLS{Cert: missing, Key: good.Key}, []string{"tls.cert", missing, "no such file"}},
		{"the key is missing", config.TLS{Cert: good.Cert, Key: missing}, []string{"tls.key", missing, "no such file"}},
		{"the certificate is none", config.TLS{Cert: garbage, Key: good.Key}, []string{garbage, "PEM"}},
		{"the key is that of another", config.TLS{Cert: good.Cert, Key: other}, []string{other, "does not match"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := listen.LoadCertificate(test.files, discard)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %q, want it to mention %s", err, part)
				}
			}
		})
	}
}

func TestReload(t *testing.T) {
	dir := t.TempDir()
	files := write(t, dir, "old")
	c := load(t, files, discard)
	write(t, dir, "new")
	if got := served(t, c); got != "old" {
		t.Errorf("before Reload: got %s, want old", got)
	}
	if err := c.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := served(t, c); got != "new" {
		t.Errorf("after Reload: got %s, want new", got)
	}
	writeFile(t, files.Cert, []byte("no PEM"))
	if err := c.Reload(); err == nil {
		t.Error("Reload of a broken file: got no error")
	}
	if got := served(t, c); got != "new" {
		t.Errorf("after Reload of a broken file: got %s, want new", got)
	}
}

// watch watches c until the test ends.
func watch(t *testing.T, c *listen.Certificate) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Watch(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Watch: %v", err)
		}
		goleak.VerifyNone(t)
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

func serves(t *testing.T, c *listen.Certificate, name string) {
	t.Helper()
	eventually(t, "serve "+name, func() bool { return served(t, c) == name })
}

func TestWatch(t *testing.T) {
	t.Run("files that are written over", func(t *testing.T) {
		dir := t.TempDir()
		c := load(t, write(t, dir, "old"), discard)
		watch(t, c)
		write(t, dir, "new")
		serves(t, c, "new")
		write(t, dir, "newest")
		serves(t, c, "newest")
	})

	t.Run("files that are renamed into place", func(t *testing.T) {
		dir, staging := t.TempDir(), t.TempDir()
		files := write(t, dir, "old")
		c := load(t, files, discard)
		watch(t, c)
		for _, name := range []string{"new", "newest"} {
			staged := write(t, staging, name)
			rename(t, staged.Cert, files.Cert)
			rename(t, staged.Key, files.Key)
			serves(t, c, name)
		}
	})

	// As Kubernetes mounts a secret: tls.crt -> ..data/tls.crt, and ..data -> a
	// directory that is another one each time, which the old one is deleted for.
	t.Run("a link to a directory that moves", func(t *testing.T) {
		dir := t.TempDir()
		generation := func(name string) string {
			real := filepath.Join(dir, ".."+name)
			if err := os.Mkdir(real, 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, real, name)
			link(t, ".."+name, filepath.Join(dir, "..data_tmp"))
			rename(t, filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data"))
			return real
		}
		old := generation("old")
		files := config.TLS{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
		link(t, "..data/tls.crt", files.Cert)
		link(t, "..data/tls.key", files.Key)
		c := load(t, files, discard)
		watch(t, c)
		for _, name := range []string{"new", "newest"} {
			next := generation(name)
			if err := os.RemoveAll(old); err != nil {
				t.Fatal(err)
			}
			serves(t, c, name)
			old = next
		}
	})

	t.Run("files behind a directory that is a link elsewhere", func(t *testing.T) {
		a, b, where := t.TempDir(), t.TempDir(), t.TempDir()
		write(t, a, "old")
		write(t, b, "new")
		current := filepath.Join(where, "current")
		link(t, a, current)
		c := load(t, config.TLS{Cert: filepath.Join(current, "tls.crt"), Key: filepath.Join(current, "tls.key")}, discard)
		watch(t, c)
		link(t, b, current+".tmp")
		rename(t, current+".tmp", current)
		serves(t, c, "new")
		write(t, b, "newest")
		serves(t, c, "newest")
	})

	t.Run("files that are broken, and then are not", func(t *testing.T) {
		dir := t.TempDir()
		files := write(t, dir, "old")
		var log buffer
		c := load(t, files, slog.New(slog.NewTextHandler(&log, nil)))
		watch(t, c)
		writeFile(t, files.Cert, []byte("no PEM"))
		eventually(t, "log an error", func() bool { return strings.Contains(log.String(), "level=ERROR") })
		for _, part := range []string{files.Cert, "PEM", "the old certificate stays"} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("got %s, want it to mention %q", log.String(), part)
			}
		}
		if got := served(t, c); got != "old" {
			t.Errorf("got %s, want old", got)
		}
		write(t, dir, "new")
		serves(t, c, "new")
	})

	t.Run("files that are gone, and then are back", func(t *testing.T) {
		dir := t.TempDir()
		files := write(t, dir, "old")
		var log buffer
		c := load(t, files, slog.New(slog.NewTextHandler(&log, nil)))
		watch(t, c)
		if err := os.Remove(files.Key); err != nil {
			t.Fatal(err)
		}
		eventually(t, "log an error", func() bool { return strings.Contains(log.String(), "no such file") })
		if got := served(t, c); got != "old" {
			t.Errorf("got %s, want old", got)
		}
		write(t, dir, "new")
		serves(t, c, "new")
	})
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}
