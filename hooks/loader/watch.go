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

// watched is a file, as it is and as it was when it could not be loaded.
type watched struct {
	path           string
	loaded, failed stamp
}

func (l *Loader) watched() (all []watched) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.loaded {
		if path := p.config.Path; p.config.Watch {
			all = append(all, watched{path, p.stamp, l.attempts[path]})
		}
	}
	return all
}

// stable reports whether a file has changed, and stayed so since the last look,
// which is in seen.
func (l *Loader) stable(seen map[string]stamp) (changed bool) {
	for _, f := range l.watched() {
		now, err := look(f.path)
		if err != nil || now.same(f.loaded) || now.same(f.failed) {
			delete(seen, f.path)
			continue
		}
		if now.same(seen[f.path]) {
			changed = true
			continue
		}
		seen[f.path] = now
	}
	return changed
}

// follow loads all plugins again, as they are configured. While somebody else
// does, it waits for the next look.
func (l *Loader) follow(ctx context.Context) {
	if !l.reloading.TryLock() {
		return
	}
	defer l.reloading.Unlock()
	var configs []Config
	stamps := map[string]stamp{}
	for _, p := range l.current() {
		configs = append(configs, p.config)
		stamps[p.config.Path], _ = look(p.config.Path)
	}
	r, err := l.reload(ctx, configs)
	if err != nil {
		l.log.Error("a plugin has changed and cannot be loaded; the one before stays", "err", err)
		l.mu.Lock()
		defer l.mu.Unlock()
		for path, s := range stamps {
			l.attempts[path] = s
		}
		return
	}
	if len(r.Replaced) > 0 {
		l.log.Info("a plugin has changed and was loaded again", "plugins", r.Replaced, "took", r.Took)
	}
}
