package metrics

import "github.com/prometheus/client_golang/prometheus"

// Plugin is what a plugin has done since it was first loaded, and what it is
// at one moment.
type Plugin struct {
	Name string

	Calls   []PluginCalls
	Latency PluginLatency

	Yields       uint64 // times that it was interrupted to look at the clock
	Deadlines    uint64 // calls that were cut off
	Busy         uint64 // calls that found no instance
	Respawns     uint64 // instances made in place of failed ones
	QueueDropped uint64 // notifications that found its queue full
	LogDropped   uint64 // lines that came too fast

	Instances   map[string]int // by state
	MemoryBytes uint64         // of all instances
	Breaker     Breaker
	LoadSeconds map[string]float64 // by stage
}

// PluginCalls is how many calls of a hook ended in one way.
type PluginCalls struct {
	Hook, Outcome string
	Count         uint64
}

// PluginLatency is how long the sampled calls of a plugin took.
type PluginLatency struct {
	Count   uint64             // of samples, not of calls
	Seconds float64            // of all samples together
	Buckets map[float64]uint64 // samples that took no longer than so many seconds
}

// Breaker is whether a plugin is called at all.
type Breaker int

// The states of a breaker, by the number that the metric shows.
const (
	BreakerClosed Breaker = iota // it is called
	BreakerProbe                 // one call decides whether it is called again
	BreakerOpen                  // it has failed too often, and is left alone
)

// WatchPlugins has the state of each plugin read from source whenever it is
// asked for. Without plugins none of their metrics is exposed.
func (m *Metrics) WatchPlugins(source func(yield func(Plugin))) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pluginSource = source
}

func pluginDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("revurb_plugin_"+name, help, append([]string{"plugin"}, labels...), nil)
}

var (
	pluginCallsDesc       = pluginDesc("calls_total", "Calls of a plugin, by hook and outcome.", "hook", "outcome")
	pluginLatencyDesc     = pluginDesc("call_seconds", "Time that calls of a plugin took; a sample of them.")
	pluginYieldsDesc      = pluginDesc("yields_total", "Times that a plugin was interrupted to look at the clock.")
	pluginDeadlineDesc    = pluginDesc("deadline_total", "Calls that were cut off at their deadline.")
	pluginBusyDesc        = pluginDesc("busy_total", "Calls that found no instance of the plugin in time.")
	pluginInstancesDesc   = pluginDesc("instances", "Instances of a plugin, by state.", "state")
	pluginRespawnsDesc    = pluginDesc("respawns_total", "Instances made in place of failed ones.")
	pluginMemoryDesc      = pluginDesc("memory_bytes", "Memory of all instances of a plugin.")
	pluginQueueDesc       = pluginDesc("queue_dropped_total", "Notifications dropped because the plugin's queue was full.")
	pluginBreakerDesc     = pluginDesc("breaker_state", "0: the plugin is called. 1: one call is tried. 2: it failed too often and is not called.")
	pluginLogDroppedDesc  = pluginDesc("log_dropped_total", "Log lines dropped because a plugin wrote too many.")
	pluginLoadSecondsDesc = pluginDesc("load_seconds", "Time that the last load of a plugin took, by stage.", "stage")
)

// pluginWatcher collects what plugins have done.
type pluginWatcher struct{ m *Metrics }

func (pluginWatcher) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		pluginCallsDesc, pluginLatencyDesc, pluginYieldsDesc, pluginDeadlineDesc, pluginBusyDesc, pluginInstancesDesc, pluginRespawnsDesc,
		pluginMemoryDesc, pluginQueueDesc, pluginBreakerDesc, pluginLogDroppedDesc, pluginLoadSecondsDesc,
	} {
		out <- d
	}
}

func (w pluginWatcher) Collect(out chan<- prometheus.Metric) {
	w.m.mu.RLock()
	source := w.m.pluginSource
	w.m.mu.RUnlock()
	if source != nil {
		source(func(p Plugin) { p.collect(out) })
	}
}

func (p Plugin) collect(out chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, t prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, t, value, append([]string{p.Name}, labels...)...)
	}
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	for _, c := range p.Calls {
		send(pluginCallsDesc, counter, float64(c.Count), c.Hook, c.Outcome)
	}
	l := p.Latency
	out <- prometheus.MustNewConstHistogram(pluginLatencyDesc, l.Count, l.Seconds, l.Buckets, p.Name)
	send(pluginYieldsDesc, counter, float64(p.Yields))
	send(pluginDeadlineDesc, counter, float64(p.Deadlines))
	send(pluginBusyDesc, counter, float64(p.Busy))
	send(pluginRespawnsDesc, counter, float64(p.Respawns))
	send(pluginQueueDesc, counter, float64(p.QueueDropped))
	send(pluginLogDroppedDesc, counter, float64(p.LogDropped))
	for state, n := range p.Instances {
		send(pluginInstancesDesc, gauge, float64(n), state)
	}
	send(pluginMemoryDesc, gauge, float64(p.MemoryBytes))
	send(pluginBreakerDesc, gauge, float64(p.Breaker))
	for stage, seconds := range p.LoadSeconds {
		send(pluginLoadSecondsDesc, gauge, seconds, stage)
	}
}
