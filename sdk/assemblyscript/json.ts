// JSON as it lies in the event, without a tree: values are found where they are,
// and a document is changed by copying what is around them. It knows escapes and
// nesting. What is not JSON has no values: find returns NONE.

import { Bytes, NONE, Writer, lenOf, ptrOf, view } from "./bytes";

// @ts-ignore: decorator
@inline function space(c: u8): bool { return c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09; }

function skip(p: usize, end: usize): usize {
  while (p < end && space(load<u8>(p))) p++;
  return p;
}

// The end of the string that starts at p, or 0.
function stringEnd(p: usize, end: usize): usize {
  for (p++; p < end; p++) {
    const c = load<u8>(p);
    if (c == 0x22) return p + 1;
    if (c == 0x5c) p++;
  }
  return 0;
}

// The end of the value that starts at p, or 0. Deeper than 500 is broken: it is
// an attack on the stack.
function valueEnd(p: usize, end: usize, depth: i32 = 0): usize {
  if (p >= end || depth > 500) return 0;
  const c = load<u8>(p);
  if (c == 0x22) return stringEnd(p, end);
  if (c == 0x7b || c == 0x5b) {
    const closing: u8 = c + 2;
    p = skip(p + 1, end);
    if (p < end && load<u8>(p) == closing) return p + 1;
    while (p < end) {
      if (c == 0x7b) {
        p = colon(p, end);
        if (p == 0) return 0;
      }
      p = valueEnd(p, end, depth + 1);
      if (p == 0) return 0;
      p = skip(p, end);
      if (p >= end) return 0;
      const d = load<u8>(p++);
      if (d == closing) return p;
      if (d != 0x2c) return 0;
      p = skip(p, end);
    }
    return 0;
  }
  const start = p;
  while (p < end) {
    const d = load<u8>(p);
    if (space(d) || d == 0x2c || d == 0x7d || d == 0x5d || d == 0x3a || d == 0x22 || d == 0x7b || d == 0x5b) break;
    p++;
  }
  return p == start ? 0 : p;
}

// Where the value begins whose key starts at p, or 0.
function colon(p: usize, end: usize): usize {
  if (p >= end || load<u8>(p) != 0x22) return 0;
  p = stringEnd(p, end);
  if (p == 0) return 0;
  p = skip(p, end);
  if (p >= end || load<u8>(p) != 0x3a) return 0;
  return skip(p + 1, end);
}

// One UTF-16 unit of a JSON string, and where the next one is.
let next: usize = 0;
let low: u16 = 0; // the second half of a character that needs two

function unit(p: usize, end: usize): u16 {
  if (low != 0) { const u = low; low = 0; return u; }
  let c = <u32>load<u8>(p++);
  if (c == 0x5c && p < end) {
    c = load<u8>(p++);
    switch (c) {
      case 0x62: { c = 8; break; }
      case 0x66: { c = 12; break; }
      case 0x6e: { c = 10; break; }
      case 0x72: { c = 13; break; }
      case 0x74: { c = 9; break; }
      case 0x75: {
        c = 0;
        for (let i = 0; i < 4 && p < end; i++) {
          const h = load<u8>(p++);
          c = (c << 4) | (h <= 0x39 ? h - 0x30 : (h | 0x20) - 0x57);
        }
        break;
      }
    }
  } else if (c >= 0x80) {
    const more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    c &= 0x3f >> more;
    for (let i = 0; i < more && p < end; i++) c = (c << 6) | (load<u8>(p++) & 0x3f);
    if (c >= 0x10000) {
      c -= 0x10000;
      low = <u16>(0xdc00 | (c & 0x3ff));
      c = 0xd800 | (c >> 10);
    }
  }
  next = p;
  return <u16>c;
}

// Whether the inside of a JSON string is s.
function holds(p: usize, end: usize, s: string): bool {
  const n = s.length;
  low = 0;
  for (let i = 0; i < n; i++) {
    if (p >= end && low == 0) return false;
    if (unit(p, end) != <u16>s.charCodeAt(i)) return false;
    p = next;
  }
  return p >= end && low == 0;
}

// What scan found beside the value.
let close: usize = 0;   // the object's closing brace
let members: i32 = 0;

