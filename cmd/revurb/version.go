package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

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
	v, commit := release, ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if v == "" {
			v = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value[:min(12, len(s.Value))] + ", "
			}
		}
	}
	if v == "" || v == "(devel)" { // as the go command calls a build of a checkout
		v = "devel"
	}
	return fmt.Sprintf("%s (%s%s %s/%s)", v, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
