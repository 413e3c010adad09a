package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/revurb/revurb/core/config"
)

// keyFlags are the flags that set a key of the configuration. They are those
// of Reverb's command.
var keyFlags = []struct{ name, key, value, usage string }{
	{"host", "server.host", "address", "listen on this address"},
	{"port", "server.port", "number", "listen on this port; 0 is any free one"},
	{"path", "server.path", "/path", "expect this before all routes"},
	{"hostname", "server.hostname", "name", "what clients connect to, if it is not the host"},
}

// options are the flags of a command that reads the configuration.
type options struct {
	path  string
	debug bool
}

func (o *options) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	for _, k := range keyFlags {
		f.String(k.name, "", k.usage)
		typed(f.Lookup(k.name), k.value)
	}
	f.BoolVar(&o.debug, "debug", false, "log every frame, with secrets masked")
	o.addPath(f)
}

func (o *options) addPath(f *pflag.FlagSet) {
	f.StringVar(&o.path, "config", "", "the configuration; "+config.FileName+" of this directory if it is left out")
	typed(f.Lookup("config"), "file")
}

// typed has the help say what kind of value a flag takes.
func typed(f *pflag.Flag, value string) { f.Value = flagValue{f.Value, value} }

type flagValue struct {
	pflag.Value
	kind string
}

func (v flagValue) Type() string { return v.kind }

// load reads the configuration with the flags that were given on top.
func (c *cli) load(cmd *cobra.Command, o *options) (config.Loaded, error) {
	load := config.Options{Path: o.path, Environ: c.environ}
	for _, k := range keyFlags {
		if f := cmd.Flags().Lookup(k.name); f != nil && f.Changed {
			load.Flags = append(load.Flags, config.Flag{Name: k.name, Key: k.key, Value: f.Value.String()})
		}
	}
	if o.debug {
		load.Flags = append(load.Flags, config.Flag{Name: "debug", Key: "log.level", Value: "debug"})
	}
	return config.Load(load)
}
