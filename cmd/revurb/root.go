package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/server"
)

// cli is what all commands share.
type cli struct {
	environ        []string
	stdout, stderr io.Writer
	open           func(config.Config, server.Options, *slog.Logger) (node, error)
}

// usageError is a mistake on the command line.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// root is the command line as a whole. A command that has others below it says
// how they are used.
func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "revurb",
		Short: "A server for the Pusher Channels protocol",
		Long: "Revurb is a server for the Pusher Channels protocol. Clients of Pusher, Laravel\n" +
			"Echo and Laravel Reverb work with it unchanged.\n\n" +
			"    revurb start    runs the server; with nothing configured it makes up an app",
		Version:       version(),
		SilenceErrors: true, // run prints them
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("revurb {{.Version}}\n")
	root.Flags().BoolP("version", "v", false, "say which version this is")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(c.startCommand(), c.initCommand(), c.configCommand(), c.conformanceCommand(), c.pluginCommand(), c.versionCommand())
	root.SetHelpCommand(helpCommand(root))
	root.InitDefaultCompletionCmd("completion")
	for _, cmd := range []*cobra.Command{root, subcommand(root, "config"), subcommand(root, "plugin"), subcommand(root, "completion")} {
		cmd.Args = knownCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	return root
}

func subcommand(parent *cobra.Command, name string) *cobra.Command {
	for _, cmd := range parent.Commands() {
		if cmd.Name() == name {
			return cmd
		}
	}
	return parent
}

// knownCommand refuses an argument where a command is wanted: were it one, it
// would run.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			names = append(names, sub.Name())
		}
	}
	return usagef("unknown command %q%s", cmd.CommandPath()+" "+args[0],
		otherwise(config.Nearest(args[0], names), "", cmd))
}

// flagError explains a flag that is wrong. That of a command that does not
// exist cannot be known; then the command is what is wrong.
func flagError(cmd *cobra.Command, err error) error {
	if cmd.HasSubCommands() && cmd.Flags().NArg() > 0 {
		return knownCommand(cmd, cmd.Flags().Args())
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usagef("%v", err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	name := unknown.GetSpecifiedName()
	dashes := "--"
	if unknown.GetSpecifiedShortnames() != "" {
		dashes = "-"
	}
	return usagef("unknown flag %s%s%s", dashes, name, otherwise(config.Nearest(name, names), "--", cmd))
}

// otherwise says what was meant, or where to read what there is.
func otherwise(nearest, dashes string, cmd *cobra.Command) string {
	if nearest != "" {
		return "; did you mean " + dashes + nearest + "?"
	}
	return "; see " + cmd.CommandPath() + " --help"
}

// noArgs refuses arguments where there is nothing that they could mean.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, and got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Say how a command is used",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err == nil && len(rest) > 0 {
				err = knownCommand(cmd, rest)
			}
			if err != nil {
				return err
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}
