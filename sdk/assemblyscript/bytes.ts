// Bytes are an address and a length in one number, so that nothing is allocated
// to hand a part of the event around. They are UTF-8 wherever they are text, and
// valid only until the hook returns. 0 is nothing, which is not the same as empty.
export type Bytes = u64;

export const NONE: Bytes = 0;

// @ts-ignore: decorator
@inline export function view(ptr: usize, len: i32): Bytes { return ((<u64>ptr) << 32) | <u64>(<u32>len); }
// @ts-ignore: decorator
@inline export function ptrOf(b: Bytes): usize { return <usize>(b >> 32); }
// @ts-ignore: decorator
@inline export function lenOf(b: Bytes): i32 { return <i32>(<u32>b); }

/** The text as a string. Nothing is the empty string. */
export function text(b: Bytes): string { return String.UTF8.decodeUnsafe(ptrOf(b), lenOf(b)); }

/** Whether two are the same, byte for byte. */
export function same(a: Bytes, b: Bytes): bool {
  return lenOf(a) == lenOf(b) && memory.compare(ptrOf(a), ptrOf(b), lenOf(a)) == 0;
}

/** Whether it is this ASCII text; costs no allocation. */
export function is(b: Bytes, s: string): bool {
  const n = lenOf(b);
  if (n != s.length) return false;
  for (let i = 0; i < n; i++) if (<i32>load<u8>(ptrOf(b) + i) != s.charCodeAt(i)) return false;
  return true;
}

/** What comes after the last of this byte; all of it where there is none. */
export function afterLast(b: Bytes, c: u8): Bytes {
  const p = ptrOf(b), n = lenOf(b);
  for (let i = n - 1; i >= 0; i--) if (load<u8>(p + i) == c) return view(p + i + 1, n - i - 1);
  return b;
}

/**
 * Writer collects bytes. Keep one in a global and clear it at the start of the
 * hook: its memory is used again, and its bytes stay valid until it is written to.
 */
export class Writer {
  private buf: ArrayBuffer = new ArrayBuffer(1024);
  private n: i32 = 0;

  clear(): Writer { this.n = 0; return this; }
  get bytes(): Bytes { return view(changetype<usize>(this.buf), this.n); }

  /** Room for n more bytes, which the caller fills. */
  grow(n: i32): usize {
    if (this.n + n > this.buf.byteLength) {
      const b = new ArrayBuffer((this.n + n) * 2);
      memory.copy(changetype<usize>(b), changetype<usize>(this.buf), this.n);
      this.buf = b;
    }
    const at = changetype<usize>(this.buf) + this.n;
    this.n += n;
    return at;
  }

  byte(c: u8): Writer { store<u8>(this.grow(1), c); return this; }
  add(b: Bytes): Writer { memory.copy(this.grow(lenOf(b)), ptrOf(b), lenOf(b)); return this; }
  text(s: string): Writer {
    const n = String.UTF8.byteLength(s);
    String.UTF8.encodeUnsafe(changetype<usize>(s), s.length, this.grow(n));
    return this;
  }
}
