package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/revurb/revurb/hooks/loader"
)

// size is a number of bytes, with a unit or without.
var size = kind{
	want: `a size such as "16MiB" or "64KiB", or a number of bytes`,
	fromTOML: func(v any) (any, bool) {
		switch v := v.(type) {
		case int64:
			return loader.Size(v), true
		case string:
			return parseSize(v)
		}
		return nil, false
	},
	fromText: parseSize,
	toTOML:   func(v any) string { return formatSize(v.(loader.Size)) },
}

// units are the largest first, as formatSize tries them.
var units = []struct {
	name  string
	bytes loader.Size
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

func parseSize(s string) (any, bool) {
	unit := loader.Size(1)
	for _, u := range units {
		if number, ok := strings.CutSuffix(s, u.name); ok {
			s, unit = strings.TrimSpace(number), u.bytes
			break
		}
	}
	n, ok := parseInt(s)
	if !ok || n.(int) > math.MaxInt64/int(unit) || n.(int) < math.MinInt64/int(unit) {
		return nil, false
	}
	return loader.Size(n.(int)) * unit, true
}

func formatSize(n loader.Size) string {
	for _, u := range units {
		if n != 0 && n%u.bytes == 0 {
			return quote(fmt.Sprintf("%d%s", n/u.bytes, u.name))
		}
	}
	return strconv.FormatInt(int64(n), 10)
}

// table is a table with whatever the user wants in it.
var table = kind{
	want: "a table, without dates, inf and nan in it, which JSON does not have",
	fromTOML: func(v any) (any, bool) {
		t, ok := v.(map[string]any)
		return t, ok && isJSON(t)
	},
	fromText: func(string) (any, bool) { return nil, false },
	toTOML:   func(v any) string { return inlineTOML(v) },
}

// isJSON reports whether JSON has a value for v.
func isJSON(v any) bool {
	switch v := v.(type) {
	case string, int64, bool:
		return true
	case float64:
		return !math.IsInf(v, 0) && !math.IsNaN(v)
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !isJSON(item) })
	case map[string]any:
		for _, item := range v {
			if !isJSON(item) {
				return false
			}
		}
		return true
	}
	return false
}

// inlineTOML writes a value of a table in one line.
func inlineTOML(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	case []any:
		items := make([]string, len(v))
		for i := range v {
			items[i] = inlineTOML(v[i])
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		if len(v) == 0 {
			return "{}"
		}
		var items []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			written := name
			if !bareKey.MatchString(name) {
				written = quote(name)
			}
			items = append(items, written+" = "+inlineTOML(v[name]))
		}
		return "{ " + strings.Join(items, ", ") + " }"
	}
	return fmt.Sprint(v) // int64 and bool
}

// masked is v, a value of a table, without what its names say is a secret.
func masked(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = masked(v[i])
		}
		return list
	case map[string]any:
		t := map[string]any{}
		for name, item := range v {
			if secretName(name) {
				t[name] = strings.Trim(mask, `"`)
			} else {
				t[name] = masked(item)
			}
		}
		return t
	}
	return v
}

// secretName reports whether name is one that secrets have.
func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, end := range []string{"secret", "password", "token", "key"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
