/* What the benchmarks measure, in C: see ../go/main.go. */
#include "../../../c/revurb.h"

static revurb_str last_segment(revurb_str s) {
  for (revurb_u32 i = s.len; i-- > 0;)
    if (s.ptr[i] == '.') return revurb_slice(s, i + 1, s.len);
  return s;
}

static revurb_verdict same(revurb_event e, revurb_str doc, revurb_str key) {
  revurb_str user = revurb_json_string(doc, key);
  if (!revurb_has(user) || !revurb_equal(user, last_segment(revurb_channel(e)))) return revurb_deny(S("not yours"));
  return revurb_continue();
}

static revurb_str decode(revurb_str s) {
  revurb_u8 *o = revurb_alloc(s.len);
  revurb_u32 n = 0, bits = 0, have = 0;
  for (revurb_u32 i = 0; i < s.len; i++) {
    revurb_u8 c = s.ptr[i], v;
    if (c >= 'A' && c <= 'Z') v = c - 'A';
    else if (c >= 'a' && c <= 'z') v = c - 'a' + 26;
    else if (c >= '0' && c <= '9') v = c - '0' + 52;
    else if (c == '-') v = 62;
    else if (c == '_') v = 63;
    else return REVURB_NONE;
    bits = bits << 6 | v;
    if ((have += 6) >= 8) o[n++] = bits >> (have -= 8);
  }
  return (revurb_str){o, n};
}

REVURB_HOOK(on_subscribe) { return same(e, revurb_data(e), S("user_id")); }

REVURB_HOOK(on_message) {
  revurb_verdict v = revurb_replace();
  v.data = revurb_json_set(revurb_data(e), S("text"), S("\"[redacted]\""));
  if (!revurb_has(v.data)) return revurb_continue();
  v.data = revurb_json_set(v.data, S("server_ts"), S("1767225600"));
  return v;
}

REVURB_HOOK(authorize) {
  revurb_str token = revurb_auth(e), signature = last_segment(token), rest = token;
  revurb_u8 sum[32], differ = 0;
  if (signature.len + 1 >= token.len) return revurb_deny(S("no token"));
  revurb_str sent = decode(signature);
  revurb_hmac_secret(revurb_slice(token, 0, token.len - signature.len - 1), sum);
  if (sent.len != 32) return revurb_deny(S("wrong signature"));
  for (int i = 0; i < 32; i++) differ |= sum[i] ^ sent.ptr[i];
  if (differ) return revurb_deny(S("wrong signature"));
  revurb_cut(&rest, '.');
  return same(e, decode(revurb_cut(&rest, '.')), S("sub"));
}
