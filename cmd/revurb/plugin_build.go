package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/hooks/wasm"
	"github.com/revurb/revurb/sdk"
)

func (c *cli) buildPluginCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Compile a plugin",
		Long: "Compile the plugin of a folder, this one if it is left out, to NAME.wasm in it, and\n" +
			"look whether that is a plugin. The language is that of the files there.\n\n" +
			"    revurb plugin build\n" +
			"    revurb plugin build chat-guard --output /etc/revurb/chat-guard.wasm",
		Args: exactly("one folder at most", 0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			path, err := c.build(cmd.Context(), dir, output)
			if err != nil {
				return err
			}
			info, err := os.Stat(path)
			if err != nil {
				return fmt.Errorf("build the plugin: %w", err)
			}
			fmt.Fprintf(c.stdout, "Wrote %s, %s.\n", path, bytesOf(info.Size()))
			return nil
		},
	}
	cmd.Flags().StringVar(&output, "output", "", "the file to write; NAME.wasm in the folder if it is left out")
	typed(cmd.Flags().Lookup("output"), "file")
	return cmd
}

// build compiles the plugin of a folder, and returns its file.
func (c *cli) build(ctx context.Context, dir, output string) (path string, err error) {
	s, err := sdk.Detect(dir)
	if err != nil {
		return "", err
	}
	if output == "" {
		output = s.Output()
	}
	if err := s.Build(ctx, output, c.stderr); err != nil {
		return "", err
	}
	b, err := readPlugin(output)
	if err != nil {
		return "", err
	}
	if _, err := wasm.Inspect(b); err != nil {
		return "", fmt.Errorf("%s: %w", output, err)
	}
	return output, nil
}

// bytesOf is a number of bytes for people.
func bytesOf(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
