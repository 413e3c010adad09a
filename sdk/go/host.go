package plugin

// Levels of Log.
const (
	LevelDebug = iota
	LevelInfo
	LevelWarn
	LevelError
)

// Fields of Context.
const (
	Origin      = iota // the Origin header that the client connected with
	RemoteIP           // the client's address
	Query              // the query that it connected with
	UserInfo           // of the user, a JSON object
	Subscribers        // eight bytes, little-endian: how many there are on this node
)

// buffers that a value is read into, each grown to what it has once needed.
var kvBuf, configBuf, ctxBuf []byte

// Log writes a line to the server's log. It needs the capability log.
func Log(level int, line string) { hostLog(int32(level), line) }

// LogEnabled reports whether lines of a level are logged at all.
func LogEnabled(level int) bool { return hostLogEnabled(int32(level)) != 0 }

// Config returns a value of the plugin's config: a string as it is, anything else
// as JSON. It needs the capability config.
func Config(key string) ([]byte, bool) {
	n := hostConfigGet(key, configBuf)
	if grow(&configBuf, n) {
		n = hostConfigGet(key, configBuf)
	}
	return value(configBuf, n)
}

// Context returns what few plugins need of what the event came with, as RemoteIP.
func Context(field int) ([]byte, bool) {
	n := hostCtxGet(int32(field), ctxBuf)
	if grow(&ctxBuf, n) {
		n = hostCtxGet(int32(field), ctxBuf)
	}
	return value(ctxBuf, n)
}

// KVGet returns what is kept under a key. It needs the capability kv.
func KVGet(key []byte) ([]byte, bool) {
	n := hostKVGet(key, kvBuf)
	if grow(&kvBuf, n) {
		n = hostKVGet(key, kvBuf)
	}
	return value(kvBuf, n)
}

// KVSet keeps a value for so many milliseconds, for all instances of the plugin.
// It returns false if the value is too large or there is too much already.
func KVSet(key, value []byte, ttl int64) bool { return hostKVSet(key, value, ttl) >= 0 }

// KVIncr adds delta to the integer under a key, at first 0, and returns the sum.
// It is forgotten ttl milliseconds after the first. It returns false if there is
// something else under the key, or too much in all.
func KVIncr(key []byte, delta, ttl int64) (sum int64, ok bool) { return hostKVIncr(key, delta, ttl) }

// KVDel forgets what is kept under a key.
func KVDel(key []byte) { hostKVDel(key) }

// HMAC writes the HMAC-SHA256 of msg to sum. It needs the capability hmac.
func HMAC(sum *[32]byte, key, msg []byte) bool { return hostHMAC(0, key, msg, sum) >= 0 }

// HMACSecret is HMAC with the secret of the event's app, which the plugin never
// sees.
func HMACSecret(sum *[32]byte, msg []byte) bool { return hostHMAC(1, nil, msg, sum) >= 0 }

// Now returns the time in milliseconds since 1970. It needs the capability clock.
func Now() int64 { return hostNow() }

// Random fills b with random bytes. It needs the capability random.
func Random(b []byte) bool { return hostRandom(b) >= 0 }

// Publish has an event published in the app of the current one, once the handler
// has returned. It needs the capability publish for the channel.
func Publish(channel, event, data []byte) bool {
	publishBuf = frameOf(publishBuf[:0], nil, channel, nil, nil, event, data)
	return hostPublish(publishBuf) >= 0
}

var publishBuf []byte

// grow makes room for a value of n bytes, and reports whether it had to.
func grow(b *[]byte, n int32) bool {
	if int(n) <= len(*b) {
		return false
	}
	*b = make([]byte, max(256, int(n)))
	return true
}

func value(b []byte, n int32) ([]byte, bool) {
	if n < 0 || int(n) > len(b) {
		return nil, false
	}
	if n == 0 {
		return []byte{}, true
	}
	return b[:n:n], true
}

// Equal reports whether b has the bytes of s. TinyGo allocates for string(b) == s.
func Equal(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if b[i] != s[i] {
			return false
		}
	}
	return true
}
