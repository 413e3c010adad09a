// What the benchmarks measure: on_subscribe decides, on_message rewrites,
// authorize verifies a JWT with the app's secret.
import { Bytes, CONTINUE, Event, Field, NONE, Verdict, Writer, afterLast, deny, lenOf, ptrOf, replace, same, view } from "../../../assemblyscript/revurb";
import { hmacAppSecret } from "../../../assemblyscript/host";
import * as json from "../../../assemblyscript/json";

export { revurb_abi_1, revurb_buffer } from "../../../assemblyscript/revurb";

const redacted = new Writer().text("\"[redacted]\"");
const time = new Writer().text("1767225600");
const first = new Writer();
const second = new Writer();

export function revurb_on_subscribe(e: Event, len: i32): Verdict { return mine(e, e.bytes(Field.Data), "user_id"); }

export function revurb_on_message(e: Event, len: i32): Verdict {
  if (!json.set(first.clear(), e.bytes(Field.Data), "text", redacted.bytes)) return CONTINUE;
  json.set(second.clear(), first.bytes, "server_ts", time.bytes);
  return replace().dataBytes(second.bytes).verdict;
}

export function revurb_authorize(e: Event, len: i32): Verdict {
  const token = e.bytes(Field.Auth), signature = afterLast(token, 0x2e);
  const signed = lenOf(token) - lenOf(signature) - 1;
  if (signed <= 0) return deny("no token");
  const sum = hmacAppSecret(view(ptrOf(token), signed)), sent = decode(first.clear(), signature);
  if (sum == NONE || lenOf(sent) != 32) return deny("wrong signature");
  let differ = 0;
  for (let i = 0; i < 32; i++) differ |= load<u8>(ptrOf(sum) + i) ^ load<u8>(ptrOf(sent) + i);
  if (differ != 0) return deny("wrong signature");
  return mine(e, decode(first.clear(), afterLast(view(ptrOf(token), signed), 0x2e)), "sub");
}

function mine(e: Event, doc: Bytes, key: string): Verdict {
  const user = json.inside(json.find(doc, key));
  return user != NONE && same(user, afterLast(e.bytes(Field.Channel), 0x2e)) ? CONTINUE : deny("not yours");
}

// base64url, without padding.
function decode(w: Writer, b: Bytes): Bytes {
  let bits: u32 = 0, have = 0;
  for (let i = 0; i < lenOf(b); i++) {
    const c = <u32>load<u8>(ptrOf(b) + i);
    let v: u32 = 0;
    if (c - 0x41 < 26) v = c - 0x41;
    else if (c - 0x61 < 26) v = c - 0x61 + 26;
    else if (c - 0x30 < 10) v = c - 0x30 + 52;
    else if (c == 0x2d) v = 62;
    else if (c == 0x5f) v = 63;
    else return NONE;
    bits = (bits << 6) | v;
    have += 6;
    if (have >= 8) { have -= 8; w.byte(<u8>(bits >> have)); }
  }
  return w.bytes;
}
