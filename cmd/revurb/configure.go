package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/hooks/loader"
)

func (c *cli) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check or show the configuration",
	}
	cmd.AddCommand(c.checkCommand(), c.showCommand())
	return cmd
}

func (c *cli) checkCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with the configuration, all of it",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := c.load(cmd, &o)
			if err != nil {
				return err
			}
			c.warn(l)
			if err := verifyPlugins(l); err != nil {
				return err
			}
			what := count(len(l.Config.Apps), "app")
			if n := len(l.Config.Plugins); n > 0 {
				what += ", " + count(n, "plugin")
			}
			fmt.Fprintf(c.stdout, "ok: %s, %s\n", fileOf(l), what)
			return nil
		},
	}
	o.add(cmd)
	return cmd
}

// verifyPlugins looks whether the files of plugins are those that are meant,
// without running them.
func verifyPlugins(l config.Loaded) error {
	var bad config.Problems
	for i, p := range l.Config.Plugins {
		if !p.Enabled {
			continue
		}
		if err := loader.Verify(p); err != nil {
			bad = append(bad, config.Problem{Where: string(l.Sources[fmt.Sprintf("plugins[%d].path", i)]), What: err.Error()})
		}
	}
	if len(bad) > 0 {
		return bad
	}
	return nil
}

func (c *cli) showCommand() *cobra.Command {
	var (
		o      options
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show what is in effect, and where each value comes from",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := c.load(cmd, &o)
			if err != nil {
				return err
			}
			c.warn(l)
			if asJSON {
				return c.showJSON(l.Entries())
			}
			fmt.Fprint(c.stdout, config.TOML(l.Entries()))
			return nil
		},
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a list of objects with key, value and source")
	return cmd
}

func (c *cli) showJSON(entries []config.Entry) error {
	type object struct {
		Key    string          `json:"key"`
		Value  json.RawMessage `json:"value"`
		Source config.Source   `json:"source"`
	}
	list := make([]object, len(entries))
	for i, e := range entries {
		list[i] = object{e.Key, json.RawMessage(e.JSON), e.Source}
	}
	out := json.NewEncoder(c.stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(list)
}

func (c *cli) warn(l config.Loaded) {
	for _, w := range l.Warnings {
		fmt.Fprintln(c.stderr, "revurb: warning:", w)
	}
}

func fileOf(l config.Loaded) string {
	if l.Path == "" {
		return "no file"
	}
	return l.Path
}

// count is "1 app", "2 apps".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
