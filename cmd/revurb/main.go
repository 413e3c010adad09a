// Command revurb is the server, what one needs to set it up, and the suite that
// judges it and others. It parses the command line, logs and listens to signals;
// all else is in the packages of core and conformance, and none of them knows of
// a command line.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/revurb/revurb/core/config"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// Exit codes. A process that a second signal ends has 128 and the signal's
// number, as shells have it.
const (
	exitOK      = 0
	exitRuntime = 1 // something went wrong
	exitUsage   = 2 // the command line or the configuration is wrong
)

// run is main without the process around it. It is the one place where errors
// are printed and become exit codes.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &cli{environ: environ, stdout: stdout, stderr: stderr, open: openServer}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var (
		usage    *usageError
		problems config.Problems
		cut      *cutShort
		own      *coded
	)
	switch {
	case errors.As(err, &own):
		if own.err != nil {
			fmt.Fprintln(stderr, "revurb:", err)
		}
		return own.code
	case errors.As(err, &cut):
		return cut.code()
	case errors.As(err, &problems):
		fmt.Fprintln(stderr, "revurb:", describe(problems))
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "revurb:", err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "revurb:", err)
	return exitRuntime
}

// describe writes problems: one on the line, more of them below it.
func describe(p config.Problems) string {
	if len(p) == 1 {
		return p.Error()
	}
	return fmt.Sprintf("there are %d mistakes in the configuration:\n  %s", len(p), strings.ReplaceAll(p.Error(), "\n", "\n  "))
}
