package plugin

import "unsafe"

func hostLog(level int32, s string) { logLine(level, str(s), uint32(len(s))) }

func hostLogEnabled(level int32) int32 { return logEnabled(level) }

func hostConfigGet(key string, buf []byte) int32 {
	return configGet(str(key), uint32(len(key)), ptr(buf), uint32(len(buf)))
}

func hostCtxGet(field int32, buf []byte) int32 { return ctxGet(field, ptr(buf), uint32(len(buf))) }

func hostKVGet(key, buf []byte) int32 {
	return kvGet(ptr(key), uint32(len(key)), ptr(buf), uint32(len(buf)))
}

func hostKVSet(key, val []byte, ttl int64) int32 {
	return kvSet(ptr(key), uint32(len(key)), ptr(val), uint32(len(val)), ttl)
}

func hostKVIncr(key []byte, delta, ttl int64) (int64, bool) {
	n := kvIncr(ptr(key), uint32(len(key)), delta, ttl, unsafe.Pointer(&sum))
	return sum, n >= 0
}

var sum int64 // of kv_incr, here so that it is not allocated

func hostKVDel(key []byte) { kvDel(ptr(key), uint32(len(key))) }

func hostHMAC(ref int32, key, msg []byte, sum *[32]byte) int32 {
	return hmacSHA256(ref, ptr(key), uint32(len(key)), ptr(msg), uint32(len(msg)), unsafe.Pointer(sum))
}

func hostNow() int64 { return nowMS() }

func hostRandom(b []byte) int32 { return random(ptr(b), uint32(len(b))) }

func hostPublish(frame []byte) int32 { return publish(ptr(frame), uint32(len(frame))) }

func ptr(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func str(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }

//go:wasmimport revurb_v1 log
func logLine(level int32, p unsafe.Pointer, n uint32)

//go:wasmimport revurb_v1 log_enabled
func logEnabled(level int32) int32

//go:wasmimport revurb_v1 config_get
func configGet(key unsafe.Pointer, keylen uint32, buf unsafe.Pointer, cap uint32) int32

//go:wasmimport revurb_v1 ctx_get
func ctxGet(field int32, buf unsafe.Pointer, cap uint32) int32

//go:wasmimport revurb_v1 kv_get
func kvGet(key unsafe.Pointer, keylen uint32, buf unsafe.Pointer, cap uint32) int32

//go:wasmimport revurb_v1 kv_set
func kvSet(key unsafe.Pointer, keylen uint32, val unsafe.Pointer, vallen uint32, ttl int64) int32

//go:wasmimport revurb_v1 kv_incr
func kvIncr(key unsafe.Pointer, keylen uint32, delta, ttl int64, out unsafe.Pointer) int32

//go:wasmimport revurb_v1 kv_del
func kvDel(key unsafe.Pointer, keylen uint32) int32

//go:wasmimport revurb_v1 hmac_sha256
func hmacSHA256(ref int32, key unsafe.Pointer, keylen uint32, msg unsafe.Pointer, msglen uint32, out unsafe.Pointer) int32

//go:wasmimport revurb_v1 now_ms
func nowMS() int64

//go:wasmimport revurb_v1 random
func random(p unsafe.Pointer, n uint32) int32

//go:wasmimport revurb_v1 publish
func publish(frame unsafe.Pointer, n uint32) int32
