// Package redistest runs real Redis servers for tests, and breaks them.
//
//	func TestBroker(t *testing.T) {
//		r := redistest.Start(t)
//		b := open(t, r.URL())
//		r.Kill() // and see what b does
//		r.Restart()
//	}
//
// Every server is a redis-server process of its own with its own port and
// directory, keeps nothing on disk, but for [AOF], and ends with its test.
// [StartSentinel], [StartCluster] and [StartReplicatedCluster] run several of
// them; a [Proxy] in front of one is a bad network, and a [Refuser] is a server
// that lets clients connect and no further. A test without redis-server is skipped, or fails if
// REVURB_REQUIRE_ALL=1.
//
// The package knows nothing about revurb or the client library that it uses:
// [Conn] is a client of its own, so that a test does not judge a library by
// that library's word.
package redistest
