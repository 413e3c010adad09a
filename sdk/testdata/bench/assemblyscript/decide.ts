// decide: the user_id of the data is the channel's last segment.
import { CONTINUE, DENY, Event, Field, Verdict, afterLast, same } from "../../../assemblyscript/revurb";
import * as json from "../../../assemblyscript/json";

export { revurb_abi_1, revurb_buffer } from "../../../assemblyscript/revurb";

export function revurb_on_message(e: Event, len: i32): Verdict {
  const user = json.inside(json.find(e.bytes(Field.Data), "user_id"));
  return same(user, afterLast(e.bytes(Field.Channel), 0x2e)) ? CONTINUE : DENY;
}
