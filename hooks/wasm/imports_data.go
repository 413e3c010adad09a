package wasm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// configGet is config_get(key, keylen, buf, cap).
func (c call) configGet(stack []uint64) {
	value, ok := c.config[string(c.bytes(stack[0], stack[1]))]
	if !ok {
		stack[0] = notFound
		return
	}
	stack[0] = c.fill(stack[2], stack[3], value)
}

// ctxGet is ctx_get(field, buf, cap).
func (c call) ctxGet(stack []uint64) {
	field, e := uint32(stack[0]), c.x.event
	if field >= abi.CtxFields {
		stack[0] = badArgument
		return
	}
	if e != nil && field == abi.CtxSubscribers {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(e.Subscribers))
		stack[0] = c.fill(stack[1], stack[2], n[:])
		return
	}
	value := ""
	switch {
	case e == nil:
	case field == abi.CtxUserInfo:
		value = e.UserInfo
	case e.Client != nil:
		value = clientField(e.Client, field)
	}
	if value == "" {
		stack[0] = notFound
		return
	}
	stack[0] = c.fillString(stack[1], stack[2], value)
}

func clientField(from *hooks.Client, field uint32) string {
	switch field {
	case abi.CtxOrigin:
		return from.Origin
	case abi.CtxRemoteIP:
		return from.RemoteIP
	default:
		return from.Query
	}
}

// nowMS is now_ms().
func (c call) nowMS(stack []uint64) { stack[0] = uint64(c.host.Now().UnixMilli()) }

// random is random(ptr, len).
func (c call) random(stack []uint64) {
	c.randomTo(c.bytes(stack[0], stack[1]))
	stack[0] = 0
}

// maxMACs is how many keys an instance keeps the state of.
const maxMACs = 64

// hmacSHA256 is hmac_sha256(ref, key, keylen, msg, msglen, out).
func (c call) hmacSHA256(stack []uint64) {
	var mac hash.Hash
	switch uint32(stack[0]) {
	case abi.HMACKeyBytes:
		key := c.bytes(stack[1], stack[2])
		if len(key) > chunkSize {
			stack[0] = tooLarge
			return
		}
		if mac = c.x.side.macs[string(key)]; mac == nil {
			mac = c.newMAC(string(key))
		}
	case abi.HMACAppSecret:
		if c.x.event == nil || c.host.Secret == nil {
			stack[0] = denied
			return
		}
		secret, ok := c.host.Secret(c.x.event.App)
		if !ok {
			stack[0] = notFound
			return
		}
		if mac = c.x.side.macs[secret]; mac == nil {
			mac = c.newMAC(secret)
		}
	default:
		stack[0] = badArgument
		return
	}
	mac.Reset()
	for msg := c.bytes(stack[3], stack[4]); len(msg) > 0; {
		n := min(len(msg), chunkSize)
		mac.Write(msg[:n])
		c.spend(n)
		msg = msg[n:]
	}
	mac.Sum(c.bytes(stack[5], sha256.Size)[:0])
	stack[0] = 0
}

// newMAC returns a hash with the key. The instance keeps it, because to begin
// with a key costs as much as to hash a short message.
func (c call) newMAC(key string) hash.Hash {
	c.spend(len(key))
	h := hmac.New(sha256.New, []byte(key))
	if len(c.x.side.macs) >= maxMACs {
		clear(c.x.side.macs)
	}
	if c.x.side.macs == nil {
		c.x.side.macs = make(map[string]hash.Hash)
	}
	c.x.side.macs[key] = h
	return h
}
