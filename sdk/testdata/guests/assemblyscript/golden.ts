// The golden guest, which testdata/README.md describes.
import { ALLOW, Bytes, CONTINUE, Config, DROP, Event, Field, NONE, Reply, Verdict, Writer, allow, deny, lenOf, ptrOf, replace, text, view } from "../../../assemblyscript/revurb";
import * as host from "../../../assemblyscript/host";
import * as json from "../../../assemblyscript/json";

export { revurb_abi_1, revurb_buffer } from "../../../assemblyscript/revurb";

const w = new Writer();
const value = new Writer();

export function revurb_configure(c: Config, len: i32): Verdict {
  const fail = json.find(c.json, "fail");
  return json.isString(fail) ? deny(json.str(fail)) : CONTINUE;
}

export function revurb_authorize(e: Event, len: i32): Verdict {
  const auth = e.bytes(Field.Auth);
  if (auth == NONE) return CONTINUE;
  if (text(auth) == "deny") return deny("denied");
  return allow().userID(text(auth)).userInfoBytes(e.bytes(Field.Data)).verdict;
}

export function revurb_on_message(e: Event, len: i32): Verdict {
  const event = e.event, d = e.data, data = e.bytes(Field.Data);
  if (event == "describe") return describe(e);
  if (event == "allow") return ALLOW;
  if (event == "drop") return DROP;
  if (event == "deny") return deny(d);
  if (event == "deny-code") {
    const at = d.indexOf(" ");
    return deny(d.substring(at + 1), <i32>I32.parseInt(d.substring(0, at)));
  }
  if (event == "replace-data") return replace().dataBytes(data).verdict;
  if (event == "replace-event") return replace().event(d).verdict;
  if (event == "replace-all") return replace().event("event " + d).data("data " + d).userID("user " + d).userInfo("{\"info\":\"" + d + "\"}").verdict;
  if (event == "len") return replace().data(lenOf(data).toString()).verdict;
  if (event == "now") return replace().data(host.now().toString()).verdict;
  if (event == "random") {
    const b = view(w.clear().grow(8), 8);
    host.random(b);
    return replace().data(hex(b)).verdict;
  }
  if (event == "hmac-secret") return replace().data(hex(host.hmacAppSecret(data))).verdict;
  if (event == "hmac-key") return replace().data(hex(host.hmac(w.clear().text("key").bytes, data))).verdict;
  if (event == "log") host.log(host.Level.Info, d);
  if (event == "publish") {
    const a = d.indexOf(" "), b = d.indexOf(" ", a + 1);
    host.publish(d.substring(0, a), d.substring(a + 1, b), d.substring(b + 1));
  }
  if (event == "kv-get") return found(host.kvGet(d));
  if (event == "config") return found(host.config(d));
  if (event == "ctx") return found(host.ctx(<host.Ctx>I32.parseInt(d)));
  if (event == "kv-set") {
    const at = d.indexOf("=");
    host.kvSet(d.substring(0, at), d.substring(at + 1), 60000);
  }
  if (event == "kv-incr") {
    if (host.kvIncr(d, 2, 60000) < 0) return deny("kv_incr");
    return replace().data(host.kvSum().toString()).verdict;
  }
  if (event == "kv-del") host.kvDel(d);
  if (event == "panic") unreachable();
  if (event == "json-string") {
    const v = path(d);
    return json.isString(v) ? replace().data(json.str(v)).verdict : deny("not found");
  }
  if (event == "json-raw") {
    const v = path(d);
    return v == NONE ? deny("not found") : replace().dataBytes(v).verdict;
  }
  if (event == "json-set") {
    json.quote(value.clear(), "v\"\n");
    return json.set(w.clear(), data, "k", value.bytes) ? replace().dataBytes(w.bytes).verdict : deny("not found");
  }
  return CONTINUE;
}

function found(s: string | null): Verdict {
  return s === null ? deny("not found") : replace().data(<string>s).verdict;
}

function path(d: string): Bytes {
  const lf = d.indexOf("\n"), keys = d.substring(0, lf).split(".");
  let v = w.clear().text(d.substring(lf + 1)).bytes;
  for (let i = 0; i < keys.length; i++) v = json.find(v, keys[i]);
  return v;
}

function hex(b: Bytes): string {
  let s = "";
  for (let i = 0; i < lenOf(b); i++) s += load<u8>(ptrOf(b) + i).toString(16).padStart(2, "0");
  return s;
}

function describe(e: Event): Verdict {
  w.clear();
  for (let f = 0; f < 7; f++) {
    const b = e.bytes(f);
    if (b == NONE) w.byte(0x2d);
    else w.byte(0x3d).add(b);
    w.byte(0x7c);
  }
  return replace().dataBytes(w.text(e.flags.toString()).bytes).verdict;
}
