package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/report"
	"github.com/revurb/revurb/conformance/targets"
)

// Exit codes of revurb conformance, besides those of all commands. That a
// server does not conform is exitRuntime.
const (
	exitUnreachable = 3
	exitNoMatch     = 4
	exitCredentials = 5
	exitNotPusher   = 6
)

// coded is an error with an exit code of its own.
type coded struct {
	code int
	err  error // nil if all was said
}

func (e *coded) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *coded) Unwrap() error { return e.err }

func (c *cli) conformanceCommand() *cobra.Command {
	var o conformanceOptions
	cmd := &cobra.Command{
		Use:   "conformance",
		Short: "Judge a server of the Pusher protocol, this one or another",
		Long: "Judge a server of the Pusher protocol from outside: this one, or any other.\n\n" +
			"    revurb conformance --url ws://127.0.0.1:8080 --app-id ID --key KEY --secret SECRET\n\n" +
			"It exits with 0 if the server conforms, 1 if it does not or if a known failure\n" +
			"passes, 2 if the command line or a file is wrong, 3 if the server cannot be\n" +
			"reached, 4 if no case matches, 5 if the server does not take the credentials,\n" +
			"and 6 if it is no server of the Pusher protocol.",
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.judge(cmd, &o) },
	}
	o.add(cmd)
	cmd.AddCommand(c.conformanceRunCommand(), c.listCommand(), c.explainCommand(), c.doctorCommand(),
		c.matrixCommand(), c.diffCommand(), c.baselineCommand())
	return cmd
}

func (c *cli) conformanceRunCommand() *cobra.Command {
	var o conformanceOptions
	cmd := &cobra.Command{
		Use:   "run [pattern...]",
		Short: "Run the cases, or those that match a pattern such as SUB-*",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.run = append(o.run, args...)
			return c.judge(cmd, &o)
		},
	}
	o.add(cmd)
	return cmd
}

func (c *cli) baselineCommand() *cobra.Command {
	var o conformanceOptions
	cmd := &cobra.Command{
		Use:   "baseline file",
		Short: "Run the cases, and write a list of those that fail, for --known-failing",
		Args:  exactly("the file to write", 1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.baseline = args[0]
			return c.judge(cmd, &o)
		},
	}
	o.add(cmd)
	return cmd
}

func (c *cli) listCommand() *cobra.Command {
	var run, skip []string
	var dialect string
	var capabilities bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the cases, with their level and what they need",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			if capabilities {
				for _, claim := range conformance.Claims {
					fmt.Fprintf(c.stdout, "%-24s %s\n", claim.Capability, claim.Means)
				}
				return nil
			}
			d := conformance.Dialect(dialect)
			if d != conformance.Pusher && d != conformance.Reverb {
				return usagef("--dialect is pusher or reverb, not %q", dialect)
			}
			cases, err := conformance.Select(conformance.All(), run, skip)
			if err != nil {
				return noMatch(err)
			}
			for _, x := range cases {
				fmt.Fprintf(c.stdout, "%-32s %-6s %s%s\n", x.ID, x.LevelIn(d), x.Title, remarks(x))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&run, "run", nil, "only cases that match")
	f.StringArrayVar(&skip, "skip", nil, "no cases that match")
	f.StringVar(&dialect, "dialect", "pusher", "whose levels")
	f.BoolVar(&capabilities, "capabilities", false, "the capabilities that a target may claim, instead")
	return cmd
}

// remarks are what is special about a case.
func remarks(x conformance.Case) string {
	var all []string
	for _, n := range x.Needs {
		all = append(all, string(n))
	}
	for name, is := range map[string]bool{"serial": x.Serial, "timing": x.Timing, "heavy": x.Heavy} {
		if is {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return " [" + strings.Join(all, ", ") + "]"
}

func (c *cli) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain id",
		Short: "Say what a case wants, and who says so",
		Args:  exactly("the ID of a case, or a pattern", 1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			cases, err := conformance.Select(conformance.All(), args, nil)
			if err != nil {
				return noMatch(err)
			}
			for i, x := range cases {
				if i > 0 {
					fmt.Fprintln(c.stdout)
				}
				fmt.Fprintf(c.stdout, "%s  %s%s\n\n  %s\n\n  level   %s (pusher), %s (reverb)\n  source  %s\n", x.ID, x.Title, remarks(x),
					x.Requirement, x.LevelIn(conformance.Pusher), x.LevelIn(conformance.Reverb), x.Source)
				if x.Alias != "" {
					fmt.Fprintf(c.stdout, "  also    %s\n", x.Alias)
				}
			}
			return nil
		},
	}
}

func (c *cli) matrixCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "matrix a.json b.json...",
		Short: "Compare servers by their reports, as a table in Markdown",
		Args:  exactly("the JSON reports of runs", 1, -1),
		RunE: func(_ *cobra.Command, args []string) error {
			runs, err := readReports(args)
			if err != nil {
				return err
			}
			return report.Matrix(c.stdout, runs)
		},
	}
}

func (c *cli) diffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff old.json new.json",
		Short: "Say what changed between two runs; exits with 1 if something is worse",
		Args:  exactly("the JSON reports of two runs", 2, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			runs, err := readReports(args)
			if err != nil {
				return err
			}
			worse, err := report.WriteDiff(c.stdout, report.Diff(runs[0], runs[1]))
			if err == nil && worse > 0 {
				return &coded{code: exitRuntime}
			}
			return err
		},
	}
}

func readReports(paths []string) (runs []*report.Run, err error) {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, usagef("%s: %v", path, reason(err))
		}
		r, err := report.Read(f)
		_ = f.Close() // it was read
		if err != nil {
			return nil, usagef("%s: %v", path, err)
		}
		runs = append(runs, r)
	}
	return runs, nil
}

func (c *cli) doctorCommand() *cobra.Command {
	var o conformanceOptions
	var out string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Try what a server can do, and write a target file for it",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			plan, err := o.plan(c)
			if err != nil {
				return err
			}
			if err := preflight(cmd.Context(), plan.target); err != nil {
				return err
			}
			found := conformance.Doctor(cmd.Context(), plan.target)
			if out == "" {
				return writeTarget(c.stdout, plan, found)
			}
			return writeFile(out, func(w io.Writer) error { return writeTarget(w, plan, found) })
		},
	}
	o.addTarget(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write the file here, instead of to the terminal")
	typed(cmd.Flags().Lookup("out"), "file")
	return cmd
}

func writeTarget(w io.Writer, p *plan, found []conformance.Finding) error {
	var b strings.Builder
	fmt.Fprintf(&b, "name = %q\ndialect = %q\nsource = \"run\"\n\n[capabilities]\n", p.info.Name, p.target.Dialect)
	for _, f := range found {
		if f.Capability.Found() {
			continue
		}
		why := ""
		switch {
		case !f.Asked:
			why = " # could not be tried: " + f.Means
		case !f.Has && f.Detail != "":
			why = " # " + strings.Join(strings.Fields(f.Detail), " ")
		}
		if len(why) > 140 {
			why = strings.ToValidUTF8(why[:140], "") + "…"
		}
		fmt.Fprintf(&b, "%s = %t%s\n", f.Capability, f.Has, why)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// exactly wants from least to most arguments; -1 is any number.
func exactly(what string, least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usagef("%s takes %s, and got %q", cmd.CommandPath(), what, args)
		}
		return nil
	}
}

func noMatch(err error) error { return &coded{exitNoMatch, err} }

// targetNames are the targets that need no file.
func targetNames() string { return strings.Join(targets.Names(), ", ") }
