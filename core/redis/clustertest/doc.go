// Package clustertest runs a cluster of hubs over one Redis, has virtual clients
// come, go and publish at random, breaks things meanwhile, and judges what
// everybody was told.
//
// The Redis is a single one, or a master and a replica that sentinels watch, or a
// Redis Cluster: see [Mode]. Each node reaches it through a network of its own.
//
// A run is a sequence of rounds. In each the clients are busy while one fault
// comes and goes; then they rest until all nodes should agree, and what Redis
// has, what each client was told and what backends are told is compared with
// the truth, which the harness knows because it has done it all. These must hold:
//
//   - an event that was accepted reaches every client that is in the channel
//     from before until the end of the round, whatever the fault. Only what Redis
//     itself has lost is excused: what it accepted in the last second before it
//     was killed and came back empty, or was replaced by another server. That is
//     counted, and a node must have counted it, too;
//   - who publishes has an answer in time. In trouble it may be a refusal; then
//     the event may come, or not;
//   - no client hears an event twice, and all hear the events of a channel in one
//     order;
//   - what each client is told of members alternates, and ends as the truth is;
//     and nobody is told that someone has gone who never left, unless its node
//     crashed, or was cut off while others were not;
//   - Redis has the sums of what live nodes have, and nothing of dead ones;
//   - what backends are told alternates, per channel and per member, and ends as
//     the truth is; all that was written for them is told. It is told twice only
//     where something was broken in between.
package clustertest
