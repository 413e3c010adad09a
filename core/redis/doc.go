// Package redis is what the nodes of a cluster share, in Redis: it carries
// messages between them, and knows who is in which channel on all of them.
//
// What is published on a topic is appended to a log in Redis, and published, in
// one step; then it is accepted. A node knows how far it has come in the log of
// each topic that it listens to. What it has missed, whatever has happened to its
// connections or to Redis, it reads there and delivers in its order, and what
// comes twice it delivers once. What the log does not have anymore is counted.
//
// Who is where each node tells Redis itself, absolutely: so many subscriptions
// here, this member there. Scripts in Redis add up what the nodes have, and
// publish and write down what has changed, so that every change happens once,
// whichever node it comes from. A node that falls silent loses its lease, and
// any other takes from the sums what it had. What a node says twice, or too
// late, changes nothing.
//
// It is the only package that imports a Redis library. It knows what the ports
// of package hub promise, and nothing of clients, frames or HTTP.
package redis
