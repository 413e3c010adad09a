package clustertest

// A Mode is what kind of Redis the nodes share.
type Mode string

// The modes.
const (
	Standalone Mode = "standalone"
	Sentinel   Mode = "sentinel" // a master, its replica, and three sentinels
	Cluster    Mode = "cluster"  // a Redis Cluster of three masters, each with a replica
)

// All are the faults of a usual run.
func All(m Mode) []Fault {
	switch m {
	case Sentinel:
		return []Fault{None, Planned, Deaf, Hung, Crash, Killed, BlackHole, Zombie, Cut, Backend, Late}
	case Cluster:
		return []Fault{None, Planned, Moved, Killed, Crash, Hung, Deaf, BlackHole, Zombie, Cut, Backend, Late}
	}
	return []Fault{
		None, Crash, Deaf, Late, Zombie, Flush, Reaper, Hang, Restart, Append, Password, BlackHole,
		Cut, OneWay, Slow, Script, Full, Refusal, Backend, Part,
	}
}

// Some are those of a short run: of the other modes only what they alone can do.
func Some(m Mode) []Fault {
	switch m {
	case Sentinel:
		return []Fault{Planned, Killed}
	case Cluster:
		return []Fault{Planned, Moved, Killed}
	}
	return []Fault{None, Crash, Deaf, Late, Zombie, Flush, Reaper, Hang, Restart, Append, Password, BlackHole, Backend}
}
