package config

import (
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/revurb/revurb/hooks/loader"
)

// settlePlugin makes a plugin of a draft, and says where its values come from.
// dir is what a relative path is relative to.
func settlePlugin(d draft, dir string) (loader.Config, map[string]Source, error) {
	var out struct {
		Plugins loader.Config `koanf:"plugins"`
	}
	defaults := flatten(reflect.ValueOf(loader.DefaultConfig()), pluginsKey+".")
	// What is in a free table is none of the library's business, which would take
	// apart names with a dot.
	settings, config := slices.Clone(d.settings), map[string]any{}
	for i, s := range settings {
		if s.key.kind == &table {
			config, settings[i].value = s.value.(map[string]any), map[string]any{}
		}
	}
	sources, err := settle(&out, defaults, settings)
	if err != nil {
		return out.Plugins, nil, err
	}
	p := out.Plugins
	p.Config = config
	p.Path = under(dir, p.Path)
	if p.Name == "" {
		p.Name = strings.TrimSuffix(filepath.Base(p.Path), ".wasm")
	}
	return p, sources, nil
}

// under is path if it is absolute, or else the one that it is in dir.
func under(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// pluginKey is the name of a key of plugin i: "plugins[0].path".
func pluginKey(i int, name string) string {
	return pluginsKey + "[" + strconv.Itoa(i) + "]" + name[len(pluginsKey):]
}

// missingPaths finds plugins of which nobody knows where they are.
func missingPaths(plugins []draft, bad *Problems) {
	for _, d := range plugins {
		if _, ok := d.settings.last(pluginsKey + ".path"); !ok {
			bad.add(d.from, "this plugin has no path")
		}
	}
}

// checkPlugins looks at what no key of a plugin can be wrong about alone.
func (l *Loaded) checkPlugins(bad *Problems) {
	first := map[string]Source{}
	for i, p := range l.Config.Plugins {
		from := func(name string) Source { return l.Sources[pluginKey(i, pluginsKey+"."+name)] }
		named := from("name")
		if named == FromDefault {
			named = from("path")
			if err := checkPluginName(p.Name); err != nil {
				bad.add(named, "the plugin would be named as its file, but %v; choose a name", err)
			}
		}
		if other, ok := first[p.Name]; ok {
			bad.add(named, "the name %q is also that of the plugin at %s; every plugin needs its own", p.Name, other.place())
		} else {
			first[p.Name] = named
		}
		l.checkPluginApps(p, from("apps"), bad)
		if p.OnError.Authorize == "allow" {
			switch {
			case p.Authorize.Mode == "replace":
				bad.add(from("on_error.authorize"), `on_error.authorize = "allow" with authorize.mode = "replace" would let everyone in while the plugin fails; write "deny"`)
			case !p.Authorize.AllowFailOpen:
				bad.add(from("on_error.authorize"), `on_error.authorize = "allow" lets clients in unchecked while the plugin fails; set authorize.allow_fail_open = true if that is what you want`)
			}
		}
		if p.Authorize.Mode == "replace" && len(p.Hooks) > 0 && !slices.Contains(p.Hooks, "authorize") {
			bad.add(from("hooks"), `authorize.mode = "replace" needs "authorize" in hooks`)
		}
	}
}

// checkPluginApps finds apps that are not there. If none is configured, the one
// that the server makes up has an ID that nobody knows yet.
func (l *Loaded) checkPluginApps(p loader.Config, from Source, bad *Problems) {
	var ids []string
	for _, a := range l.Config.Apps {
		ids = append(ids, a.ID)
	}
	for _, id := range p.Apps {
		if id != "*" && !slices.Contains(ids, id) {
			bad.add(from, "plugins.apps: no app has the ID %q%s", id, didYouMean(id, ids, strconv.Quote))
		}
	}
}
