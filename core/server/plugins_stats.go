package server

import (
	"slices"

	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/loader"
	"github.com/revurb/revurb/hooks/wasm"
)

// pluginState is a plugin as the admin listener tells of it.
type pluginState struct {
	Name         string                       `json:"name"`
	Path         string                       `json:"path"`
	SHA256       string                       `json:"sha256"`
	Hooks        []string                     `json:"hooks"`
	Capabilities []string                     `json:"capabilities"`
	State        string                       `json:"state"`     // of its breaker
	LoadTime     string                       `json:"load_time"` // that it took to load it
	Instances    int                          `json:"instances"`
	MemoryBytes  int64                        `json:"memory_bytes"`
	Queued       int                          `json:"queued"`  // notifications that wait
	Dropped      uint64                       `json:"dropped"` // notifications that found no room
	Calls        map[string]map[string]uint64 `json:"calls"`   // by hook and outcome
}

func listPlugins(plugins []loader.Plugin) []pluginState {
	list := make([]pluginState, len(plugins))
	for i, p := range plugins {
		list[i] = pluginState{
			Name: p.Name, Path: p.Path, SHA256: p.SHA256, Hooks: hookNames(p.Hooks), Capabilities: p.Capabilities,
			State: p.Member.Breaker.String(), LoadTime: p.Took.String(), Instances: p.Stats.Live, MemoryBytes: p.Stats.Memory,
			Queued: p.Member.Queued, Dropped: p.Member.Dropped, Calls: map[string]map[string]uint64{},
		}
		eachCalls(p, func(h abi.Hook, o wasm.Outcome, n uint64) {
			if n == 0 {
				return
			}
			calls := list[i].Calls
			if calls[h.String()] == nil {
				calls[h.String()] = map[string]uint64{}
			}
			calls[h.String()][o.String()] = n
		})
	}
	return list
}

// eachCalls goes through the numbers of calls to hooks that the plugin has, or
// has had before it was replaced.
func eachCalls(p loader.Plugin, do func(h abi.Hook, o wasm.Outcome, n uint64)) {
	for h, byOutcome := range p.Stats.Calls {
		for o, n := range byOutcome {
			if n > 0 || slices.Contains(p.Hooks, abi.Hook(h)) {
				do(abi.Hook(h), wasm.Outcome(o), n)
			}
		}
	}
}

func hookNames(all []abi.Hook) []string {
	names := make([]string, len(all))
	for i, h := range all {
		names[i] = h.String()
	}
	return names
}

// measurePlugins is the source of the metrics of plugins.
func (s *Server) measurePlugins(yield func(metrics.Plugin)) {
	for _, p := range s.loader.Plugins() {
		yield(measured(p))
	}
}

func measured(p loader.Plugin) metrics.Plugin {
	m := metrics.Plugin{
		Name:   p.Name,
		Yields: p.Stats.Yields, Busy: p.Stats.Busy, Respawns: p.Stats.Respawns,
		QueueDropped: p.Member.Dropped, LogDropped: p.Stats.LogLost,
		Instances:   map[string]int{"idle": p.Stats.Idle, "busy": max(0, p.Stats.Live-p.Stats.Idle)},
		MemoryBytes: uint64(max(0, p.Stats.Memory)),
		Breaker:     metrics.Breaker(p.Member.Breaker), // both have the same numbers
		LoadSeconds: map[string]float64{},
	}
	eachCalls(p, func(h abi.Hook, o wasm.Outcome, n uint64) {
		m.Calls = append(m.Calls, metrics.PluginCalls{Hook: h.String(), Outcome: o.String(), Count: n})
		if o == wasm.TimedOut {
			m.Deadlines += n
		}
	})
	m.Latency.Seconds, m.Latency.Buckets = p.Stats.Total.Seconds(), map[float64]uint64{}
	for i, n := range p.Stats.Times {
		m.Latency.Count += n
		if i < len(wasm.Buckets) {
			m.Latency.Buckets[wasm.Buckets[i].Seconds()] = m.Latency.Count
		}
	}
	for _, stage := range p.Stats.Loading {
		m.LoadSeconds[stage.Name] += stage.Took.Seconds()
	}
	return m
}
