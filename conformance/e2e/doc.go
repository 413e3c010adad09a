// Package e2e tests the built server with the clients that people use:
// pusher-js and Laravel Echo under Node, pusher-js in Chromium, and the pusher
// HTTP SDK on the side of the backend.
//
// Its scenarios are in scenarios/, in JavaScript, and each is a subtest here.
// They know the server only as its users do: a command, a configuration file,
// an address. What goes over the wire byte by byte is tested elsewhere.
// The plugins of the scenarios are those of plugins/examples, and testdata/door.
//
// Without Node, the packages of package-lock.json or Chromium, what needs them
// is skipped; make test installs them. REVURB_REQUIRE_ALL=1 forbids skipping.
package e2e
