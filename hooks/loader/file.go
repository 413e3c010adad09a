package loader

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

// stamp is what tells that a file is not what it was.
type stamp struct {
	info os.FileInfo
	sum  string // of what was read
}

// look returns the stamp of a file without reading it.
func look(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stamp{info: info}, nil
}

// same reports whether the file looks as it did.
func (s stamp) same(t stamp) bool {
	return s.info != nil && t.info != nil && os.SameFile(s.info, t.info) &&
		s.info.Size() == t.info.Size() && s.info.ModTime().Equal(t.info.ModTime())
}

// read reads the file of a plugin and checks its sum.
func read(c Config) (wasm []byte, at stamp, err error) {
	if c.Path == "" {
		return nil, at, errors.New("it has no path")
	}
	if at, err = look(c.Path); err != nil {
		return nil, at, fmt.Errorf("read the file: %w", err)
	}
	if size := at.info.Size(); c.Limits.Binary > 0 && size > int64(c.Limits.Binary) {
		return nil, at, fmt.Errorf("the file has %d bytes, of at most %d: raise limits.binary, or build it smaller", size, c.Limits.Binary)
	}
	if wasm, err = os.ReadFile(c.Path); err != nil {
		return nil, at, fmt.Errorf("read the file: %w", err)
	}
	sum := sha256.Sum256(wasm)
	at.sum = hex.EncodeToString(sum[:])
	if c.SHA256 != "" && !strings.EqualFold(c.SHA256, at.sum) {
		return nil, at, fmt.Errorf("the file is not the one that sha256 names: it has %s, want %s; if the new one is what you want, change sha256", at.sum, c.SHA256)
	}
	return wasm, at, nil
}

// Verify reports what is wrong with the file of a plugin, as far as that can be
// told without running it.
func Verify(c Config) error {
	c = c.named()
	if _, _, err := read(c); err != nil {
		return fmt.Errorf("plugin %s (%s): %w", c.Name, c.Path, err)
	}
	return nil
}
