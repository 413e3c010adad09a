package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/hooks/plugintest"
)

// casesOptions are the flags of revurb plugin test.
type casesOptions struct {
	run           string
	asJSON, loud  bool
	match         *regexp.Regexp
	passed, wrong int
}

func (c *cli) testPluginCommand() *cobra.Command {
	var o casesOptions
	cmd := &cobra.Command{
		Use:   "test FILE|DIR [CASES...]",
		Short: "Run the cases of a plugin",
		Long: "Run cases, which say what happens and what the plugin is to decide: cases/*.toml\n" +
			"beside the plugin if none are given. The plugin of a folder is built first. It\n" +
			"exits with 1 if a case fails.\n\n" +
			"    revurb plugin test .\n" +
			"    revurb plugin test chat-guard.wasm cases/spam.toml --run denied --verbose\n\n" +
			"docs/plugins.md has what a case may say.",
		Args: exactly("a plugin and files of cases", 1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.testPlugin(cmd.Context(), args[0], args[1:], &o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.run, "run", "", "run only the cases whose name matches this")
	typed(f.Lookup("run"), "regexp")
	f.BoolVar(&o.loud, "verbose", false, "show what the plugin logs and publishes")
	f.BoolVar(&o.asJSON, "json", false, "as an object for each case, a line each")
	return cmd
}

func (c *cli) testPlugin(ctx context.Context, path string, cases []string, o *casesOptions) (err error) {
	if o.match, err = regexp.Compile(o.run); err != nil {
		return usagef("--run: %v", err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if path, err = c.build(ctx, path, ""); err != nil {
			return err
		}
	}
	if len(cases) == 0 {
		cases = []string{filepath.Join(filepath.Dir(path), "cases", "*.toml")}
	}
	files, err := plugintest.Find(cases...)
	if err != nil {
		return err
	}
	suites := make([]*plugintest.Suite, len(files))
	for i, file := range files {
		if suites[i], err = plugintest.Read(file); err != nil {
			return err
		}
	}
	r, err := plugintest.New(path)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	for _, s := range suites {
		if err := c.runSuite(ctx, r, s, o); err != nil {
			return err
		}
	}
	switch {
	case o.passed+o.wrong == 0:
		return &coded{exitRuntime, fmt.Errorf("no case matches %s", o.run)}
	case o.wrong > 0:
		return &coded{exitRuntime, fmt.Errorf("%d of %s failed", o.wrong, count(o.passed+o.wrong, "case"))}
	case !o.asJSON:
		fmt.Fprintf(c.stdout, "%s, all ok\n", count(o.passed, "case"))
	}
	return nil
}

func (c *cli) runSuite(ctx context.Context, r *plugintest.Runner, s *plugintest.Suite, o *casesOptions) error {
	for i := range s.Cases {
		if !o.match.MatchString(s.Cases[i].Name) {
			continue
		}
		result, err := r.Run(ctx, s, &s.Cases[i])
		if err != nil {
			return fmt.Errorf("%s: case %q: %w", s.Path, s.Cases[i].Name, err)
		}
		if result.OK() {
			o.passed++
		} else {
			o.wrong++
		}
		if err := c.printCase(s, result, o); err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) printCase(s *plugintest.Suite, r *plugintest.Result, o *casesOptions) error {
	if o.asJSON {
		return c.printLine(map[string]any{
			"file": s.Path, "case": r.Name, "ok": r.OK(), "fuel": r.Fuel, "ns": r.Took.Nanoseconds(),
			"wrong": append([]string{}, r.Wrong...), "status": r.Got.Status, "failure": r.Got.Failure,
		})
	}
	mark := "ok  "
	if !r.OK() {
		mark = "FAIL"
	}
	fmt.Fprintf(c.stdout, "%s  %-40s %9d fuel  %s\n", mark, r.Name, r.Fuel, r.Took.Round(time.Microsecond))
	for _, w := range r.Wrong {
		fmt.Fprintln(c.stdout, "      "+strings.ReplaceAll(w, "\n", "\n      "))
	}
	if o.loud || !r.OK() {
		for _, line := range r.Got.Log {
			fmt.Fprintln(c.stdout, "      log: "+line)
		}
		for _, p := range r.Got.Publish {
			fmt.Fprintf(c.stdout, "      publish: %s %s %s\n", p.Channel, p.Event, p.Data)
		}
	}
	return nil
}
