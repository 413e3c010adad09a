package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/revurb/revurb/core/admin"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/loader"
	"github.com/revurb/revurb/hooks/wasm"
)

// Options are what a server is told beyond its configuration.
type Options struct {
	Version string // as plugins are told, "1.2.3"

	// Plugins returns the plugins as they are configured now, for Reload. Without
	// it they stay those that the server was made with, and only their files are
	// read again.
	Plugins func() ([]loader.Config, error)
}

// newLoader returns what loads the plugins of hs, and gives them what the
// server has for them.
func (s *Server) newLoader(hs *hooks.Hooks, version string) *loader.Loader {
	return loader.New(hs, s.config.Hooks, wasm.Host{
		Secret: s.secretOf, Publish: s.publishFor, Log: s.log,
	}, version, s.log)
}

func (s *Server) secretOf(id string) (secret string, ok bool) {
	a, err := s.config.Apps.ByID(context.Background(), id)
	if err != nil {
		return "", false
	}
	return a.Secret, true
}

// publishFor publishes an event of a plugin as if it were one of the app's
// backend, but plugins are not asked about it: that could go on forever.
func (s *Server) publishFor(ctx context.Context, p wasm.Publication) error {
	a, err := s.config.Apps.ByID(ctx, p.App)
	if err != nil {
		return fmt.Errorf("find app %q: %w", p.App, err)
	}
	e := hub.Event{Channel: p.Channel, Name: p.Event, Data: protocol.AppendString(nil, p.Data), Except: p.Except}
	if err := hub.Validate(a, e); err != nil {
		return err
	}
	return s.hub.Publish(ctx, a, e)
}

// loadPlugins loads the plugins that the server begins with.
func (s *Server) loadPlugins(ctx context.Context) error {
	if _, err := s.loader.Reload(ctx, s.config.Plugins); err != nil {
		return fmt.Errorf("load plugins: %w", err)
	}
	for _, p := range s.loader.Plugins() {
		s.log.Info("loaded plugin", "plugin", p.Name, "hooks", hookNames(p.Hooks), "capabilities", p.Capabilities, "took", p.Took)
	}
	return nil
}

var errStopping = errors.New("the server is stopping")

// reloadPlugins loads the plugins anew that are configured now, all or none.
func (s *Server) reloadPlugins(ctx context.Context) (loader.Report, error) {
	if s.stopping.Load() {
		return loader.Report{}, errStopping
	}
	configs := s.config.Plugins
	if s.readPlugins != nil {
		var err error
		if configs, err = s.readPlugins(); err != nil {
			return loader.Report{}, fmt.Errorf("read the configuration: %w", err)
		}
	}
	r, err := s.loader.Reload(ctx, configs)
	if err == nil && len(r.Added)+len(r.Replaced)+len(r.Removed) > 0 {
		s.log.Info("loaded plugins", "added", r.Added, "replaced", r.Replaced, "removed", r.Removed, "took", r.Took)
	}
	return r, err
}

// adminPlugins is what an operator may ask of plugins.
func (s *Server) adminPlugins() admin.Plugins {
	return admin.Plugins{
		List: func() any { return listPlugins(s.loader.Plugins()) },
		Reload: func(ctx context.Context) (any, error) {
			// Whoever asks may go away meanwhile.
			r, err := s.reloadPlugins(context.WithoutCancel(ctx))
			if errors.Is(err, loader.ErrBusy) {
				return nil, admin.ErrReloading
			}
			return r, err
		},
	}
}