// The value of a key of the object, NONE if there is none, and close, which is 0
// if it is no object. Of a key that is there twice the last counts, as it does
// for those who will read it.
function scan(doc: Bytes, key: string): Bytes {
  const end = ptrOf(doc) + lenOf(doc);
  let found = NONE;
  close = 0;
  members = 0;
  let p = skip(ptrOf(doc), end);
  if (p >= end || load<u8>(p) != 0x7b) return NONE;
  p = skip(p + 1, end);
  while (p < end && load<u8>(p) == 0x22) {
    const k = p;
    p = stringEnd(p, end);
    if (p == 0) return NONE;
    const match = holds(k + 1, p - 1, key);
    p = skip(p, end);
    if (p >= end || load<u8>(p) != 0x3a) return NONE;
    p = skip(p + 1, end);
    const e = valueEnd(p, end);
    if (e == 0) return NONE;
    if (match) found = view(p, <i32>(e - p));
    members++;
    p = skip(e, end);
    if (p < end && load<u8>(p) == 0x2c) {
      p = skip(p + 1, end);
      if (p >= end || load<u8>(p) != 0x22) return NONE;
    } else break;
  }
  if (p >= end || load<u8>(p) != 0x7d) return NONE;
  if (skip(p + 1, end) != end) return NONE;
  close = p;
  return found;
}

/** The value of a key of an object, as JSON; NONE if it has none or is no object. */
export function find(doc: Bytes, key: string): Bytes { return scan(doc, key); }

/** Whether the value is a string. */
export function isString(value: Bytes): bool { return lenOf(value) >= 2 && load<u8>(ptrOf(value)) == 0x22; }

/** The text of a JSON string, without escapes; empty for any other value. Half a surrogate pair is U+FFFD. */
export function str(value: Bytes): string {
  if (!isString(value)) return "";
  const end = ptrOf(value) + lenOf(value) - 1;
  const out = new Array<i32>();
  low = 0;
  let high = false; // the last one was the first half of a pair
  for (let p = ptrOf(value) + 1; p < end || low != 0; p = next) {
    const u = <i32>unit(p, end);
    const second = (u & 0xfc00) == 0xdc00;
    if (high && !second) out[out.length - 1] = 0xfffd;
    out.push(second && !high ? 0xfffd : u);
    high = (u & 0xfc00) == 0xd800;
  }
  if (high) out[out.length - 1] = 0xfffd;
  return String.fromCharCodes(out);
}

/** The inside of a JSON string as it is written, for a comparison without a copy: "a" for "\"a\"". */
export function inside(value: Bytes): Bytes {
  return isString(value) ? view(ptrOf(value) + 1, lenOf(value) - 2) : NONE;
}

/** Writes s as a JSON string. */
export function quote(w: Writer, s: string): void {
  w.byte(0x22);
  let from = 0;
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c >= 0x20 && c != 0x22 && c != 0x5c) continue;
    w.text(s.substring(from, i));
    from = i + 1;
    w.byte(0x5c);
    if (c == 0x22 || c == 0x5c) w.byte(<u8>c);
    else if (c == 0x0a) w.byte(0x6e);
    else {
      w.text(c < 0x10 ? "u000" : "u001");
      const h = c & 15;
      w.byte(<u8>(h < 10 ? 0x30 + h : 0x57 + h));
    }
  }
  w.text(s.substring(from)).byte(0x22);
}

/**
 * Writes doc with value, which is JSON, as the value of key: in place of the
 * value that is there, or at the end. False, and nothing is written, if doc is
 * no object.
 */
export function set(w: Writer, doc: Bytes, key: string, value: Bytes): bool {
  const old = scan(doc, key);
  if (close == 0) return false;
  const start = ptrOf(doc), end = start + lenOf(doc);
  if (old != NONE) {
    const after = ptrOf(old) + lenOf(old);
    w.add(view(start, <i32>(ptrOf(old) - start))).add(value).add(view(after, <i32>(end - after)));
    return true;
  }
  const comma = members > 0, brace = close;
  w.add(view(start, <i32>(brace - start)));
  if (comma) w.byte(0x2c);
  quote(w, key);
  w.byte(0x3a).add(value).add(view(brace, <i32>(end - brace)));
  return true;
}

/** Item i of an array, as JSON; NONE if there is none. */
export function item(array: Bytes, i: i32): Bytes {
  const end = ptrOf(array) + lenOf(array);
  let p = skip(ptrOf(array), end);
  if (p >= end || load<u8>(p) != 0x5b) return NONE;
  p = skip(p + 1, end);
  while (p < end) {
    const e = valueEnd(p, end);
    if (e == 0) return NONE;
    if (i-- == 0) return view(p, <i32>(e - p));
    p = skip(e, end);
    if (p >= end || load<u8>(p) != 0x2c) return NONE;
    p = skip(p + 1, end);
  }
  return NONE;
}
