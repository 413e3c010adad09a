// The functions of the server. Each needs the capability that its comment names;
// those that a plugin does not call are not in its module.

import { Bytes, Writer, lenOf, ptrOf, view } from "./bytes";

@external("revurb_v1", "log") declare function _log(level: i32, p: usize, n: i32): void;
@external("revurb_v1", "log_enabled") declare function _logEnabled(level: i32): i32;
@external("revurb_v1", "config_get") declare function _configGet(k: usize, kn: i32, p: usize, cap: i32): i32;
@external("revurb_v1", "ctx_get") declare function _ctxGet(field: i32, p: usize, cap: i32): i32;
@external("revurb_v1", "now_ms") declare function _nowMs(): i64;
@external("revurb_v1", "random") declare function _random(p: usize, n: i32): i32;
@external("revurb_v1", "hmac_sha256") declare function _hmac(ref: i32, k: usize, kn: i32, m: usize, mn: i32, out: usize): i32;
@external("revurb_v1", "kv_get") declare function _kvGet(k: usize, kn: i32, p: usize, cap: i32): i32;
@external("revurb_v1", "kv_set") declare function _kvSet(k: usize, kn: i32, v: usize, vn: i32, ttl: i64): i32;
@external("revurb_v1", "kv_incr") declare function _kvIncr(k: usize, kn: i32, delta: i64, ttl: i64, out: usize): i32;
@external("revurb_v1", "kv_del") declare function _kvDel(k: usize, kn: i32): i32;
@external("revurb_v1", "publish") declare function _publish(p: usize, n: i32): i32;

// What the functions return in place of a length.
export const ERR_NOT_FOUND: i32 = -1;
export const ERR_DENIED: i32 = -2;
export const ERR_ARGUMENT: i32 = -3;
export const ERR_QUOTA: i32 = -4;
export const ERR_TIMEOUT: i32 = -5;
export const ERR_TOO_LARGE: i32 = -6;

export const enum Level { Debug, Info, Warn, Error }
export const enum Ctx { Origin, RemoteIP, Query, UserInfo, Subscribers }

function size(s: string): i32 { return String.UTF8.byteLength(s); }

function utf8(s: string): ArrayBuffer { return String.UTF8.encode(s); }
// @ts-ignore: decorator
@inline function at(b: ArrayBuffer): usize { return changetype<usize>(b); }

/** Logs a line (log). */
export function log(level: Level, line: string): void {
  const b = utf8(line);
  _log(level, at(b), b.byteLength);
}

/** Whether such a line is logged (log). */
export function logEnabled(level: Level): bool { return _logEnabled(level) == 1; }

/** A value of the plugin's config: a string as it is, else JSON; null if there is none (config). */
export function config(key: string): string | null {
  const k = utf8(key);
  let b = new ArrayBuffer(256);
  let n = _configGet(at(k), k.byteLength, at(b), b.byteLength);
  if (n > b.byteLength) {
    b = new ArrayBuffer(n);
    n = _configGet(at(k), k.byteLength, at(b), n);
  }
  return n < 0 ? null : String.UTF8.decodeUnsafe(at(b), n);
}

/** A value of what the event came with; null if there is none. */
export function ctx(field: Ctx): string | null {
  let b = new ArrayBuffer(256);
  let n = _ctxGet(field, at(b), b.byteLength);
  if (n > b.byteLength) {
    b = new ArrayBuffer(n);
    n = _ctxGet(field, at(b), n);
  }
  return n < 0 ? null : String.UTF8.decodeUnsafe(at(b), n);
}

/** How many are subscribed to the channel on this node; -1 if that is not known. */
export function subscribers(): i64 {
  return _ctxGet(Ctx.Subscribers, scratch, 8) == 8 ? load<i64>(scratch) : -1;
}

const scratch: usize = memory.data(32);

/** The time in milliseconds since 1970 (clock). */
export function now(): i64 { return _nowMs(); }

/** Fills memory with random bytes (random). */
export function random(b: Bytes): i32 { return _random(ptrOf(b), lenOf(b)); }

/** HMAC-SHA256 with the app's secret, which the plugin never sees; valid until the next (hmac). */
export function hmacAppSecret(msg: Bytes): Bytes {
  return _hmac(1, 0, 0, ptrOf(msg), lenOf(msg), scratch) < 0 ? 0 : view(scratch, 32);
}

/** HMAC-SHA256 with a key; valid until the next (hmac). */
export function hmac(key: Bytes, msg: Bytes): Bytes {
  return _hmac(0, ptrOf(key), lenOf(key), ptrOf(msg), lenOf(msg), scratch) < 0 ? 0 : view(scratch, 32);
}

/** What is kept under the key; null if there is nothing (kv). */
export function kvGet(key: string): string | null {
  const k = utf8(key);
  let b = new ArrayBuffer(256);
  let n = _kvGet(at(k), k.byteLength, at(b), b.byteLength);
  if (n > b.byteLength) {
    b = new ArrayBuffer(n);
    n = _kvGet(at(k), k.byteLength, at(b), n);
    if (n > b.byteLength) return null; // it grew meanwhile: another instance keeps it too
  }
  return n < 0 ? null : String.UTF8.decodeUnsafe(at(b), n);
}

/** Keeps a value for so many milliseconds; 0, or an error (kv). */
export function kvSet(key: string, value: string, ttl: i64): i32 {
  const k = utf8(key), v = utf8(value);
  return _kvSet(at(k), k.byteLength, at(v), v.byteLength, ttl);
}

let sum: i64 = 0;

/** The sum after the last kvIncr that returned 0. */
export function kvSum(): i64 { return sum; }

/** Adds to an integer, whose time counts from the first; 0, or an error (kv). */
export function kvIncr(key: string, delta: i64, ttl: i64): i32 {
  const k = utf8(key);
  const r = _kvIncr(at(k), k.byteLength, delta, ttl, scratch);
  if (r >= 0) sum = load<i64>(scratch);
  return r;
}

/** Forgets a value; 0, or an error (kv). */
export function kvDel(key: string): i32 {
  const k = utf8(key);
  return _kvDel(at(k), k.byteLength);
}

/** Publishes once the hook has returned; 0, or an error (publish:PATTERN). */
export function publish(channel: string, event: string, data: string): i32 {
  const head = 8 + 6 * 8;
  const w = new Writer();
  memory.fill(w.grow(head), 0, head);
  w.text(channel).text(event).text(data);
  const p = ptrOf(w.bytes);
  store<u16>(p, 1);
  store<u16>(p, 6, 2);
  store<u32>(p, lenOf(w.bytes), 4);
  place(p, 1, head, size(channel));
  place(p, 4, head + size(channel), size(event));
  place(p, 5, head + size(channel) + size(event), size(data));
  return _publish(p, lenOf(w.bytes));
}

function place(frame: usize, i: i32, off: i32, n: i32): void {
  store<u32>(frame + 8 + (i << 3), off);
  store<u32>(frame + 8 + (i << 3), n, 4);
}
