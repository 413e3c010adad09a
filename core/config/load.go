package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"

	"github.com/revurb/revurb/hooks/loader"
)

// FileName is the file that is read if none is named.
const FileName = "revurb.toml"

// Options say where Load looks.
type Options struct {
	Path    string   // the file that --config names; "" is none
	Dir     string   // the working directory; "" is that of the process
	Environ []string // "NAME=value", as of os.Environ
	Flags   []Flag   // that were given
}

// Flag is a flag of the command line that sets a key.
type Flag struct {
	Name  string // "port", for --port
	Key   string // "server.port"
	Value string
}

// Loaded is a configuration and where it comes from.
type Loaded struct {
	Config   Config
	Sources  map[string]Source // of every key: "server.port", "apps[0].id"
	Warnings []string          // what is likely not as it was meant
	Path     string            // of the file; "" if there is none
}

// Load reads the defaults, the file, the environment and the flags, of which
// the later ones win. There is a file if Options.Path or REVURB_CONFIG names
// one, or if the directory has a revurb.toml.
//
// An error is Problems if the user can put it right, and then it is all of
// them: unknown keys, wrong types, values that make no sense. There may be no
// apps at all; what to do then is up to the caller.
func Load(o Options) (Loaded, error) {
	var bad Problems
	env := newEnvironment(o.Environ)
	path, text, err := findFile(o, env)
	if err != nil {
		return Loaded{}, err
	}
	f, ok := readFile(path, text, &bad)

	laravel, laravelApp := env.readReverb(&bad).split()
	own, ownApp := env.read(&bad).split()
	if !namesRedis(f.server, own) {
		laravel = append(laravel, env.readScaling(&bad)...)
	}
	flags := readFlags(o.Flags, &bad)
	if !ok { // what the file says of apps is unknown
		return Loaded{}, bad
	}
	l := Loaded{Path: path}
	apps := draftApps(f.apps, laravelApp, ownApp, &bad, &l.Warnings)
	checkApps(apps, &bad)
	missingPaths(f.plugins, &bad)
	if err := bad.err(); err != nil {
		return Loaded{}, err
	}

	l.Sources, err = settle(&l.Config, flatten(reflect.ValueOf(Default()), ""), f.server, laravel, own, flags)
	if err != nil {
		return Loaded{}, err
	}
	for i, d := range apps {
		a, sources, err := settleApp(d)
		if err != nil {
			return Loaded{}, err
		}
		l.Config.Apps = append(l.Config.Apps, a)
		for name, from := range sources {
			l.Sources[appKey(i, name)] = from
		}
	}
	dir := filepath.Join(o.Dir, filepath.Dir(path))
	if filepath.IsAbs(path) {
		dir = filepath.Dir(path)
	}
	for i, d := range f.plugins {
		p, sources, err := settlePlugin(d, dir)
		if err != nil {
			return Loaded{}, err
		}
		l.Config.Plugins = append(l.Config.Plugins, p)
		for name, from := range sources {
			l.Sources[pluginKey(i, name)] = from
		}
	}
	if cache := &l.Config.Hooks.CacheDir; *cache != loader.DefaultSettings.CacheDir && path != "" && strings.HasPrefix(string(l.Sources["hooks.cache_dir"]), path+":") {
		*cache = under(dir, *cache)
	}
	l.check(&bad)
	return l, bad.err()
}

// appKey is the name of a key of app i: "apps[0].id".
func appKey(i int, name string) string {
	return fmt.Sprintf("%s[%d]%s", appsKey, i, name[len(appsKey):])
}

// findFile returns the file to read, and what is in it. Without a file both
// are empty.
func findFile(o Options, env environment) (path string, text []byte, err error) {
	path, by := o.Path, fromFlag("config")
	if path == "" {
		path, by = env[EnvConfig], fromEnv(EnvConfig)
	}
	named := path != ""
	if !named {
		path = FileName
	}
	full := path
	if !filepath.IsAbs(path) {
		full = filepath.Join(o.Dir, path)
	}
	text, err = os.ReadFile(full)
	switch {
	case err == nil:
		return path, text, nil
	case named:
		return "", nil, Problems{{by.place(), fmt.Sprintf("read %s: %v", path, cause(err))}}
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, nil
	}
	return "", nil, Problems{{path, fmt.Sprintf("read the file: %v", cause(err))}}
}

// cause is err without the path, which the message has already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// readFlags returns what flags set. The command line knows only flags that
// are keys.
func readFlags(flags []Flag, bad *Problems) (l layer) {
	for _, f := range flags {
		if k := findKey(f.Key); k != nil {
			l = append(l, k.parse(f.Value, fromFlag(f.Name), bad)...)
		} else {
			bad.add(fromFlag(f.Name), "it sets the unknown key %q", f.Key)
		}
	}
	return l
}

// settle puts layers on top of defaults and the result into out. It returns
// where each value comes from.
func settle(out any, defaults map[string]any, layers ...layer) (map[string]Source, error) {
	k := koanf.New(".")
	sources := map[string]Source{}
	load := func(values map[string]any) error {
		if err := k.Load(confmap.Provider(values, "."), nil); err != nil {
			return fmt.Errorf("put the configuration together: %w", err)
		}
		return nil
	}
	if err := load(defaults); err != nil {
		return nil, err
	}
	for name := range defaults {
		sources[name] = FromDefault
	}
	for _, l := range layers {
		values := map[string]any{}
		for _, s := range l {
			values[s.key.name] = s.value
			sources[s.key.name] = s.from
		}
		if err := load(values); err != nil {
			return nil, err
		}
	}
	if err := k.Unmarshal("", out); err != nil {
		return nil, fmt.Errorf("put the configuration together: %w", err)
	}
	return sources, nil
}
