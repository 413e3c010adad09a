package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/sdk"
)

func (c *cli) newPluginCommand() *cobra.Command {
	var (
		language, dir string
		names         []string
	)
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a plugin to go on with",
		Long: "Make a folder with a plugin that builds at once: its source, cases that it passes,\n" +
			"and the SDK. A folder that is there already stays as it is.\n\n" +
			"    revurb plugin new chat-guard --lang go\n" +
			"    revurb plugin new audit --lang rust --hook on_subscribed --hook on_disconnect\n\n" +
			"The languages are " + strings.Join(sdk.Languages(), ", ") + ". The hooks are\n" + wrapped(abi.Names()),
		Args: exactly("the name of the plugin", 1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			p := sdk.Project{Name: args[0]}
			var err error
			if p.Language, err = sdk.ParseLanguage(language); err != nil {
				return usagef("--lang: %v", err)
			}
			if p.Hooks, err = parseHooks(names); err != nil {
				return err
			}
			if dir == "" {
				dir = p.Name
			}
			if err := p.Write(dir); err != nil {
				return err
			}
			fmt.Fprintf(c.stdout, "Wrote %s, a plugin in %s. What comes next:\n\n  cd %s\n", dir, p.Language, dir)
			if p.Language == "assemblyscript" {
				fmt.Fprintln(c.stdout, "  npm install                   # the compiler, once")
			}
			fmt.Fprintf(c.stdout, "  revurb plugin test .          # builds it, and runs cases/%s.toml\n  revurb start --plugin %s.wasm\n", p.Name, p.Name)
			return nil
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&language, "lang", "go", "the language: "+strings.Join(sdk.Languages(), ", "))
	typed(f.Lookup("lang"), "name")
	f.StringSliceVar(&names, "hook", []string{abi.OnMessage.String()}, "what the plugin is asked or told of; may be given more than once")
	typed(f.Lookup("hook"), "name")
	f.StringVar(&dir, "dir", "", "the folder to make; ./NAME if it is left out")
	typed(f.Lookup("dir"), "folder")
	return cmd
}

// parseHooks returns the hooks with the given names, once each, in their order.
func parseHooks(names []string) (all []abi.Hook, err error) {
	wanted := map[abi.Hook]bool{}
	for _, name := range names {
		h, err := parseHook(name)
		if err != nil {
			return nil, err
		}
		wanted[h] = true
	}
	for h := range abi.Hooks {
		if wanted[h] {
			all = append(all, h)
		}
	}
	return all, nil
}

func parseHook(name string) (abi.Hook, error) {
	h, ok := abi.ParseHook(name)
	if !ok {
		hint := "; want one of " + strings.Join(abi.Names(), ", ")
		if near := config.Nearest(name, abi.Names()); near != "" {
			hint = "; did you mean " + near + "?"
		}
		return 0, usagef("--hook: there is no hook %q%s", name, hint)
	}
	return h, nil
}

// wrapped joins names, a few to a line.
func wrapped(names []string) string {
	var b strings.Builder
	for i, n := range names {
		switch {
		case i == 0:
		case i%6 == 0:
			b.WriteString(",\n")
		default:
			b.WriteString(", ")
		}
		b.WriteString(n)
	}
	return b.String() + "."
}
