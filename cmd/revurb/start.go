package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/server"
	"github.com/revurb/revurb/hooks/loader"
)

func (c *cli) startCommand() *cobra.Command {
	var (
		o       options
		plugins []string
	)
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Run the server",
		Long: "Run the server until SIGINT, SIGTERM or SIGQUIT, on which it lets its clients go\n" +
			"gently; a second signal ends it at once. SIGHUP reads the TLS certificate and the\n" +
			"plugins again.\n\n" +
			"If no app is configured, one is made up for development and printed.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := c.load(cmd, &o)
			if err != nil {
				return err
			}
			l.Config.Plugins = append(l.Config.Plugins, toTry(plugins)...)
			return c.start(cmd, l, func() ([]loader.Config, error) {
				l, err := c.load(cmd, &o)
				return append(l.Config.Plugins, toTry(plugins)...), err
			})
		},
	}
	o.add(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&plugins, "plugin", nil, "load this plugin, too, with all capabilities, and again when it changes; for a first try")
	typed(f.Lookup("plugin"), "file")
	return cmd
}

// toTry makes plugins of files alone. They may do everything: whoever names one
// on the command line wants to see it work.
func toTry(paths []string) (plugins []loader.Config) {
	for _, path := range paths {
		p := loader.DefaultConfig()
		p.Path, p.Capabilities, p.Watch = path, loader.AllCapabilities(), true
		plugins = append(plugins, p)
	}
	return plugins
}

// start runs the server. plugins reads those that are configured again.
func (c *cli) start(cmd *cobra.Command, l config.Loaded, plugins func() ([]loader.Config, error)) error {
	log, err := newLogger(l.Config.Log, c.stderr, c.environ)
	if err != nil {
		return err
	}
	for _, w := range l.Warnings {
		log.Warn(w)
	}
	made := len(l.Config.Apps) == 0
	if made {
		a, err := newApp()
		if err != nil {
			return err
		}
		l.Config.Apps = app.List{a}
	}
	s, err := c.open(l.Config, server.Options{Version: pluginVersion(), Plugins: plugins}, log)
	if err != nil {
		return err
	}

	// From here on a signal stops the server rather than the process: whoever
	// reads the banner may send one.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, append(stopSignals, reloadSignal)...)
	defer signal.Stop(signals)
	if err := s.Listen(); err != nil {
		return err
	}
	if err := c.banner(l, s, made); err != nil {
		return err
	}
	return c.serve(cmd.Context(), s, signals, log)
}

// banner says where the server is and for whom. The secret of an app is shown
// only if it was made up, for it stands nowhere else.
func (c *cli) banner(l config.Loaded, s node, made bool) error {
	fmt.Fprintf(c.stdout, "revurb %s\n\n  Server   %s\n", version(), s.URL())
	if a := s.AdminAddr(); a != nil {
		fmt.Fprintf(c.stdout, "  Admin    http://%s/metrics\n", a)
	}
	if r := l.Config.Redis; r.Enabled() {
		fmt.Fprintf(c.stdout, "  Cluster  Redis at %s, prefix %s\n", r.Place(), r.Prefix)
	}
	fmt.Fprintf(c.stdout, "  Config   %s\n", fileOf(l))
	if !made {
		fmt.Fprintf(c.stdout, "  Apps     %s\n\n", strings.Join(ids(l.Config.Apps), ", "))
		return nil
	}
	e, err := endpointOf(s.URL(), l.Config.Server.Hostname, l.Config.Server.Path)
	if err != nil {
		return err
	}
	a := l.Config.Apps[0]
	fmt.Fprintf(c.stdout, `
No app is configured, so this one was made up. It is gone when the server stops;
%s

In the browser, with pusher-js:

%s

In .env, for Laravel:

%s

`, keep(l.Path), indent(e.pusherJS(a)), indent(e.dotenv(a)))
	return nil
}

// keep says how to have an app that stays.
func keep(path string) string {
	if path == "" {
		return `run "revurb init" to keep one.`
	}
	return `run "revurb init --print" for one to put into ` + path + "."
}

func ids(apps app.List) (all []string) {
	for _, a := range apps {
		all = append(all, a.ID)
	}
	return all
}
