package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// release is the version that a release is built as, with
//
//	go build -ldflags "-X main.release=v1.2.3"
//
// Without it the version is that of the module, which go install knows.
var release string

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Args:  noArgs,
		Run:   func(*cobra.Command, []string) { fmt.Fprintln(c.stdout, "revurb", version()) },
	}
}

// version is "v1.2.3 (0a1b2c3d4e5f, go1.26.0 linux/amd64)". What is not known
// of it is left out.
func version() string {
	commit := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value[:min(12, len(s.Value))] + ", "
			}
		}
	}
	return fmt.Sprintf("%s (%s%s %s/%s)", number(), commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// number is "v1.2.3", or "devel" where it is not known.
func number() string {
	v := release
	if info, ok := debug.ReadBuildInfo(); ok && v == "" {
		v = info.Main.Version
	}
	if v == "" || v == "(devel)" { // as the go command calls a build of a checkout
		return "devel"
	}
	return v
}

// pluginVersion is the version as plugins are told: "1.2.3".
func pluginVersion() string { return strings.TrimPrefix(number(), "v") }
