// Moderation keeps words out of messages: some are redacted, the worst deny the
// whole message. Case does not matter, and only whole words count.
import { Bytes, CONTINUE, Config, Event, Field, Verdict, Writer, deny, replace } from "../../../sdk/assemblyscript/revurb";
import * as json from "../../../sdk/assemblyscript/json";

export { revurb_abi_1, revurb_buffer } from "../../../sdk/assemblyscript/revurb";

let redacted: string[] = [];
let denied: string[] = [];
let field: string = "text";
let message: string = "this message is not allowed here";

const value = new Writer();
const data = new Writer();

export function revurb_configure(c: Config, len: i32): Verdict {
  redacted = words(json.find(c.json, "words"));
  denied = words(json.find(c.json, "deny"));
  const f = json.find(c.json, "field"), m = json.find(c.json, "message");
  if (json.isString(f)) field = json.str(f);
  if (json.isString(m)) message = json.str(m);
  if (redacted.length + denied.length == 0) return deny("give words, deny or both: lists of words");
  return CONTINUE;
}

export function revurb_on_message(e: Event, len: i32): Verdict {
  const v = json.find(e.bytes(Field.Data), field);
  if (!json.isString(v)) return CONTINUE;
  const text = json.str(v), lower = fold(text);
  for (let i = 0; i < denied.length; i++) if (at(lower, denied[i], 0) >= 0) return deny(message);

  let out = text;
  for (let i = 0; i < redacted.length; i++) {
    const w = redacted[i], stars = "*".repeat(w.length);
    for (let p = at(lower, w, 0); p >= 0; p = at(lower, w, p + w.length)) {
      out = out.substring(0, p) + stars + out.substring(p + w.length);
    }
  }
  if (out == text) return CONTINUE;
  json.quote(value.clear(), out);
  json.set(data.clear(), e.bytes(Field.Data), field, value.bytes);
  return replace().dataBytes(data.bytes).verdict;
}

function words(array: Bytes): string[] {
  const list: string[] = [];
  let v: Bytes = 0;
  for (let i = 0; (v = json.item(array, i)) != 0; i++) {
    const w = fold(json.str(v));
    if (w.length > 0) list.push(w);
  }
  return list;
}

// Lower case, of the letters whose lower case is as long.
function fold(s: string): string {
  const units = new Array<i32>(s.length);
  for (let i = 0; i < s.length; i++) {
    let c = s.charCodeAt(i);
    if ((c >= 0x41 && c <= 0x5a) || (c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f)) c += 32;
    else if (c >= 0x400 && c <= 0x40f) c += 80;
    units[i] = c;
  }
  return String.fromCharCodes(units);
}

// Where the word begins, from p on; -1 if it does not.
function at(s: string, word: string, p: i32): i32 {
  for (p = s.indexOf(word, p); p >= 0; p = s.indexOf(word, p + 1)) {
    const end = p + word.length;
    if ((p == 0 || !letter(s.charCodeAt(p - 1))) && (end == s.length || !letter(s.charCodeAt(end)))) return p;
  }
  return -1;
}

function letter(c: i32): bool {
  if (c < 0x80) return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c == 0x5f;
  return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c <= 0x206f) && !(c >= 0x3000 && c <= 0x303f);
}
