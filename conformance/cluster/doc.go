// Package cluster runs the built server, several processes of it that share a
// Redis, and kills them and their Redis: what a cluster promises is seen from
// outside, by the conformance suite's own clients. It has tests only.
package cluster
