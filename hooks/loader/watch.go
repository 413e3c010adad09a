package loader

import (
	"context"
	"time"
)

// lookEvery is how often Watch looks at files. Looking takes a microsecond, works
// on every file system and through every way of replacing a file.
const lookEvery = time.Second

// Watch loads plugins again whose files change, of those that want that, until
// ctx is done. A file is loaded once it has stayed the same for lookEvery, since
// it may be in the middle of being written.
func (l *Loader) Watch(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	seen := map[string]stamp{} // files that differ from what is loaded
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if l.stable(seen) {
				l.follow(ctx)
			}
		}
	}
}

// stable reports whether a file has changed, and stayed so since the last look,
// which is in seen.
func (l *Loader) stable(seen map[string]stamp) (changed bool) {
	for _, p := range l.current() {
		path := p.config.Path
		if !p.config.Watch {
			continue
		}
		now, err := look(path)
		if err != nil || now.same(p.stamp) || now.same(l.attempt(path)) {
			delete(seen, path)
			continue
		}
		if now.same(seen[path]) {
			changed = true
			continue
		}
		seen[path] = now
	}
	return changed
}

// follow loads all plugins again, as they are configured.
func (l *Loader) follow(ctx context.Context) {
	var configs []Config
	stamps := map[string]stamp{}
	for _, p := range l.current() {
		configs = append(configs, p.config)
		stamps[p.config.Path], _ = look(p.config.Path)
	}
	r, err := l.Reload(ctx, configs)
	if err != nil {
		l.log.Error("a plugin has changed and cannot be loaded; the one before stays", "err", err)
		l.mu.Lock()
		for path, s := range stamps {
			l.attempts[path] = s
		}
		l.mu.Unlock()
		return
	}
	l.log.Info("a plugin has changed and was loaded again", "plugins", r.Replaced, "took", r.Took)
}

// attempt is the file that could not be loaded, as it was.
func (l *Loader) attempt(path string) stamp {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.attempts[path]
}
