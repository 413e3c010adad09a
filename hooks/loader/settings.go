package loader

import (
	"fmt"
	"os"
	"path/filepath"
)

// Settings are what all plugins have in common.
type Settings struct {
	// CacheDir keeps compiled plugins. Who can write there can run code in the
	// server. "auto" is a directory of the user's own, "" keeps none.
	CacheDir string `koanf:"cache_dir"`
}

// DefaultSettings are those of an empty file.
var DefaultSettings = Settings{CacheDir: "auto"}

// cacheDir returns the directory for compiled plugins, or "".
func (s Settings) cacheDir() (string, error) {
	if s.CacheDir != "auto" {
		return s.CacheDir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", nil // a service without a home compiles each time
	}
	dir = filepath.Join(dir, "revurb")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil
	}
	return dir, private(dir)
}

// private refuses a directory that others can write to.
func private(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("look at the directory for compiled plugins: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others can write to %s, where the code of plugins is kept: take that away (chmod go-w), or set hooks.cache_dir", dir)
	}
	return nil
}
