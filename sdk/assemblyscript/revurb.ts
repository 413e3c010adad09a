// What a plugin needs of the contract with the server: the event, the verdict
// and the functions of the server. A function that a plugin does not call is not
// imported, and needs no capability.

import { Bytes, NONE, Writer, lenOf, ptrOf, text, view } from "./bytes";

export { Bytes, NONE, Writer, afterLast, is, lenOf, ptrOf, same, text, view } from "./bytes";

/** The marker of the contract, to be exported. */
export function revurb_abi_1(): void {}

let buffer: usize = 0;
let size: i32 = 0;

/** Where the server puts events, to be exported. */
export function revurb_buffer(n: i32): usize {
  if (n > size) {
    if (buffer != 0) heap.free(buffer);
    buffer = heap.alloc(n);
    size = n;
  }
  return buffer;
}

function field(frame: usize, i: i32): Bytes {
  if (i >= <i32>load<u16>(frame, 2)) return NONE;
  const at = frame + 8 + (i << 3);
  const off = load<u32>(at);
  return off == 0 ? NONE : view(frame + off, load<i32>(at, 4));
}

/** The fields of an event. */
export const enum Field { App, Channel, SocketID, UserID, Event, Data, Auth, Flags }

/** What happened. It lies in the server's frame: valid until the hook returns. */
@unmanaged
export class Event {
  /** A field as it is; NONE if it is absent. */
  bytes(f: Field): Bytes { return field(changetype<usize>(this), f); }

  get app(): string { return text(this.bytes(Field.App)); }
  get channel(): string { return text(this.bytes(Field.Channel)); }
  get socketID(): string { return text(this.bytes(Field.SocketID)); }
  get userID(): string { return text(this.bytes(Field.UserID)); }
  get event(): string { return text(this.bytes(Field.Event)); }
  get data(): string { return text(this.bytes(Field.Data)); }
  get auth(): string { return text(this.bytes(Field.Auth)); }

  get flags(): u64 { const f = this.bytes(Field.Flags); return lenOf(f) == 8 ? load<u64>(ptrOf(f)) : 0; }
  /** It came over the HTTP API. */
  get fromAPI(): bool { return (this.flags & 1) != 0; }
  /** It is one of several in a request. */
  get inBatch(): bool { return (this.flags & 2) != 0; }
  /** The channel is a cache channel. */
  get cacheEvent(): bool { return (this.flags & 4) != 0; }
  /** The signature is not checked: the plugin's yes is the authorization. */
  get unsigned(): bool { return (this.flags & 8) != 0; }
  /** The member was added, or the channel is occupied. */
  get came(): bool { return (this.flags & 16) != 0; }
}

/** What revurb_configure is called with. */
@unmanaged
export class Config {
  /** The plugin's config, a JSON object. */
  get json(): Bytes { return field(changetype<usize>(this), 0); }
  /** The IDs of its apps, a JSON array. */
  get apps(): Bytes { return field(changetype<usize>(this), 1); }
  /** The server's version. */
  get host(): string { return text(field(changetype<usize>(this), 2)); }
}

/** What a hook returns. */
export type Verdict = u64;

/** No opinion. */
export const CONTINUE: Verdict = 0;
/** Yes, and no other plugin is asked. */
export const ALLOW: Verdict = 1;
/** No, without a message. */
export const DENY: Verdict = 2;
/** Nobody receives it, and the sender is not told. */
export const DROP: Verdict = 4;

const FIELDS: i32 = 8;
const HEAD: i32 = 8 + FIELDS * 8;

/** A verdict with fields. There is one at a time: its memory is used again. */
export class Reply {
  private w: Writer = new Writer();

  start(status: u64): Reply {
    memory.fill(this.w.clear().grow(HEAD), 0, HEAD);
    return this.int(0, status);
  }
  private put(i: i32, b: Bytes): Reply {
    const off = lenOf(this.w.bytes);
    this.w.add(b);
    return this.place(i, off);
  }
  private str(i: i32, s: string): Reply {
    const off = lenOf(this.w.bytes);
    this.w.text(s);
    return this.place(i, off);
  }
  private int(i: i32, v: u64): Reply {
    const off = lenOf(this.w.bytes);
    store<u64>(this.w.grow(8), v);
    return this.place(i, off);
  }
  private place(i: i32, off: i32): Reply {
    const b = this.w.bytes, at = ptrOf(b) + 8 + (i << 3);
    store<u32>(at, off);
    store<u32>(at, lenOf(b) - off, 4);
    return this;
  }

  /** A close code for on_connect, an error code for the others. */
  code(c: i32): Reply { return this.int(1, c); }
  message(s: string): Reply { return this.str(2, s); }
  event(s: string): Reply { return this.str(4, s); }
  data(s: string): Reply { return this.str(5, s); }
  dataBytes(b: Bytes): Reply { return this.put(5, b); }
  userID(s: string): Reply { return this.str(6, s); }
  userInfo(s: string): Reply { return this.str(7, s); }
  userInfoBytes(b: Bytes): Reply { return this.put(7, b); }

  /** What the hook returns. */
  get verdict(): Verdict {
    const p = ptrOf(this.w.bytes), n = lenOf(this.w.bytes);
    store<u16>(p, 1);
    store<u16>(p, FIELDS, 2);
    store<u32>(p, n, 4);
    return view(p, n);
  }
}

const reply = new Reply();

/** Go on with other fields: replace().data("{}").verdict. */
export function replace(): Reply { return reply.start(3); }
/** Yes, with fields. */
export function allow(): Reply { return reply.start(1); }
/** No, and why; 0 is the usual code. */
export function deny(message: string, code: i32 = 0): Verdict {
  const r = reply.start(2).message(message);
  return (code == 0 ? r : r.code(code)).verdict;
}
