package wasm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/fuel"
)

// Info is what a guest says of itself.
type Info struct {
	ABI          int
	Hooks        []abi.Hook
	Capabilities []string // that its imports need; for publish, "publish:CHANNEL"
	Unknown      []string // exports that look like hooks and are none
	Module       fuel.Module
}

// Inspect returns what a guest says of itself, if it is a plugin. Nothing of it
// is run.
func Inspect(wasm []byte) (Info, error) {
	m, err := fuel.Inspect(wasm)
	if err != nil {
		return Info{}, fmt.Errorf("the plugin is refused: %w", err)
	}
	info := Info{Module: m, Capabilities: needed(m.Imports)}
	exports := map[string]fuel.Export{}
	var versions []string
	for _, e := range m.Exports {
		exports[e.Name] = e
		if v, ok := strings.CutPrefix(e.Name, abi.MarkerPrefix); ok {
			versions = append(versions, v)
		}
	}
	switch {
	case slices.Contains(versions, "1"):
		info.ABI = 1
	case len(versions) > 0:
		return info, fmt.Errorf("the plugin is for version %s of the ABI; this server has version 1", strings.Join(versions, ", "))
	default:
		return info, fmt.Errorf("the module is no plugin: it does not export %s; build it with an SDK, or see docs/abi.md", abi.Marker)
	}
	want := map[string]string{abi.Buffer: "(i32) -> i32", abi.Configure: "(i32, i32) -> i64", abi.Initialize: "()", abi.Start: "()", abi.Marker: "()"}
	for h := range abi.Hooks {
		want[h.Export()] = "(i32, i32) -> i64"
	}
	want[abi.Tick.Export()] = "() -> i64"
	for name, typ := range want {
		if e, ok := exports[name]; ok && (e.Kind != "function" || e.Type.String() != typ) {
			return info, fmt.Errorf("the plugin exports %s as a %s %s; it must be a function %s", name, e.Kind, e.Type, typ)
		}
	}
	for h := range abi.Hooks {
		if _, ok := exports[h.Export()]; ok {
			info.Hooks = append(info.Hooks, h)
		}
	}
	for name := range exports {
		if _, ok := want[name]; !ok && strings.HasPrefix(name, abi.Prefix) && !strings.HasPrefix(name, abi.MarkerPrefix) {
			info.Unknown = append(info.Unknown, name)
		}
	}
	slices.Sort(info.Unknown)
	switch _, buffer := exports[abi.Buffer]; {
	case exports[abi.Memory].Kind != "memory" || m.Memory == nil:
		return info, errors.New("the plugin does not export its memory, as \"memory\"")
	case !buffer:
		return info, fmt.Errorf("the plugin does not export %s", abi.Buffer)
	}
	return info, nil
}

// check is Inspect, and whether the guest gets all that it imports.
func check(wasm []byte, g Grants) (Info, error) {
	info, err := Inspect(wasm)
	if err != nil {
		return info, err
	}
	return info, missing(importedBy(info.Module.Imports), g)
}

// importedBy returns imports with their types as letters.
func importedBy(imports []fuel.Import) (all []imported) {
	letters := map[string]string{"i32": "i", "i64": "I", "f32": "f", "f64": "F"}
	join := func(types []string) (s string) {
		for _, t := range types {
			l, ok := letters[t]
			if !ok {
				l = "?"
			}
			s += l
		}
		return s
	}
	for _, i := range imports {
		all = append(all, imported{i.Module, i.Name, i.Kind == "function", join(i.Type.Params), join(i.Type.Results)})
	}
	return all
}

// needed returns the capabilities that imports need, once each.
func needed(imports []fuel.Import) (all []string) {
	for _, i := range imports {
		if i.Module != abi.Module {
			continue
		}
		if f, ok := byName(functions(), i.Name); ok && f.capability != "" && !slices.Contains(all, f.capability) {
			all = append(all, f.capability)
		}
	}
	return all
}
