package loader

import (
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/wasm"
)

// Plugin is a plugin that is loaded, and how it fares.
type Plugin struct {
	Name         string
	Path         string
	SHA256       string
	Hooks        []abi.Hook
	Capabilities []string
	Took         time.Duration // to load it
	Stats        wasm.Stats    // since the plugin of this name was first loaded
	Member       hooks.Stats
}

// Plugins returns the plugins that are loaded, in their order.
func (l *Loader) Plugins() []Plugin {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Plugin, len(l.loaded))
	for i, p := range l.loaded {
		stats := p.plugin.Stats()
		stats.Add(l.past[p.config.Name])
		for old := range l.leaving {
			if old.config.Name == p.config.Name {
				stats.Add(old.plugin.Stats())
			}
		}
		all[i] = Plugin{
			Name: p.config.Name, Path: p.config.Path, SHA256: p.plugin.SHA256(),
			Hooks: p.plugin.Info().Hooks, Capabilities: p.config.Capabilities,
			Took: p.took, Stats: stats, Member: p.member.Stats(),
		}
	}
	return all
}
