package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
)

func (c *cli) initCommand() *cobra.Command {
	var (
		o            options
		force, print bool
	)
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a " + config.FileName + " with an app of your own",
		Long: "Write a " + config.FileName + " with a fresh app, and print the lines that Laravel\n" +
			"needs in its .env. A file that is there already stays as it is.",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			a, err := newApp()
			if err != nil {
				return err
			}
			if print {
				fmt.Fprint(c.stdout, newFile(a))
				return nil
			}
			path := o.path
			if path == "" {
				path = config.FileName
			}
			if err := writeNew(path, newFile(a), force); err != nil {
				return err
			}
			c.reportInit(path, a)
			return nil
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&force, "force", false, "replace the file if there is one; its apps are lost")
	cmd.Flags().BoolVar(&print, "print", false, "print the file instead of writing it")
	o.addPath(cmd.Flags())
	cmd.Flags().Lookup("config").Usage = "the file to write; " + config.FileName + " if it is left out"
	return cmd
}

// newFile is a configuration with a and nothing else.
func newFile(a app.App) string {
	return fmt.Sprintf(`# The configuration of revurb. The sample that comes with it names every key;
# "revurb config show" lists what is in effect.

[[apps]]
id = "%s"
key = "%s"
secret = "%s" # keep it to your backend and this server
`, a.ID, a.Key, a.Secret)
}

func (c *cli) reportInit(path string, a app.App) {
	server := config.Default().Server
	e := endpoint{"http", server.Host, fmt.Sprint(server.Port), server.Path}
	fmt.Fprintf(c.stdout, "Wrote %s with app %s.\n\nIn .env, for Laravel:\n\n%s\n\nRun \"revurb start\" to start the server.\n",
		path, a.ID, indent(e.dotenv(a)))
}

// writeNew writes a file that only its owner can read, as it has a secret in
// it. One that is there is replaced only by force, and then as a whole.
func writeNew(path, text string, force bool) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, reason(err))
		}
	}()
	into := path
	if force {
		into += ".new"
	}
	f, err := os.OpenFile(into, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist) && !force:
		return errors.New("there is one already; --print shows an app to add to it, --force replaces it, and its apps are lost")
	case err != nil:
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil && force {
		err = os.Rename(into, path)
	}
	if err != nil {
		os.Remove(into)
	}
	return err
}

// reason is err without the names of files, which are not what the user typed.
func reason(err error) error {
	var (
		p *fs.PathError
		l *os.LinkError
	)
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}
