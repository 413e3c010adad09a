/* schema-guard denies messages whose data is not what the config says: see its
 * README. */
#include "../../../sdk/c/revurb.h"

/* is reports whether a value, as it stands, is of a type. */
static int is(revurb_str value, revurb_str type) {
  revurb_u8 c = value.ptr[0];
  if (revurb_equal(type, S("string"))) return c == '"';
  if (revurb_equal(type, S("object"))) return c == '{';
  if (revurb_equal(type, S("array"))) return c == '[';
  if (revurb_equal(type, S("boolean"))) return revurb_equal(value, S("true")) || revurb_equal(value, S("false"));
  if (revurb_equal(type, S("number"))) return c == '-' || (c >= '0' && c <= '9');
  return 0;
}

static int is_type(revurb_str type) {
  return revurb_equal(type, S("string")) || revurb_equal(type, S("object")) || revurb_equal(type, S("array")) ||
         revurb_equal(type, S("boolean")) || revurb_equal(type, S("number"));
}

/* characters counts those of UTF-8: the bytes that do not continue another. */
static revurb_i64 characters(revurb_str s) {
  revurb_i64 n = 0;
  for (revurb_u32 i = 0; i < s.len; i++) n += (s.ptr[i] & 0xc0) != 0x80;
  return n;
}

static revurb_verdict deny(revurb_str field, revurb_str what) {
  revurb_buf b = {0};
  revurb_add(&b, S("data: "));
  revurb_add(&b, field);
  revurb_add(&b, what);
  return revurb_deny(revurb_text(&b));
}

REVURB_CONFIGURE {
  revurb_str events = revurb_json_raw(config, S("events")), event, fields, field, rule;
  if (!revurb_has(events) || events.ptr[0] != '{') return revurb_deny(S("config needs a table events"));
  for (revurb_u32 i = 0; revurb_json_next(events, &i, &event, &fields);)
    for (revurb_u32 j = 0; revurb_json_next(fields, &j, &field, &rule);) {
      revurb_str type = revurb_json_string(rule, S("type")), max = revurb_json_raw(rule, S("max"));
      if (!is_type(type)) return deny(field, S(" needs a type: string, number, boolean, object or array"));
      if (revurb_has(max) && revurb_number(max) < 0) return deny(field, S(" has a max that is no whole number"));
    }
  return revurb_continue();
}

REVURB_HOOK(on_message) {
  revurb_str fields = revurb_json_raw(revurb_config(S("events")), revurb_event_name(e)), field, rule;
  if (!revurb_has(fields)) return revurb_continue(); /* nothing is said of this event */
  revurb_str data = revurb_data(e), none;
  revurb_u32 last;
  if (!revurb_find_(data, S(""), &none, &last)) return revurb_deny(S("data must be a JSON object"));
  for (revurb_u32 i = 0; revurb_json_next(fields, &i, &field, &rule);) {
    revurb_str value = revurb_json_raw(data, field);
    if (!revurb_has(value)) {
      if (revurb_equal(revurb_json_raw(rule, S("required")), S("true"))) return deny(field, S(" is missing"));
      continue;
    }
    revurb_str type = revurb_json_string(rule, S("type"));
    if (!is(value, type)) {
      revurb_buf b = {0};
      revurb_add(&b, S(" must be of the type "));
      revurb_add(&b, type);
      return deny(field, revurb_text(&b));
    }
    revurb_str max = revurb_json_raw(rule, S("max"));
    if (revurb_has(max) && value.ptr[0] == '"' && characters(revurb_json_decode(value)) > revurb_number(max))
      return deny(field, S(" is too long"));
  }
  return revurb_continue();
}
