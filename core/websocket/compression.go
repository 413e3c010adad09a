package websocket

import (
	"slices"
	"strconv"
	"strings"
)

// acceptsDeflate reports whether one of the offers in Sec-WebSocket-Extensions
// is one of permessage-deflate that we can keep to: no context is taken over in
// either direction, and the server compresses with a window of 32 KiB. An offer
// that is malformed is declined, as RFC 7692, section 7.1 says.
func acceptsDeflate(values []string) bool {
	for _, v := range values {
		if slices.ContainsFunc(strings.Split(v, ","), keepable) {
			return true
		}
	}
	return false
}

// offerParams are the parameters of an offer, and whether a value of each is
// one that we can keep to; ok is false if it has none.
var offerParams = map[string]func(value string, ok bool) bool{
	"server_no_context_takeover": func(_ string, ok bool) bool { return !ok },
	"client_no_context_takeover": func(_ string, ok bool) bool { return !ok },
	"client_max_window_bits":     func(v string, ok bool) bool { return !ok || windowBits(v) >= 8 },
	"server_max_window_bits":     func(v string, ok bool) bool { return ok && windowBits(v) == 15 },
}

func keepable(offer string) bool {
	name, rest, more := strings.Cut(offer, ";")
	if strings.TrimSpace(name) != "permessage-deflate" {
		return false
	}
	var seen []string
	for more {
		var param string
		param, rest, more = strings.Cut(rest, ";")
		key, value, hasValue := strings.Cut(param, "=")
		key = strings.TrimSpace(key)
		good, ok := offerParams[key]
		if !ok || slices.Contains(seen, key) || !good(strings.Trim(strings.TrimSpace(value), `"`), hasValue) {
			return false
		}
		seen = append(seen, key)
	}
	return true
}

// windowBits is the number from 8 to 15 that v is, or 0.
func windowBits(v string) int {
	n, err := strconv.Atoi(v)
	if err != nil || n < 8 || n > 15 || strconv.Itoa(n) != v {
		return 0
	}
	return n
}
