// Package plugintest tests plugins: something happens, and the plugin is to
// decide this. What happens is told in TOML, in files that "revurb plugin test"
// reads too, or by a Go test:
//
//	func TestPlugin(t *testing.T) {
//		plugintest.Test(t, "guard.wasm", "cases/*.toml")
//	}
//
// The plugin runs in the host that the server has, on a clock that stands still
// and with a seed for its random numbers: a case has the same outcome on every
// machine, and uses the same fuel.
//
// A file of cases:
//
//	[defaults]                     # all of it may be left out
//	app = "app"                    # the ID of the app
//	secret = "secret"              # of the app
//	apps = ["*"]                   # that the plugin is configured for
//	capabilities = ["log", "kv"]   # by default all of them
//	now = "2026-01-02T03:04:05Z"
//	seed = 1
//	config = { words = ["spam"] }
//	replace = false                # authorize.mode = "replace"
//
//	[[case]]
//	name = "spam is refused"
//	hook = "on_message"
//	now = "2026-01-02T03:04:06Z"   # now, seed, config and replace may differ from the defaults
//	repeat = 1                     # how often it happens; the last time counts
//	[case.event]                   # app, channel, socket_id, user_id, event, data, auth, and
//	channel = "private-chat"       # flags: "api", "batch", "cache", "unsigned", "came"
//	event = "client-said"
//	data = '{"text":"spam"}'
//	[case.client]                  # origin, remote_ip, query, user_info, subscribers
//	[case.kv]                      # what is kept before; a number is one of kv_incr
//	[case.want]
//	status = "deny"                # continue, allow, deny, replace or drop
//	message = "no spam"            # also code, event, data, user_id, user_info
//	log = ["refused"]              # a part of each line that is logged
//	publish = [{ channel = "a", event = "b", data = "c" }]
//	kv = { "count:1" = 1 }         # what is kept afterwards, among other things
//	failure = "deadline"           # a part of the error of a plugin that fails or does not start
//	fuel_max = 10_000
//
// A plugin has a second for a call here, so that a slow machine fails none. What
// it may use where it is deployed is what fuel_max is for.
//
// It knows the sandbox and nothing of the server.
package plugintest
