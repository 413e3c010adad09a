package config

import (
	"reflect"
	"strings"
	"time"

	"github.com/revurb/revurb/hooks/loader"
)

// The lists of tables that the configuration has. The second is in each table of
// the first.
const (
	appsKey    = "apps"
	hooksKey   = "apps.webhooks"
	pluginsKey = "plugins"
)

// isList reports whether the section called name is a list of tables.
func isList(name string) bool { return name == appsKey || name == hooksKey || name == pluginsKey }

// key is one key that can be configured.
type key struct {
	name string // "server.port"; those of an app are "apps.id", "apps.message_rate.decay"
	kind *kind
}

// ofApp reports whether the key is one of an app.
func (k *key) ofApp() bool { return strings.HasPrefix(k.name, appsKey+".") }

// ofWebhook reports whether the key is one of a webhook of an app.
func (k *key) ofWebhook() bool { return strings.HasPrefix(k.name, hooksKey+".") }

// ofPlugin reports whether the key is one of a plugin.
func (k *key) ofPlugin() bool { return strings.HasPrefix(k.name, pluginsKey+".") }

// secret reports whether the key's value must never be shown. Headers may have
// what lets us in at a backend.
func (k *key) secret() bool {
	return k.name == hooksKey+".headers" || strings.HasSuffix(k.name, "secret") || strings.HasSuffix(k.name, "password")
}

// schema is all keys, in the order of the structs. It is read off Config, so
// that a new field is a new key.
var schema = keysOf(reflect.TypeFor[Config](), "")

func keysOf(t reflect.Type, prefix string) (all []*key) {
	var nested []*key // which come last, as in the file
	for i := range t.NumField() {
		f := t.Field(i)
		name := prefix + f.Tag.Get("koanf")
		switch typ := f.Type; {
		case typ.Kind() == reflect.Struct:
			nested = append(nested, keysOf(typ, name+".")...)
		case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct:
			nested = append(nested, keysOf(typ.Elem(), name+".")...)
		default:
			all = append(all, &key{name, kindOf(typ)})
		}
	}
	return append(all, nested...)
}

// kindOf returns the kind of values of t. A field that has none is a mistake
// of whoever added it, and fails the first test that imports this package.
func kindOf(t reflect.Type) *kind {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &duration
	case reflect.TypeFor[loader.Size]():
		return &size
	case reflect.TypeFor[map[string]any]():
		return &table
	}
	if k, ok := kinds[t.Kind()]; ok {
		return k
	}
	panic("config: no kind of value for a field of type " + t.String())
}

// findKey returns the key called name, or nil.
func findKey(name string) *key {
	for _, k := range schema {
		if k.name == name {
			return k
		}
	}
	return nil
}

// freeTable returns the key called name, or the one whose value name is a part
// of, if it is one that has a table for a value, with whatever the user wants in
// it.
func freeTable(name string) *key {
	for _, k := range schema {
		if k.kind == &table && (name == k.name || strings.HasPrefix(name, k.name+".")) {
			return k
		}
	}
	return nil
}

// isSection reports whether there are keys in a section called name.
func isSection(name string) bool {
	for _, k := range schema {
		if strings.HasPrefix(k.name, name+".") {
			return true
		}
	}
	return false
}

// sections are the names of all sections, once each.
func sections() (all []string) {
	seen := map[string]bool{}
	for _, k := range schema {
		if s := section(k.name); !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	return all
}

// section is what comes before the last part of a key's name.
func section(name string) string { return name[:max(0, lastDot(name))] }

// local is the last part of a key's name.
func local(name string) string { return name[lastDot(name)+1:] }

// lastDot is the place of the last dot that is not in a quoted part of a name,
// or -1.
func lastDot(name string) int {
	last, quoted := -1, false
	for i := 0; i < len(name); i++ {
		switch {
		case name[i] == '"':
			quoted = !quoted
		case name[i] == '\\':
			i++
		case name[i] == '.' && !quoted:
			last = i
		}
	}
	return last
}

// header is how a section begins in the file.
func header(section string) string {
	if isList(section) {
		return "[[" + section + "]]"
	}
	return "[" + section + "]"
}

// flatten returns the values of the fields of v, a struct, by the names of
// their keys. Lists of tables are left out.
func flatten(v reflect.Value, prefix string) map[string]any {
	all := map[string]any{}
	for i := range v.NumField() {
		name := prefix + v.Type().Field(i).Tag.Get("koanf")
		switch f := v.Field(i); {
		case f.Kind() == reflect.Struct:
			for k, v := range flatten(f, name+".") {
				all[k] = v
			}
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
		case f.Kind() == reflect.String:
			all[name] = f.String() // also of types that are strings underneath
		default:
			all[name] = f.Interface()
		}
	}
	return all
}
