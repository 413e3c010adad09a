package redistest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"
)

const slots = 16384

// A Cluster is a Redis Cluster of masters that share the slots evenly, at first,
// each with a replica or without.
type Cluster struct {
	// Nodes are the masters, at first.
	Nodes []*Server
	// Replicas are the replica of each, or nil. They take the place of a
	// master that has been gone for a second or two.
	Replicas []*Server

	tb  testing.TB
	ids map[*Server]string
}

// StartCluster starts a cluster of masters without replicas and returns when
// each of them finds it whole. Redis takes its first 2 s to be sure.
func StartCluster(tb testing.TB, masters int, options ...Option) *Cluster {
	tb.Helper()
	require(tb)
	cluster := newCluster(tb, masters, clusterConfig(tb, options))
	cluster.WaitOK()
	return cluster
}

// StartReplicatedCluster is StartCluster with a replica of each master. It
// returns when every replica could be promoted.
func StartReplicatedCluster(tb testing.TB, masters int, options ...Option) *Cluster {
	tb.Helper()
	require(tb)
	c := clusterConfig(tb, options).with("cluster-allow-replica-migration", "no").with("repl-diskless-sync-delay", "0")
	if username, password := c.login(); password != "" {
		c.set("masterauth", password)
		if username != "" {
			c.set("masteruser", username)
		}
	}
	cluster := newCluster(tb, masters, c)
	for range masters {
		cluster.Replicas = append(cluster.Replicas, cluster.add(c))
	}
	cluster.meet()
	for i, replica := range cluster.Replicas {
		cluster.wait("a replica knows its master", func() error {
			_, err := replica.Try("CLUSTER", "REPLICATE", cluster.ids[cluster.Nodes[i]])
			return err
		})
	}
	cluster.WaitOK()
	for i, replica := range cluster.Replicas {
		cluster.wait("the replicas follow", func() error { return follows(replica, cluster.Nodes[i]) })
	}
	return cluster
}

func clusterConfig(tb testing.TB, options []Option) config {
	tb.Helper()
	c := newConfig(tb, options).with("cluster-node-timeout", "1000").
		with("cluster-replica-validity-factor", "0") // a replica of a busy machine may be promoted, too
	c.cluster = true
	return c
}

func newCluster(tb testing.TB, masters int, c config) *Cluster {
	tb.Helper()
	cluster := &Cluster{tb: tb, ids: map[*Server]string{}}
	for i := range masters {
		node := cluster.add(c)
		cluster.Nodes = append(cluster.Nodes, node)
		node.Do("CLUSTER", "ADDSLOTSRANGE", i*slots/masters, (i+1)*slots/masters-1)
		node.Do("CLUSTER", "SET-CONFIG-EPOCH", i+1)
	}
	cluster.meet()
	return cluster
}

// add starts a server that nobody has met.
func (c *Cluster) add(config config) *Server {
	c.tb.Helper()
	s := start(c.tb, config)
	c.ids[s], _ = s.Do("CLUSTER", "MYID").(string)
	return s
}

// meet has all servers know the first, and hence each other.
func (c *Cluster) meet() {
	c.tb.Helper()
	for _, s := range c.servers()[1:] {
		s.Do("CLUSTER", "MEET", "127.0.0.1", c.Nodes[0].port, c.Nodes[0].busPort)
	}
}

func (c *Cluster) servers() []*Server { return slices.Concat(c.Nodes, c.Replicas) }

// Addrs returns host:port of all servers.
func (c *Cluster) Addrs() []string { return addrs(c.servers()) }

// Node returns the server that has the slot of key, as the servers that run
// know it.
func (c *Cluster) Node(key string) *Server {
	c.tb.Helper()
	for _, asked := range c.servers() {
		if asked.silent() {
			continue
		}
		if slot, err := asked.Try("CLUSTER", "KEYSLOT", key); err == nil {
			n, _ := slot.(int64)
			return c.Owner(int(n))
		}
	}
	c.tb.Fatal("no node of the cluster answers")
	return nil
}

