package config

import (
	"fmt"
	"regexp"
	"strconv"
)

// collect puts the values of a tree of tables into flat, by names such as
// "server.port" and "apps[0].id".
func collect(tree map[string]any, prefix string, flat map[string]any) {
	for part, v := range tree {
		name := prefix + bare(part)
		switch v := v.(type) {
		case map[string]any:
			collect(v, name+".", flat)
		case []any:
			for i, item := range v {
				if table, ok := item.(map[string]any); ok {
					collect(table, fmt.Sprintf("%s[%d].", name, i), flat)
				}
			}
		}
		flat[name] = v
	}
}

// bareKey is a key that TOML takes without quotes.
var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// bare is one part of a name, quoted if it would be misread otherwise.
func bare(part string) string {
	if bareKey.MatchString(part) {
		return part
	}
	return strconv.Quote(part)
}

// indexes are the places of lists in a name.
var indexes = regexp.MustCompile(`\[[0-9]+\]`)

func unindexed(name string) string { return indexes.ReplaceAllString(name, "") }

func written(name string, list bool) string {
	if list {
		return "[[" + name + "]]"
	}
	return "[" + name + "]"
}
