package metrics_test

import (
	"strings"
	"testing"

	"github.com/revurb/revurb/core/metrics"
)

func TestNoPluginsExposeNothing(t *testing.T) {
	m := metrics.New()
	for name, watch := range map[string]func(){
		"nobody watches": func() {},
		"none is loaded": func() { m.WatchPlugins(func(func(metrics.Plugin)) {}) },
	} {
		watch()
		if text := scrape(t, m); strings.Contains(text, "revurb_plugin_") {
			t.Errorf("%s: got metrics of plugins:\n%s", name, text)
		}
	}
}

func TestPluginsAreExposedAsTheyAre(t *testing.T) {
	m := metrics.New()
	guard := metrics.Plugin{
		Name: "guard",
		Calls: []metrics.PluginCalls{
			{Hook: "authorize", Outcome: "deny", Count: 3}, {Hook: "on_message", Outcome: "continue", Count: 40},
		},
		Latency: metrics.PluginLatency{Count: 4, Seconds: 0.5, Buckets: map[float64]uint64{0.001: 1, 0.1: 3}},
		Yields:  5, Deadlines: 6, Busy: 11, Respawns: 7, QueueDropped: 8, LogDropped: 9,
		Instances: map[string]int{"idle": 2, "busy": 1}, MemoryBytes: 65536, Breaker: metrics.BreakerOpen,
		LoadSeconds: map[string]float64{"compile": 0.25},
	}
	m.WatchPlugins(func(yield func(metrics.Plugin)) {
		yield(guard)
		yield(metrics.Plugin{Name: "audit"})
	})
	guard.Yields = 50 // read when it is asked for, not before
	text := scrape(t, m)
	for _, want := range []string{
		`revurb_plugin_calls_total{hook="authorize",outcome="deny",plugin="guard"} 3`,
		`revurb_plugin_calls_total{hook="on_message",outcome="continue",plugin="guard"} 40`,
		`revurb_plugin_call_seconds_bucket{plugin="guard",le="0.001"} 1`,
		`revurb_plugin_call_seconds_bucket{plugin="guard",le="0.1"} 3`,
		`revurb_plugin_call_seconds_bucket{plugin="guard",le="+Inf"} 4`,
		`revurb_plugin_call_seconds_sum{plugin="guard"} 0.5`,
		`revurb_plugin_call_seconds_count{plugin="guard"} 4`,
		`revurb_plugin_yields_total{plugin="guard"} 50`,
		`revurb_plugin_deadline_total{plugin="guard"} 6`,
		`revurb_plugin_busy_total{plugin="guard"} 11`,
		`revurb_plugin_respawns_total{plugin="guard"} 7`,
		`revurb_plugin_queue_dropped_total{plugin="guard"} 8`,
		`revurb_plugin_log_dropped_total{plugin="guard"} 9`,
		`revurb_plugin_instances{plugin="guard",state="idle"} 2`,
		`revurb_plugin_instances{plugin="guard",state="busy"} 1`,
		`revurb_plugin_memory_bytes{plugin="guard"} 65536`,
		`revurb_plugin_breaker_state{plugin="guard"} 2`,
		`revurb_plugin_load_seconds{plugin="guard",stage="compile"} 0.25`,
		`revurb_plugin_yields_total{plugin="audit"} 0`,
		`revurb_plugin_breaker_state{plugin="audit"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}
