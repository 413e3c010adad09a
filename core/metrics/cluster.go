package metrics

import "github.com/prometheus/client_golang/prometheus"

// Cluster is how this node sees the cluster that it is in.
type Cluster struct {
	Up           bool // Redis answers
	Nodes        int  // this one among them
	StateLost    uint64
	Repairs      uint64
	Garbage      uint64
	Resubscribes uint64
	WebhooksLost uint64
}

// WatchCluster has the state of the cluster read from source whenever it is asked
// for. A server that runs alone calls it not, and exposes none of these metrics.
func (m *Metrics) WatchCluster(source func() Cluster) {
	m.registry.MustRegister(clusterWatcher(source))
}

func clusterDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("revurb_cluster_"+name, help, nil, nil)
}

var (
	clusterUpDesc          = clusterDesc("up", "1 while Redis answers, and 0 while it does not.")
	clusterNodesDesc       = clusterDesc("nodes", "Nodes of the cluster, as Redis last knew them.")
	clusterStateLostDesc   = clusterDesc("state_lost_total", "Times that Redis had lost what the cluster kept in it. Backends miss what changed meanwhile.")
	clusterRepairsDesc     = clusterDesc("repairs_total", "Entries that Redis had lost of what the cluster keeps in it, and that were put right.")
	clusterGarbageDesc     = clusterDesc("garbage_total", "Messages from Redis that no node could have sent.")
	clusterResubscribeDesc = clusterDesc("resubscribes_total", "Times that a connection for messages was lost and made anew.")

	webhooksLostDesc = prometheus.NewDesc("revurb_webhooks_lost_total", "Events for backends that were cut from a backlog that had become too long.", nil, nil)
)

// clusterWatcher collects the state of the cluster.
type clusterWatcher func() Cluster

func (clusterWatcher) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{clusterUpDesc, clusterNodesDesc, clusterStateLostDesc, clusterRepairsDesc, clusterGarbageDesc, clusterResubscribeDesc, webhooksLostDesc} {
		out <- d
	}
}

func (source clusterWatcher) Collect(out chan<- prometheus.Metric) {
	c := source()
	send := func(d *prometheus.Desc, t prometheus.ValueType, value float64) {
		out <- prometheus.MustNewConstMetric(d, t, value)
	}
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	up := 0.
	if c.Up {
		up = 1
	}
	send(clusterUpDesc, gauge, up)
	send(clusterNodesDesc, gauge, float64(c.Nodes))
	send(clusterStateLostDesc, counter, float64(c.StateLost))
	send(clusterRepairsDesc, counter, float64(c.Repairs))
	send(clusterGarbageDesc, counter, float64(c.Garbage))
	send(clusterResubscribeDesc, counter, float64(c.Resubscribes))
	send(webhooksLostDesc, counter, float64(c.WebhooksLost))
}