// Slot returns the slot of key.
func (c *Cluster) Slot(key string) int {
	c.tb.Helper()
	for _, asked := range c.servers() {
		if asked.silent() {
			continue
		}
		if slot, ok := asked.Do("CLUSTER", "KEYSLOT", key).(int64); ok {
			return int(slot)
		}
	}
	c.tb.Fatal("no node of the cluster answers")
	return 0
}

// Owner returns the server that has a slot, once all that run agree.
func (c *Cluster) Owner(slot int) *Server {
	c.tb.Helper()
	var owner *Server
	c.wait(fmt.Sprintf("the nodes agree who has slot %d", slot), func() (err error) {
		owner, err = c.owner(slot)
		return err
	})
	return owner
}

func (c *Cluster) owner(slot int) (*Server, error) {
	var owner *Server
	for _, asked := range c.servers() {
		if asked.silent() {
			continue
		}
		m, err := c.slotMap(asked)
		if err != nil {
			return nil, err
		}
		switch {
		case m[slot] == nil:
			return nil, fmt.Errorf("node %s knows of nobody", asked.Addr())
		case owner != nil && owner != m[slot]:
			return nil, fmt.Errorf("node %s says %s, another %s", asked.Addr(), m[slot].Addr(), owner.Addr())
		}
		owner = m[slot]
	}
	if owner == nil {
		return nil, errors.New("no node of the cluster answers")
	}
	return owner, nil
}

// slotMap returns who has each slot, as one server knows it.
func (c *Cluster) slotMap(asked *Server) (*[slots]*Server, error) {
	v, err := asked.Try("CLUSTER", "SLOTS")
	if err != nil {
		return nil, err
	}
	m := new([slots]*Server)
	ranges, _ := v.([]any)
	for _, v := range ranges {
		entry, _ := v.([]any) // first and last slot, the master, its replicas
		if len(entry) < 3 {
			return nil, fmt.Errorf("not a range of slots: %v", v)
		}
		first, _ := entry[0].(int64)
		last, _ := entry[1].(int64)
		master, _ := entry[2].([]any)
		if len(master) < 2 {
			return nil, fmt.Errorf("not a master: %v", entry[2])
		}
		for slot := first; slot <= last; slot++ {
			m[slot] = c.byPort(master[1])
		}
	}
	return m, nil
}

func (c *Cluster) byPort(port any) *Server {
	for _, s := range c.servers() {
		if port == int64(s.port) {
			return s
		}
	}
	return nil
}

// WaitOK waits until every node knows all others, and a node for every slot.
func (c *Cluster) WaitOK() {
	c.tb.Helper()
	c.wait("the cluster is whole", func() error {
		for _, node := range c.servers() {
			if err := c.ok(node); err != nil {
				return fmt.Errorf("node %s: %w", node.Addr(), err)
			}
		}
		return nil
	})
}

func (c *Cluster) ok(node *Server) error {
	if err := c.usable(node); err != nil {
		return err
	}
	v, err := node.Try("CLUSTER", "INFO")
	if err != nil {
		return err
	}
	if got, want := fields(v)["cluster_known_nodes"], strconv.Itoa(len(c.servers())); got != want {
		return fmt.Errorf("it knows %s nodes, want %s", got, want)
	}
	return nil
}

// usable returns nil if node says that each slot has a master.
func (c *Cluster) usable(node *Server) error {
	v, err := node.Try("CLUSTER", "INFO")
	if err != nil {
		return err
	}
	info := fields(v)
	if info["cluster_state"] != "ok" {
		return errors.New("the state is " + info["cluster_state"])
	}
	if info["cluster_slots_assigned"] != strconv.Itoa(slots) || info["cluster_size"] == "0" {
		return fmt.Errorf("%s slots of %s masters are known", info["cluster_slots_assigned"], info["cluster_size"])
	}
	return nil
}

func (c *Cluster) wait(what string, check func() error) {
	c.tb.Helper()
	if err := until(2*time.Minute, check); err != nil {
		c.tb.Fatalf("waiting until %s: %v", what, err)
	}
}
