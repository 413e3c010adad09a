// Package abi is the contract between the server, which is the host, and
// plugins, which are its guests: WebAssembly modules. With this page alone a
// guest can be written in any language; docs/abi.md has it with examples.
//
// It knows no WebAssembly engine and nothing of the server.
//
// # The guest
//
// A guest is a core WebAssembly 2.0 module for wasm32, without threads,
// exceptions, garbage collection and memory64. It exports
//
//	memory                          its one memory, which it does not import
//	revurb_abi_1      ()            that it keeps this contract; never called
//	revurb_buffer     (i32) -> i32  the address of a buffer of at least so many
//	                                bytes; 0 is a refusal
//	revurb_HOOK       (i32, i32) -> i64
//	                                one for each hook that it wants: see Hook
//
// and may export
//
//	_initialize       ()            called once, before anything else; _start is
//	                                called where there is none
//	revurb_configure  (i32, i32) -> i64
//	                                called once after that, with a frame of the
//	                                fields ConfigJSON, ConfigApps and ConfigHost.
//	                                Any status but Continue makes the load fail,
//	                                with the message of the response
//	revurb_tick       () -> i64     called every second
//
// The host calls revurb_buffer with BufferSize once for each instance, and
// again only for a frame that is larger. It may write there between calls; a
// guest keeps no pointers into it.
//
// The server runs several instances of a guest at once. They share nothing but
// what the guest keeps with kv_set, and each may be thrown away at any time.
//
// # Frames
//
// All integers are little-endian. A frame is
//
//	u16 version, which is 1
//	u16 number of fields
//	u32 length of the frame in bytes
//	for each field: u32 offset from the start of the frame, u32 length
//	the bytes of the fields
//
// A field with the offset 0 is absent, which is not the same as empty. So is
// every field that the frame does not have: fields are numbered, the numbers
// never change, and later versions append more. A field that is an integer has
// eight bytes. Fields are not aligned, and no terminating zero follows.
//
// The two arguments of a hook are the address and the length of a request
// frame, whose fields are App to Flags.
//
// # Verdicts
//
// A hook returns an i64. If its upper 32 bits are zero, the lower 32 are a
// Status. Otherwise the upper 32 bits are the address of a response frame and
// the lower 32 its length; its fields are ResponseStatus to ResponseUserInfo.
// The memory of the response is the guest's, which must not change it before
// the next call. The host checks and copies it, and frees nothing.
//
//	hook           may return                       fields it may set
//	on_connect     Continue, Allow, Deny            Code, Message
//	authorize      Continue, Allow, Deny, Replace   Code, Message, UserID, UserInfo
//	on_signin      Continue, Allow, Deny, Replace   Code, Message, UserInfo
//	on_subscribe   Continue, Allow, Deny, Replace   Code, Message, UserInfo
//	on_message     Continue, Allow, Deny, Replace,  Code, Message, Event, Data
//	               Drop
//
// Allow may set the same fields as Replace. UserID may be set only by authorize,
// and only where the plugin authorizes in place of the signature, which the flag
// Unsigned says. All fields are UTF-8, Data may be up to the app's limit for an
// event. Anything else is a failure of the plugin, and so are a trap, a call
// that takes longer than the deadline and a response outside the memory: the
// instance is thrown away, and what happens to the client is what on_error says
// in the plugin's configuration, a denial unless it says otherwise.
//
// What notifications and tick return means nothing.
//
// # Imports
//
// The host has these functions in the module revurb_v1. A guest may import what
// its capabilities grant, which are in parentheses; it is not loaded if it
// imports anything else. Addresses and lengths are i32.
//
//	log(level, ptr, len)                     (log) a line of text, level 0 to 3: debug, info, warn, error
//	log_enabled(level) -> i32                (log) 1 if such a line is logged
//	config_get(key, keylen, buf, cap) -> i32 (config) a value of the plugin's config: a string as it is, anything else as JSON
//	ctx_get(field, buf, cap) -> i32          a field of what the current event came with: CtxOrigin to CtxSubscribers
//	now_ms() -> i64                          (clock) the time, in milliseconds since 1970
//	random(ptr, len) -> i32                  (random) fills memory with random bytes
//	hmac_sha256(ref, key, keylen, msg, msglen, out) -> i32
//	                                         (hmac) 32 bytes; ref is HMACKeyBytes, or HMACAppSecret, for which key is not read
//	kv_get(key, keylen, buf, cap) -> i32     (kv) what the instances of a plugin share
//	kv_set(key, keylen, val, vallen, ttl i64) -> i32
//	                                         (kv) for so many milliseconds, more than 0
//	kv_incr(key, keylen, delta i64, ttl i64, out) -> i32
//	                                         (kv) adds to an integer, at first 0, and writes the sum, an i64, to out;
//	                                         ttl counts from the first. kv_get has it as eight bytes
//	kv_del(key, keylen) -> i32               (kv)
//	publish(frame, len) -> i32               (publish:PATTERN) fields Channel, Event, Data and, optionally, App and
//	                                         SocketID, who does not get it; done once the hook has returned without
//	                                         failing. No plugin is asked of it.
//
// They return a length, or 0, or one of the negative numbers ErrNotFound to
// ErrTooLarge. A function that fills a buffer returns the length of the value
// even if it is larger than cap, and then writes nothing. An address outside
// the memory is a trap.
//
// A guest may import functions of wasi_snapshot_preview1, which toolchains do on
// their own: there are no files, no network and no arguments, the environment is
// GOGC=25, which keeps a guest in Go small, and the clock stands still without
// the capability clock. To wait takes no time. What is written to standard
// output and standard error is logged, with the capability log.
//
// # Versions
//
// A minor version adds fields, hooks and imports, and never changes what is
// there. A major version has another marker and another module name.
package abi
