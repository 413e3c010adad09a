package config

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// Entry is one key of the configuration in effect.
type Entry struct {
	Key    string // "server.port", "apps[0].id"
	Value  string // as it is written in the file; a secret is masked
	JSON   string // the same in JSON
	Source Source
}

// mask stands for a secret, whatever its length.
const mask = `"********"`

// maskURL masks the password in a URL.
func maskURL(s string) string {
	u, err := url.Parse(s)
	if err != nil { // a rule has refused it
		return ""
	}
	if _, ok := u.User.Password(); !ok {
		return s
	}
	return strings.Replace(u.Redacted(), ":xxxxx@", ":********@", 1)
}

// Entries lists every key in the order of the file, secrets masked.
func (l Loaded) Entries() (all []Entry) {
	all = l.entries(flatten(reflect.ValueOf(l.Config), ""), func(name string) string { return name })
	for i := range l.Config.Apps {
		all = append(all, l.entries(
			flatten(reflect.ValueOf(l.Config.Apps[i]), appsKey+"."),
			func(name string) string { return appKey(i, name) },
		)...)
		for j := range l.Config.Apps[i].Webhooks {
			all = append(all, l.entries(
				flatten(reflect.ValueOf(l.Config.Apps[i].Webhooks[j]), hooksKey+"."),
				func(name string) string { return appKey(i, hookKey(j, name)) },
			)...)
		}
	}
	for i := range l.Config.Plugins {
		all = append(all, l.entries(
			flatten(reflect.ValueOf(l.Config.Plugins[i]), pluginsKey+"."),
			func(name string) string { return pluginKey(i, name) },
		)...)
	}
	return all
}

func (l Loaded) entries(values map[string]any, rename func(string) string) (all []Entry) {
	for _, k := range schema {
		v, ok := values[k.name]
		if !ok {
			continue
		}
		if k.kind == &table {
			v = masked(v)
		}
		if k.name == "redis.url" {
			v = maskURL(v.(string))
		}
		e := Entry{Key: rename(k.name), Value: k.kind.toTOML(v)}
		if list, ok := v.([]string); ok && k.secret() {
			e.Value = "[" + strings.Join(slices.Repeat([]string{mask}, len(list)), ", ") + "]"
		} else if k.secret() && !reflect.ValueOf(v).IsZero() {
			e.Value = mask
		}
		e.JSON = e.Value // TOML writes most values as JSON does
		if k.kind == &table {
			text, _ := json.Marshal(v) // isJSON has seen it
			e.JSON = string(text)
		}
		e.Source = l.Sources[e.Key]
		all = append(all, e)
	}
	return all
}

// TOML writes entries as a file that sets them, with the source of each as a
// comment.
func TOML(entries []Entry) string {
	var b strings.Builder
	width := 0
	for _, e := range entries {
		width = max(width, len(local(e.Key))+len(" = ")+len(e.Value))
	}
	width = min(width, 50) // one long list need not push all comments out of sight
	at := ""
	for _, e := range entries {
		if s := section(e.Key); s != at {
			if at != "" {
				b.WriteString("\n")
			}
			at = s
			b.WriteString(header(unindexed(s)) + "\n")
		}
		line := local(e.Key) + " = " + e.Value
		b.WriteString(line + strings.Repeat(" ", max(0, width-len(line))) + "  # " + string(e.Source) + "\n")
	}
	return b.String()
}
