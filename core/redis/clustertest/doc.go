// Package clustertest runs a cluster of hubs over one Redis, has virtual clients
// come, go and publish at random, breaks things meanwhile, and judges what
// everybody was told.
//
// A run is a sequence of rounds. In each the clients are busy while one fault
// comes and goes; then they rest until all nodes should agree, and what Redis
// has, what each client was told and what backends are told is compared with
// the truth, which the harness knows because it has done it all. These must hold:
//
//   - what is written down for backends alternates, per channel and per member,
//     and ends as the truth is;
//   - Redis has the sums of what live nodes have, and nothing of dead ones;
//   - what each client is told of members alternates, and ends as the truth is;
//   - all clients hear the events of a channel in one order;
//   - no client hears an event twice;
//   - an event that was accepted reaches every client that is in the channel
//     from before until the end of the round, unless the round's fault is one
//     that loses messages.
package clustertest
