package wasm

import (
	"fmt"
	"strings"

	"github.com/revurb/revurb/hooks/abi"
)

// imported is an import of a guest: of a function, with its type as letters.
type imported struct {
	module, name    string
	function        bool
	params, results string
}

// missing returns an error that names the first import that a guest with the
// given grants does not get, and says what to do.
func missing(list []imported, g Grants) error {
	known := map[string][]function{abi.Module: functions(), wasiModule: wasiFunctions()}
	for _, i := range list {
		there, ok := known[i.module]
		if !ok {
			return fmt.Errorf("the plugin imports %s.%s; a plugin can import from %s and %s alone", i.module, i.name, abi.Module, wasiModule)
		}
		f, ok := byName(there, i.name)
		switch {
		case !i.function, !ok:
			return fmt.Errorf("the plugin imports %s.%s, which this server does not have%s", i.module, i.name, has(i.module, there))
		case f.params != i.params, f.results != i.results:
			return fmt.Errorf("the plugin imports %s.%s as %s; it is %s", i.module, i.name, signature(i.params, i.results), signature(f.params, f.results))
		case f.granted != nil && !f.granted(g):
			return fmt.Errorf("the plugin imports %s.%s, which it is not granted; add %q to its capabilities", i.module, i.name, f.capability)
		}
	}
	return nil
}

func byName(functions []function, name string) (function, bool) {
	for _, f := range functions {
		if f.name == name {
			return f, true
		}
	}
	return function{}, false
}

// has names what a guest may import from a module, where that is not too much.
func has(module string, functions []function) string {
	if module != abi.Module {
		return ""
	}
	names := make([]string, len(functions))
	for i, f := range functions {
		names[i] = f.name
	}
	return "; it has " + strings.Join(names, ", ")
}

// signature writes a type as package abi does: (i32, i64) -> i32.
func signature(params, results string) string {
	s := "(" + strings.Join(words(params), ", ") + ")"
	if results != "" {
		s += " -> " + strings.Join(words(results), ", ")
	}
	return s
}

func words(letters string) []string {
	names := map[rune]string{'i': "i32", 'I': "i64", 'f': "f32", 'F': "f64"}
	var ws []string
	for _, l := range letters {
		w, ok := names[l]
		if !ok {
			w = "other"
		}
		ws = append(ws, w)
	}
	return ws
}
