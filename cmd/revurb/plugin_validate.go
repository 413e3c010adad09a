package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/hooks/kv"
	"github.com/revurb/revurb/hooks/loader"
	"github.com/revurb/revurb/hooks/wasm"
)

func (c *cli) validatePluginCommand() *cobra.Command {
	var s sandbox
	cmd := &cobra.Command{
		Use:   "validate FILE",
		Short: "Load a plugin as the server would",
		Long: "Load a plugin as the server would: check it, compile it, start it and configure it.\n" +
			"It exits with 1 if the server would refuse it, and says why.\n\n" +
			"    revurb plugin validate chat-guard.wasm\n" +
			"    revurb plugin validate chat-guard.wasm --config guard.toml --capability kv",
		Args: exactly("one file", 1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := readPlugin(args[0])
			if err != nil {
				return err
			}
			o := wasm.Options{Name: args[0], Apps: []string{"*"}, HostVersion: version(), Limits: wasm.Limits{Pool: 1}}
			var capabilities []string
			if o.Config, capabilities, err = s.read(); err != nil {
				return err
			}
			if o.Grants, err = loader.Grants(capabilities); err != nil {
				return usagef("--capability: %v", err)
			}
			o.Host.KV = kv.New(0, nil)
			p, err := wasm.Load(cmd.Context(), b, o)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			defer func() { _ = p.Drain(cmd.Context()) }()
			fmt.Fprintf(c.stdout, "ok: %s\n", args[0])
			for _, stage := range p.Stats().Loading {
				fmt.Fprintf(c.stdout, "  %-10s %s\n", stage.Name, stage.Took.Round(10*time.Microsecond))
			}
			return nil
		},
	}
	s.add(cmd)
	return cmd
}
