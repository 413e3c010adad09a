package listen

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long files must have been left alone before they are read: a
// certificate and its key are seldom written at the same moment.
const settle = 100 * time.Millisecond

// Watch reads the files again whenever they change, until ctx is done.
func (c *Certificate) Watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the TLS files: %w", err)
	}
	defer func() { _ = w.Close() }()
	c.follow(w)
	c.reloadIfChanged() // they may have changed before they were watched
	timer := time.NewTimer(settle)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-w.Events:
			if !ok {
				return nil
			}
			timer.Reset(settle)
		case err, ok := <-w.Errors:
			if !ok {
				return nil
			}
			c.log.Warn("watch the TLS files", "err", err)
			timer.Reset(settle) // events may have been lost
		case <-timer.C:
			c.follow(w)
			c.reloadIfChanged()
		}
	}
}

// follow watches the directories in which the files are looked up. Not the
// files: who replaces one renames another into its place, and a watch would
// stay with the old one. Which directories these are may change with every
// link on the way.
func (c *Certificate) follow(w *fsnotify.Watcher) {
	for _, file := range []string{c.files.Cert, c.files.Key} {
		for _, dir := range lookups(file) {
			if err := w.Add(dir); err != nil {
				c.log.Debug("watch the TLS files", "dir", dir, "err", err)
			}
		}
	}
}

// lookups returns the directories in which a change can make path another
// file: its own, and those of the symbolic links by which it is reached. In
// Kubernetes, tls.crt is a link to ..data/tls.crt, and ..data is a link that
// moves.
func lookups(path string) (dirs []string) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	dirs = append(dirs, filepath.Dir(path))
	for range 40 { // as many links as Linux follows
		link, target, rest, ok := firstLink(path)
		if !ok {
			break
		}
		if dir := filepath.Dir(link); dir != dirs[len(dirs)-1] {
			dirs = append(dirs, dir)
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		path = filepath.Join(target, rest)
	}
	return append(dirs, filepath.Dir(path))
}

// firstLink finds the first symbolic link on the way to path: where it is, what
// is in it, and what of path is behind it.
func firstLink(path string) (link, target, rest string, ok bool) {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != filepath.Separator {
			continue
		}
		info, err := os.Lstat(path[:i])
		if err != nil {
			return "", "", "", false
		}
		if info.Mode().Type() != fs.ModeSymlink {
			continue
		}
		if target, err = os.Readlink(path[:i]); err != nil {
			return "", "", "", false
		}
		return path[:i], target, path[i:], true
	}
	return "", "", "", false
}
