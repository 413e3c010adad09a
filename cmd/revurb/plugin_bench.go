package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/loader"
	"github.com/revurb/revurb/hooks/plugintest"
)

func (c *cli) benchPluginCommand() *cobra.Command {
	var (
		s          sandbox
		hook, text string
		channel    string
		duration   time.Duration
	)
	cmd := &cobra.Command{
		Use:   "bench FILE",
		Short: "Measure how fast a plugin is",
		Long: "Measure how fast a plugin decides of one event, next to a plugin that does nothing.\n" +
			"Each call is timed, which takes some 50 ns of both.\n\n" +
			"    revurb plugin bench chat-guard.wasm\n" +
			"    revurb plugin bench chat-guard.wasm --hook on_message --data @message.json --duration 10s",
		Args: exactly("one file", 1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := parseHook(hook)
			if err != nil {
				return err
			}
			if duration <= 0 {
				return usagef("--duration: want more than 0")
			}
			b := plugintest.Bench{Hook: h, Duration: duration}
			if b.Event, err = benchEvent(h, channel, text); err != nil {
				return err
			}
			var capabilities []string
			if b.Config, capabilities, err = s.read(); err != nil {
				return err
			}
			if b.Grants, err = loader.Grants(capabilities); err != nil {
				return usagef("--capability: %v", err)
			}
			guest, err := readPlugin(args[0])
			if err != nil {
				return err
			}
			plugin, empty, err := b.Run(cmd.Context(), guest)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return c.printSpeed(plugin, empty)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&hook, "hook", abi.OnMessage.String(), "what happens")
	typed(f.Lookup("hook"), "name")
	f.StringVar(&channel, "channel", "private-chat", "where it happens")
	typed(f.Lookup("channel"), "name")
	f.StringVar(&text, "data", `{"text":"hello"}`, "the data of the event; @FILE is that of a file")
	typed(f.Lookup("data"), "text")
	f.DurationVar(&duration, "duration", 3*time.Second, "how long to measure")
	typed(f.Lookup("duration"), "time")
	s.add(cmd)
	return cmd
}

func benchEvent(h abi.Hook, channel, text string) (e hooks.Event, err error) {
	if path, ok := strings.CutPrefix(text, "@"); ok {
		b, err := os.ReadFile(path)
		if err != nil {
			return e, fmt.Errorf("--data: read %s: %w", path, reason(err))
		}
		text = string(b)
	}
	e = hooks.Event{App: "app", Channel: channel, SocketID: "1234.5678", UserID: "user", Data: text, HasData: true}
	if h == abi.OnMessage {
		e.Name = "client-message"
	}
	return e, nil
}

func (c *cli) printSpeed(plugin, empty plugintest.Speed) error {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 3, ' ', tabwriter.AlignRight)
	row := func(name string, of func(plugintest.Speed) string) {
		fmt.Fprintf(w, "%s\t%s\t%s\t\n", name, of(plugin), of(empty))
	}
	fmt.Fprint(w, "\tplugin\tdoes nothing\t\n")
	row("p50", func(s plugintest.Speed) string { return s.P50.String() })
	row("p99", func(s plugintest.Speed) string { return s.P99.String() })
	row("p99.9", func(s plugintest.Speed) string { return s.P999.String() })
	row("calls a second", func(s plugintest.Speed) string { return fmt.Sprintf("%.0f", s.PerSecond()) })
	row("fuel a call", func(s plugintest.Speed) string { return fmt.Sprint(s.Fuel) })
	row("host allocations a call", func(s plugintest.Speed) string { return fmt.Sprintf("%.1f", s.Allocations) })
	row("memory", func(s plugintest.Speed) string { return bytesOf(s.Memory) })
	row("memory grown by", func(s plugintest.Speed) string { return bytesOf(s.Growth) })
	return w.Flush()
}
