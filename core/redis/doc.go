// Package redis is what the nodes of a cluster share, in Redis: it carries
// messages between them, and knows who is in which channel on all of them.
//
// Each node tells Redis what it has itself, absolutely: so many subscriptions
// here, this member there. Scripts in Redis add up what the nodes have, and
// publish and write down what has changed, so that every change happens once,
// whichever node it comes from. A node that falls silent loses its lease, and
// any other takes from the sums what it had. What a node says twice, or too
// late, changes nothing.
//
// It is the only package that imports a Redis library. It knows what the ports
// of package hub promise, and nothing of clients, frames or HTTP.
package redis
