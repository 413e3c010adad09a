package plugintest

import (
	"reflect"
	"strings"
)

// meant says which key was probably meant by one that there is not: the nearest
// of those that can stand in its place.
func meant(key []string) string {
	t := reflect.TypeFor[Suite]()
	for _, part := range key[:len(key)-1] {
		next := tableOf(t, part)
		if next == nil {
			return ""
		}
		t = next
	}
	last, best, least := key[len(key)-1], "", 3
	for f := range t.Fields() {
		name := f.Tag.Get("toml")
		if name == "-" {
			continue
		}
		if d := distance(last, name); d < least && d < len(name) {
			best, least = name, d
		}
	}
	if best == "" {
		return "; see the documentation of package plugintest for those that there are"
	}
	return "; did you mean " + best + "?"
}

// tableOf returns the type of the table with the given name in t, or nil.
func tableOf(t reflect.Type, name string) reflect.Type {
	for f := range t.Fields() {
		if !strings.EqualFold(f.Tag.Get("toml"), name) {
			continue
		}
		in := f.Type
		if in.Kind() == reflect.Slice {
			in = in.Elem()
		}
		if in.Kind() == reflect.Struct {
			return in
		}
	}
	return nil
}

// distance is how many letters one must add, remove or change to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			before, row[j+1] = row[j+1], min(before+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
