package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/hooks/loader"
	"github.com/revurb/revurb/hooks/plugintest"
)

func (c *cli) pluginCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Write, test and look at plugins",
		Long: "Write plugins, WebAssembly that has a say in what the server does, and test them.\n\n" +
			"    revurb plugin new chat-guard --lang go   makes a plugin to go on with\n" +
			"    revurb plugin test chat-guard            builds it, and runs its cases\n" +
			"    revurb start --plugin chat-guard/chat-guard.wasm\n\n" +
			"docs/plugins.md begins with nothing and ends with a plugin in production.",
	}
	cmd.AddCommand(c.newPluginCommand(), c.buildPluginCommand(), c.testPluginCommand(), c.inspectPluginCommand(),
		c.validatePluginCommand(), c.benchPluginCommand())
	return cmd
}

// sandbox are the flags of a command that loads a plugin.
type sandbox struct {
	config       string
	capabilities []string
}

func (s *sandbox) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.config, "config", "", "a TOML file with what the plugin itself is configured with")
	typed(f.Lookup("config"), "file")
	f.StringSliceVar(&s.capabilities, "capability", nil, "grant only this; may be given more than once. All of them if it is left out")
	typed(f.Lookup("capability"), "name")
}

// read returns what the flags say, the config as JSON.
func (s *sandbox) read() (config []byte, capabilities []string, err error) {
	capabilities = s.capabilities
	if capabilities == nil {
		capabilities = loader.AllCapabilities()
	}
	if s.config == "" {
		return nil, capabilities, nil
	}
	table, err := plugintest.ReadConfig(s.config)
	if err != nil {
		return nil, nil, err
	}
	config, err = json.Marshal(table)
	return config, capabilities, err
}

// readPlugin reads the file of a plugin.
func readPlugin(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil, usagef("%s is a folder; \"revurb plugin build %s\" makes a .wasm of it", path, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, reason(err))
	}
	return b, nil
}

// printJSON writes v as people and programs read it.
func (c *cli) printJSON(v any) error {
	out := json.NewEncoder(c.stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(v)
}

// printLine writes v as one line of JSON.
func (c *cli) printLine(v any) error {
	out := json.NewEncoder(c.stdout)
	out.SetEscapeHTML(false)
	return out.Encode(v)
}
