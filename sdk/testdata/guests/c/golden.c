/* The golden guest in C: see ../../README.md. */
#include "../../../c/revurb.h"

static revurb_verdict found(revurb_str s) {
  if (!revurb_has(s)) return revurb_deny(S("not found"));
  revurb_verdict v = revurb_replace();
  v.data = s;
  return v;
}

static revurb_verdict number(revurb_i64 n) {
  revurb_buf b = {0};
  revurb_add_int(&b, n);
  return found(revurb_text(&b));
}

static revurb_verdict hex(const revurb_u8 *p, revurb_u32 n) {
  revurb_buf b = {0};
  for (revurb_u32 i = 0; i < n; i++) {
    revurb_add_byte(&b, "0123456789abcdef"[p[i] >> 4]);
    revurb_add_byte(&b, "0123456789abcdef"[p[i] & 15]);
  }
  return found(revurb_text(&b));
}

static revurb_str join(revurb_str a, revurb_str d, revurb_str z) {
  revurb_buf b = {0};
  revurb_add(&b, a);
  revurb_add(&b, d);
  revurb_add(&b, z);
  return revurb_text(&b);
}

static revurb_verdict describe(revurb_event e) {
  revurb_buf b = {0};
  for (int i = 0; i < 7; i++) {
    revurb_str f = revurb_field(e, i);
    revurb_add(&b, revurb_has(f) ? S("=") : S("-"));
    revurb_add(&b, f);
    revurb_add_byte(&b, '|');
  }
  revurb_add_int(&b, revurb_flags(e));
  return found(revurb_text(&b));
}

static revurb_verdict scan(revurb_str d, int string) {
  revurb_str keys = revurb_cut(&d, '\n');
  while (keys.len && revurb_has(d)) {
    revurb_str key = revurb_cut(&keys, '.');
    d = string && !keys.len ? revurb_json_string(d, key) : revurb_json_raw(d, key);
  }
  return found(d);
}

REVURB_CONFIGURE {
  revurb_str why = revurb_json_string(config, S("fail"));
  return revurb_has(why) ? revurb_deny(why) : revurb_continue();
}

REVURB_HOOK(authorize) {
  revurb_str auth = revurb_auth(e);
  if (!revurb_has(auth)) return revurb_continue();
  if (revurb_equal(auth, S("deny"))) return revurb_deny(S("denied"));
  revurb_verdict v = revurb_allow();
  v.user_id = auth;
  v.user_info = revurb_data(e);
  return v;
}

#define IS(name) revurb_equal(op, S(name))
#define MINUTE 60000

REVURB_HOOK(on_message) {
  revurb_str op = revurb_event_name(e), d = revurb_data(e);
  revurb_verdict v = revurb_replace();
  revurb_u8 bytes[32];
  if (IS("describe")) return describe(e);
  if (IS("allow")) return revurb_allow();
  if (IS("drop")) return revurb_drop();
  if (IS("deny")) return revurb_deny(d);
  if (IS("deny-code")) {
    revurb_u32 code = revurb_number(revurb_cut(&d, ' '));
    return revurb_deny_code(code, d);
  }
  if (IS("replace-data")) return found(d);
  if (IS("replace-event")) {
    v.event = d;
    return v;
  }
  if (IS("replace-all")) {
    v.event = join(S("event "), d, S(""));
    v.data = join(S("data "), d, S(""));
    v.user_id = join(S("user "), d, S(""));
    v.user_info = join(S("{\"info\":\""), d, S("\"}"));
    return v;
  }
  if (IS("len")) return number(d.len);
  if (IS("now")) return number(revurb_now());
  if (IS("random")) {
    revurb_random(bytes, 8);
    return hex(bytes, 8);
  }
  if (IS("hmac-secret")) {
    revurb_hmac_secret(d, bytes);
    return hex(bytes, 32);
  }
  if (IS("hmac-key")) {
    revurb_hmac(S("key"), d, bytes);
    return hex(bytes, 32);
  }
  if (IS("log")) revurb_log(REVURB_INFO, d);
  if (IS("publish")) {
    revurb_str channel = revurb_cut(&d, ' '), event = revurb_cut(&d, ' ');
    revurb_publish(channel, event, d);
  }
  if (IS("kv-get")) return found(revurb_kv_get(d));
  if (IS("kv-set")) {
    revurb_str key = revurb_cut(&d, '=');
    revurb_kv_set(key, d, MINUTE);
  }
  if (IS("kv-incr")) {
    revurb_i64 sum;
    return revurb_kv_incr(d, 2, MINUTE, &sum) ? number(sum) : found(REVURB_NONE);
  }
  if (IS("kv-del")) revurb_kv_del(d);
  if (IS("config")) return found(revurb_config(d));
  if (IS("ctx")) return found(revurb_context(d.ptr[0] - '0'));
  if (IS("panic")) __builtin_trap();
  if (IS("json-string")) return scan(d, 1);
  if (IS("json-raw")) return scan(d, 0);
  if (IS("json-set")) return found(revurb_json_set(d, S("k"), S("\"v\\\"\\n\"")));
  return revurb_continue();
}
