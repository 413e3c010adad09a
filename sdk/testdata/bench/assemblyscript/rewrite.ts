// rewrite: the text is redacted and a time appended.
import { CONTINUE, Event, Field, Verdict, Writer, replace } from "../../../assemblyscript/revurb";
import * as json from "../../../assemblyscript/json";

export { revurb_abi_1, revurb_buffer } from "../../../assemblyscript/revurb";

const redacted = new Writer().text("\"[redacted]\"");
const time = new Writer().text("1767225600");
const first = new Writer();
const second = new Writer();

export function revurb_on_message(e: Event, len: i32): Verdict {
  if (!json.set(first.clear(), e.bytes(Field.Data), "text", redacted.bytes)) return CONTINUE;
  json.set(second.clear(), first.bytes, "server_ts", time.bytes);
  return replace().dataBytes(second.bytes).verdict;
}
