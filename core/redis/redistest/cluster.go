package redistest

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"
)

const slots = 16384

// A Cluster is a Redis Cluster of masters that share the slots evenly, without
// replicas.
type Cluster struct {
	Nodes []*Server

	tb testing.TB
}

// StartCluster starts a cluster of masters and returns when each of them finds
// it whole. Redis takes its first 2 s to be sure.
func StartCluster(tb testing.TB, masters int, options ...Option) *Cluster {
	tb.Helper()
	require(tb)
	c := newConfig(tb, options).with("cluster-node-timeout", "1000")
	c.cluster = true
	cluster := &Cluster{tb: tb}
	for i := range masters {
		node := start(tb, c)
		cluster.Nodes = append(cluster.Nodes, node)
		node.Do("CLUSTER", "ADDSLOTSRANGE", lastSlot(i-1, masters)+1, lastSlot(i, masters))
		node.Do("CLUSTER", "SET-CONFIG-EPOCH", i+1)
	}
	for _, node := range cluster.Nodes[1:] {
		node.Do("CLUSTER", "MEET", "127.0.0.1", cluster.Nodes[0].port, cluster.Nodes[0].busPort)
	}
	cluster.WaitOK()
	return cluster
}

// Addrs returns host:port of the nodes.
func (c *Cluster) Addrs() []string { return addrs(c.Nodes) }

// Node returns the node that has the slot of key.
func (c *Cluster) Node(key string) *Server {
	c.tb.Helper()
	for _, asked := range c.Nodes {
		slot, err := asked.Try("CLUSTER", "KEYSLOT", key)
		if err != nil {
			continue // it was killed
		}
		for i, node := range c.Nodes {
			if slot.(int64) <= lastSlot(i, len(c.Nodes)) {
				return node
			}
		}
	}
	c.tb.Fatal("no node of the cluster answers")
	return nil
}

func lastSlot(node, nodes int) int64 { return int64((node+1)*slots/nodes - 1) }

// WaitOK waits until every node knows all others, and a node for every slot.
func (c *Cluster) WaitOK() {
	c.tb.Helper()
	err := until(30*time.Second, func() error {
		for _, node := range c.Nodes {
			if err := c.ok(node); err != nil {
				return fmt.Errorf("node %s: %w", node.Addr(), err)
			}
		}
		return nil
	})
	if err != nil {
		c.tb.Fatalf("waiting for the cluster: %v", err)
	}
}

func (c *Cluster) ok(node *Server) error {
	v, err := node.Try("CLUSTER", "INFO")
	if err != nil {
		return err
	}
	info := fields(v)
	if info["cluster_state"] != "ok" {
		return errors.New("the state is " + info["cluster_state"])
	}
	if want := strconv.Itoa(len(c.Nodes)); info["cluster_size"] != want || info["cluster_known_nodes"] != want {
		return fmt.Errorf("it knows %s nodes, want %s", info["cluster_known_nodes"], want)
	}
	return nil
}
