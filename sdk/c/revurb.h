/* revurb.h is for plugins of revurb in C. It needs no C library:
 *
 *   #include "revurb.h"
 *
 *   REVURB_HOOK(on_message) {
 *     if (revurb_data(e).len > 500)
 *       return revurb_deny(S("messages may have 500 bytes"));
 *     return revurb_continue();
 *   }
 *
 *   clang --target=wasm32 -nostdlib -mbulk-memory -O2 -Wl,--no-entry -o plugin.wasm plugin.c
 *
 * Include it in one file. REVURB_HOOK(NAME) defines the hook and subscribes to it;
 * its argument is e, a revurb_event. REVURB_CONFIGURE { ... } has config, a JSON
 * object, and returns revurb_continue() or revurb_deny(why), with which the plugin
 * is not loaded. REVURB_TICK { ... } is called every second.
 *
 * A host function is imported, and needs its capability, only if it is called.
 *
 * Memory from revurb_alloc, and what functions return that say so, is valid until
 * the hook returns. So are the bytes of an event.
 */
#ifndef REVURB_H
#define REVURB_H

typedef unsigned char revurb_u8;
typedef unsigned short revurb_u16;
typedef unsigned int revurb_u32;
typedef unsigned long long revurb_u64;
typedef long long revurb_i64;

/* ---- Strings: bytes with a length. ptr 0 is absent, which is not empty. */

typedef struct {
  const revurb_u8 *ptr;
  revurb_u32 len;
} revurb_str;

#define S(literal) ((revurb_str){(const revurb_u8 *)(literal), sizeof(literal) - 1})
#define REVURB_NONE ((revurb_str){0, 0})

static inline int revurb_has(revurb_str s) { return s.ptr != 0; }

/* What clang calls on its own. */
void *memcpy(void *to, const void *from, unsigned long n) { return __builtin_memcpy(to, from, n); }
void *memset(void *to, int c, unsigned long n) { return __builtin_memset(to, c, n); }

static inline int revurb_equal(revurb_str a, revurb_str b) {
  if (a.len != b.len) return 0;
  for (revurb_u32 i = 0; i < a.len; i++)
    if (a.ptr[i] != b.ptr[i]) return 0;
  return 1;
}

static inline revurb_str revurb_slice(revurb_str s, revurb_u32 from, revurb_u32 to) {
  return (revurb_str){s.ptr + from, to - from};
}

/* revurb_cut returns what is before the first c, and leaves in *s what is after it,
 * or nothing. */
static inline revurb_str revurb_cut(revurb_str *s, char c) {
  revurb_str all = *s;
  for (revurb_u32 i = 0; i < all.len; i++)
    if (all.ptr[i] == (revurb_u8)c) {
      *s = revurb_slice(all, i + 1, all.len);
      return revurb_slice(all, 0, i);
    }
  *s = revurb_slice(all, all.len, all.len);
  return all;
}

/* ---- Memory: a heap that is empty again at each call of a hook. */

extern revurb_u8 __heap_base;
static revurb_u8 *revurb_in_, *revurb_heap_, *revurb_top_;
static revurb_u32 revurb_in_size_;

static inline void *revurb_alloc(revurb_u32 n) {
  revurb_u32 at = ((revurb_u32)revurb_top_ + 7) & ~7u;
  revurb_u32 have = (revurb_u32)__builtin_wasm_memory_size(0) << 16;
  if (n > 0xffff0000u - at) __builtin_trap();
  if (at + n > have && __builtin_wasm_memory_grow(0, (at + n - have + 65535) >> 16) == (unsigned long)-1)
    __builtin_trap();
  revurb_top_ = (revurb_u8 *)(at + n);
  return (void *)at;
}

__attribute__((export_name("revurb_abi_1"))) void revurb_abi_1_(void) {}

__attribute__((export_name("revurb_buffer"))) revurb_u8 *revurb_buffer_(revurb_u32 n) {
  if (!revurb_top_) revurb_top_ = &__heap_base;
  if (!revurb_in_ || n > revurb_in_size_) {
    if (revurb_in_) revurb_top_ = revurb_in_; /* it is the only thing that is kept */
    revurb_in_ = revurb_alloc(n);
    revurb_in_size_ = n;
    revurb_heap_ = revurb_top_;
  }
  return revurb_in_;
}

static inline void revurb_enter_(void) { revurb_top_ = revurb_heap_; }

/* ---- Building bytes. */

typedef struct {
  revurb_u8 *ptr;
  revurb_u32 len, cap;
} revurb_buf;

static inline void revurb_add(revurb_buf *b, revurb_str s) {
  if (b->len + s.len > b->cap || !b->ptr) {
    revurb_u32 cap = (b->len + s.len) * 2 + 64;
    revurb_u8 *p = revurb_alloc(cap);
    if (b->len) __builtin_memcpy(p, b->ptr, b->len);
    b->ptr = p;
    b->cap = cap;
  }
  if (s.len) __builtin_memcpy(b->ptr + b->len, s.ptr, s.len);
  b->len += s.len;
}

static inline void revurb_add_byte(revurb_buf *b, revurb_u8 c) { revurb_add(b, (revurb_str){&c, 1}); }

static inline void revurb_add_int(revurb_buf *b, revurb_i64 n) {
  revurb_u8 d[20];
  revurb_u32 i = sizeof d;
  revurb_u64 u = n < 0 ? 0 - (revurb_u64)n : (revurb_u64)n;
  do d[--i] = '0' + u % 10;
  while (u /= 10);
  if (n < 0) d[--i] = '-';
  revurb_add(b, (revurb_str){d + i, sizeof d - i});
}

static inline revurb_str revurb_text(revurb_buf *b) {
  if (!b->ptr) revurb_add(b, S(""));
  return (revurb_str){b->ptr, b->len};
}

/* revurb_number reads a decimal integer, or returns -1 for what is none. */
static inline revurb_i64 revurb_number(revurb_str s) {
  revurb_i64 n = 0;
  if (!s.len || s.len > 18) return -1;
  for (revurb_u32 i = 0; i < s.len; i++) {
    if (s.ptr[i] < '0' || s.ptr[i] > '9') return -1;
    n = n * 10 + (s.ptr[i] - '0');
  }
  return n;
}

/* ---- Events. */

typedef struct {
  const revurb_u8 *frame;
} revurb_event;

static inline revurb_u32 revurb_u32_(const revurb_u8 *p) {
  revurb_u32 v;
  __builtin_memcpy(&v, p, 4);
  return v;
}

static inline revurb_str revurb_field(revurb_event e, revurb_u32 i) {
  revurb_u16 n;
  __builtin_memcpy(&n, e.frame + 2, 2);
  if (i >= n) return REVURB_NONE;
  revurb_u32 off = revurb_u32_(e.frame + 8 + 8 * i);
  if (!off) return REVURB_NONE;
  return (revurb_str){e.frame + off, revurb_u32_(e.frame + 12 + 8 * i)};
}

static inline revurb_str revurb_app(revurb_event e) { return revurb_field(e, 0); }
static inline revurb_str revurb_channel(revurb_event e) { return revurb_field(e, 1); }
static inline revurb_str revurb_socket_id(revurb_event e) { return revurb_field(e, 2); }
static inline revurb_str revurb_user_id(revurb_event e) { return revurb_field(e, 3); }
static inline revurb_str revurb_event_name(revurb_event e) { return revurb_field(e, 4); }
static inline revurb_str revurb_data(revurb_event e) { return revurb_field(e, 5); }
static inline revurb_str revurb_auth(revurb_event e) { return revurb_field(e, 6); }

enum {
  REVURB_FROM_API = 1,  /* a message came over the HTTP API, not from a client */
  REVURB_IN_BATCH = 2,  /* it is one of several in a request */
  REVURB_CACHE = 4,     /* the channel is a cache channel */
  REVURB_UNSIGNED = 8,  /* the signature is not checked: what the plugin allows is allowed */
  REVURB_CAME = 16      /* a member was added, a channel became occupied */
};

static inline revurb_u64 revurb_flags(revurb_event e) {
  revurb_str s = revurb_field(e, 7);
  revurb_u64 v = 0;
  if (s.len == 8) __builtin_memcpy(&v, s.ptr, 8);
  return v;
}

/* ---- Verdicts. */

typedef struct {
  revurb_u32 status, code;
  revurb_str message, event, data, user_id, user_info;
} revurb_verdict;

static inline revurb_verdict revurb_continue(void) { return (revurb_verdict){0}; }
static inline revurb_verdict revurb_allow(void) { return (revurb_verdict){.status = 1}; }
static inline revurb_verdict revurb_deny(revurb_str message) {
  return (revurb_verdict){.status = 2, .message = message};
}
static inline revurb_verdict revurb_deny_code(revurb_u32 code, revurb_str message) {
  return (revurb_verdict){.status = 2, .code = code, .message = message};
}
/* revurb_replace goes on with the fields that are then set on it: v.data = ... */
static inline revurb_verdict revurb_replace(void) { return (revurb_verdict){.status = 3}; }
static inline revurb_verdict revurb_drop(void) { return (revurb_verdict){.status = 4}; }

/* revurb_frame_ writes a frame of n fields. */
static revurb_str revurb_frame_(const revurb_str *f, revurb_u32 n) {
  revurb_u32 off = 8 + 8 * n, size = off;
  for (revurb_u32 i = 0; i < n; i++) size += f[i].len;
  revurb_u8 *p = revurb_alloc(size);
  revurb_u32 head[2] = {1 | n << 16, size};
  __builtin_memcpy(p, head, 8);
  for (revurb_u32 i = 0; i < n; i++) {
    revurb_u32 place[2] = {f[i].ptr ? off : 0, f[i].len};
    __builtin_memcpy(p + 8 + 8 * i, place, 8);
    if (f[i].len) __builtin_memcpy(p + off, f[i].ptr, f[i].len);
    off += f[i].len;
  }
  return (revurb_str){p, size};
}

static revurb_u64 revurb_result_(revurb_verdict v) {
  if (!v.code && !v.message.ptr && !v.event.ptr && !v.data.ptr && !v.user_id.ptr && !v.user_info.ptr)
    return v.status;
  revurb_u64 status = v.status, code = v.code;
  revurb_str f[8] = {{(revurb_u8 *)&status, 8}, {v.code ? (revurb_u8 *)&code : 0, v.code ? 8 : 0},
                     v.message, REVURB_NONE, v.event, v.data, v.user_id, v.user_info};
  revurb_str frame = revurb_frame_(f, 8);
  return (revurb_u64)(revurb_u32)frame.ptr << 32 | frame.len;
}

#define REVURB_HOOK(name)                                                              \
  static revurb_verdict revurb_do_##name(revurb_event e);                              \
  __attribute__((export_name("revurb_" #name))) revurb_u64 revurb_call_##name(         \
      const revurb_u8 *frame, revurb_u32 len) {                                        \
    (void)len;                                                                         \
    revurb_enter_();                                                                   \
    return revurb_result_(revurb_do_##name((revurb_event){frame}));                    \
  }                                                                                    \
  static revurb_verdict revurb_do_##name(revurb_event e)

#define REVURB_CONFIGURE                                                               \
  static revurb_verdict revurb_do_configure(revurb_str config);                        \
  __attribute__((export_name("revurb_configure"))) revurb_u64 revurb_call_configure(   \
      const revurb_u8 *frame, revurb_u32 len) {                                        \
    (void)len;                                                                         \
    revurb_enter_();                                                                   \
    return revurb_result_(revurb_do_configure(revurb_field((revurb_event){frame}, 0))); \
  }                                                                                    \
  static revurb_verdict revurb_do_configure(revurb_str config)

#define REVURB_TICK                                                                    \
  static void revurb_do_tick(void);                                                    \
  __attribute__((export_name("revurb_tick"))) revurb_u64 revurb_call_tick(void) {      \
    revurb_enter_();                                                                   \
    revurb_do_tick();                                                                  \
    return 0;                                                                          \
  }                                                                                    \
  static void revurb_do_tick(void)

/* ---- The server. */

#define REVURB_IMPORT_(name) __attribute__((import_module("revurb_v1"), import_name(#name)))
REVURB_IMPORT_(log) void revurb_log_(int, const revurb_u8 *, revurb_u32);
REVURB_IMPORT_(log_enabled) int revurb_log_enabled_(int);
REVURB_IMPORT_(config_get) int revurb_config_get_(const revurb_u8 *, revurb_u32, revurb_u8 *, revurb_u32);
REVURB_IMPORT_(ctx_get) int revurb_ctx_get_(int, revurb_u8 *, revurb_u32);
REVURB_IMPORT_(now_ms) revurb_i64 revurb_now_ms_(void);
REVURB_IMPORT_(random) int revurb_random_(revurb_u8 *, revurb_u32);
REVURB_IMPORT_(hmac_sha256) int revurb_hmac_(int, const revurb_u8 *, revurb_u32, const revurb_u8 *, revurb_u32, revurb_u8 *);
REVURB_IMPORT_(kv_get) int revurb_kv_get_(const revurb_u8 *, revurb_u32, revurb_u8 *, revurb_u32);
REVURB_IMPORT_(kv_set) int revurb_kv_set_(const revurb_u8 *, revurb_u32, const revurb_u8 *, revurb_u32, revurb_i64);
REVURB_IMPORT_(kv_incr) int revurb_kv_incr_(const revurb_u8 *, revurb_u32, revurb_i64, revurb_i64, revurb_i64 *);
REVURB_IMPORT_(kv_del) int revurb_kv_del_(const revurb_u8 *, revurb_u32);
REVURB_IMPORT_(publish) int revurb_publish_(const revurb_u8 *, revurb_u32);

enum { REVURB_DEBUG, REVURB_INFO, REVURB_WARN, REVURB_ERROR };
enum { REVURB_ORIGIN, REVURB_REMOTE_IP, REVURB_QUERY, REVURB_USER_INFO, REVURB_SUBSCRIBERS };

static inline void revurb_log(int level, revurb_str line) { revurb_log_(level, line.ptr, line.len); }
static inline int revurb_log_enabled(int level) { return revurb_log_enabled_(level); }

/* Values are valid until the hook returns; one that is not there has ptr 0. */
#define REVURB_GET_(call)                                  \
  revurb_u32 cap = 256;                                    \
  revurb_u8 *buf = revurb_alloc(cap);                      \
  int n = call;                                            \
  if (n > (int)cap) {                                      \
    cap = n;                                               \
    buf = revurb_alloc(cap);                               \
    n = call;                                              \
  }                                                        \
  if (n < 0 || n > (int)cap) return REVURB_NONE;           \
  return (revurb_str){buf, n};

static inline revurb_str revurb_config(revurb_str key) { REVURB_GET_(revurb_config_get_(key.ptr, key.len, buf, cap)) }
static inline revurb_str revurb_context(int field) { REVURB_GET_(revurb_ctx_get_(field, buf, cap)) }
static inline revurb_str revurb_kv_get(revurb_str key) { REVURB_GET_(revurb_kv_get_(key.ptr, key.len, buf, cap)) }

/* These return 0 if the server refuses. A ttl is in milliseconds. */
static inline int revurb_kv_set(revurb_str key, revurb_str value, revurb_i64 ttl) {
  return revurb_kv_set_(key.ptr, key.len, value.ptr, value.len, ttl) >= 0;
}
static inline int revurb_kv_incr(revurb_str key, revurb_i64 delta, revurb_i64 ttl, revurb_i64 *sum) {
  return revurb_kv_incr_(key.ptr, key.len, delta, ttl, sum) >= 0;
}
static inline void revurb_kv_del(revurb_str key) { revurb_kv_del_(key.ptr, key.len); }
static inline int revurb_hmac(revurb_str key, revurb_str msg, revurb_u8 sum[32]) {
  return revurb_hmac_(0, key.ptr, key.len, msg.ptr, msg.len, sum) >= 0;
}
/* With the secret of the event's app, which the plugin never sees. */
static inline int revurb_hmac_secret(revurb_str msg, revurb_u8 sum[32]) {
  return revurb_hmac_(1, 0, 0, msg.ptr, msg.len, sum) >= 0;
}
static inline revurb_i64 revurb_now(void) { return revurb_now_ms_(); }
static inline int revurb_random(revurb_u8 *p, revurb_u32 n) { return revurb_random_(p, n) >= 0; }
static inline int revurb_publish(revurb_str channel, revurb_str event, revurb_str data) {
  revurb_str f[6] = {REVURB_NONE, channel, REVURB_NONE, REVURB_NONE, event, data};
  revurb_str frame = revurb_frame_(f, 6);
  return revurb_publish_(frame.ptr, frame.len) >= 0;
}

/* ---- JSON: members of an object where they stand. Brackets, quotes, commas and
 * colons of the whole document are checked. Of equal keys the last counts. */

static inline revurb_u32 revurb_space_(revurb_str d, revurb_u32 i) {
  while (i < d.len && (d.ptr[i] == ' ' || d.ptr[i] == '\t' || d.ptr[i] == '\n' || d.ptr[i] == '\r')) i++;
  return i;
}

#define REVURB_BAD_ 0xffffffffu /* is what is at no place in a document */

static revurb_u32 revurb_quoted_(revurb_str d, revurb_u32 i) {
  if (i >= d.len || d.ptr[i] != '"') return REVURB_BAD_;
  for (i++; i < d.len; i++) {
    if (d.ptr[i] == '"') return i + 1;
    if (d.ptr[i] == '\\') i++;
  }
  return REVURB_BAD_;
}

static revurb_u32 revurb_skip_(revurb_str d, revurb_u32 i, int depth) {
  if (i >= d.len || depth > 200) return REVURB_BAD_;
  revurb_u8 open = d.ptr[i];
  if (open == '"') return revurb_quoted_(d, i);
  if (open != '{' && open != '[') {
    revurb_u32 start = i;
    for (; i < d.len; i++) {
      revurb_u8 c = d.ptr[i];
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '-' || c == '+' || c == '.')) break;
    }
    return i == start ? REVURB_BAD_ : i;
  }
  i = revurb_space_(d, i + 1);
  if (i < d.len && d.ptr[i] == open + 2) return i + 1;
  for (;;) {
    if (open == '{') {
      if ((i = revurb_quoted_(d, i)) == REVURB_BAD_) return i;
      i = revurb_space_(d, i);
      if (i >= d.len || d.ptr[i] != ':') return REVURB_BAD_;
      i = revurb_space_(d, i + 1);
    }
    if ((i = revurb_skip_(d, i, depth + 1)) == REVURB_BAD_) return i;
    i = revurb_space_(d, i);
    if (i >= d.len) return REVURB_BAD_;
    if (d.ptr[i] == open + 2) return i + 1;
    if (d.ptr[i] != ',') return REVURB_BAD_;
    i = revurb_space_(d, i + 1);
  }
}

static inline int revurb_unit_(const revurb_u8 *p, revurb_u32 n) {
  int v = 0;
  if (n < 6 || p[0] != '\\' || p[1] != 'u') return -1;
  for (int i = 2; i < 6; i++) {
    revurb_u8 c = p[i];
    if (c >= '0' && c <= '9') c -= '0';
    else if (c >= 'a' && c <= 'f') c -= 'a' - 10;
    else if (c >= 'A' && c <= 'F') c -= 'A' - 10;
    else return -1;
    v = v << 4 | c;
  }
  return v;
}

/* revurb_json_decode returns what a JSON string, with its quotation marks, says. */
static revurb_str revurb_json_decode(revurb_str q) {
  revurb_str s = revurb_slice(q, 1, q.len - 1);
  revurb_u32 i = 0, n = 0;
  while (i < s.len && s.ptr[i] != '\\') i++;
  if (i == s.len) return s;
  revurb_u8 *o = revurb_alloc(s.len);
  for (i = 0; i < s.len;) {
    if (s.ptr[i] != '\\') {
      o[n++] = s.ptr[i++];
      continue;
    }
    if (i + 1 >= s.len) return REVURB_NONE;
    switch (s.ptr[i + 1]) {
    case '"': case '\\': case '/': o[n++] = s.ptr[i + 1]; i += 2; continue;
    case 'n': o[n++] = '\n'; i += 2; continue;
    case 't': o[n++] = '\t'; i += 2; continue;
    case 'r': o[n++] = '\r'; i += 2; continue;
    case 'b': o[n++] = '\b'; i += 2; continue;
    case 'f': o[n++] = '\f'; i += 2; continue;
    }
    int r = revurb_unit_(s.ptr + i, s.len - i);
    if (r < 0) return REVURB_NONE;
    i += 6;
    if (r >= 0xd800 && r < 0xe000) {
      int low = r < 0xdc00 ? revurb_unit_(s.ptr + i, s.len - i) : -1;
      if (low >= 0xdc00 && low < 0xe000) {
        r = 0x10000 + ((r - 0xd800) << 10) + (low - 0xdc00);
        i += 6;
      } else r = 0xfffd;
    }
    if (r < 0x80) o[n++] = r;
    else {
      if (r < 0x800) o[n++] = 0xc0 | r >> 6;
      else {
        if (r < 0x10000) o[n++] = 0xe0 | r >> 12;
        else {
          o[n++] = 0xf0 | r >> 18;
          o[n++] = 0x80 | (r >> 12 & 63);
        }
        o[n++] = 0x80 | (r >> 6 & 63);
      }
      o[n++] = 0x80 | (r & 63);
    }
  }
  return (revurb_str){o, n};
}

static int revurb_key_(revurb_str quoted, revurb_str key) {
  if (quoted.len < key.len + 2) return 0;
  return revurb_equal(revurb_json_decode(quoted), key);
}

/* revurb_find_ returns 0 if d is no object; value is absent if it has no such member. */
static int revurb_find_(revurb_str d, revurb_str key, revurb_str *value, revurb_u32 *last) {
  *value = REVURB_NONE;
  revurb_u32 i = revurb_space_(d, 0);
  if (i >= d.len || d.ptr[i] != '{') return 0;
  i = revurb_space_(d, i + 1);
  if (i >= d.len || d.ptr[i] != '}')
    for (;;) {
      revurb_u32 k = i;
      if ((i = revurb_quoted_(d, i)) == REVURB_BAD_) return 0;
      int is = revurb_key_(revurb_slice(d, k, i), key);
      i = revurb_space_(d, i);
      if (i >= d.len || d.ptr[i] != ':') return 0;
      revurb_u32 v = revurb_space_(d, i + 1);
      if ((i = revurb_skip_(d, v, 0)) == REVURB_BAD_) return 0;
      if (is) *value = revurb_slice(d, v, i);
      i = revurb_space_(d, i);
      if (i >= d.len) return 0;
      if (d.ptr[i] == '}') break;
      if (d.ptr[i] != ',') return 0;
      i = revurb_space_(d, i + 1);
    }
  *last = i;
  return revurb_space_(d, i + 1) == d.len;
}

/* revurb_json_raw returns the value of a member as it stands. */
static inline revurb_str revurb_json_raw(revurb_str doc, revurb_str key) {
  revurb_str value;
  revurb_u32 last;
  return revurb_find_(doc, key, &value, &last) ? value : REVURB_NONE;
}

/* revurb_json_string returns the string of a member, decoded. */
static inline revurb_str revurb_json_string(revurb_str doc, revurb_str key) {
  revurb_str raw = revurb_json_raw(doc, key);
  if (!raw.len || raw.ptr[0] != '"') return REVURB_NONE;
  return revurb_json_decode(raw);
}

/* revurb_json_next goes through the members of an object, or the values of an array,
 * as revurb_json_raw returns it. *at is 0 at first. It returns 0 after the last. */
static inline int revurb_json_next(revurb_str doc, revurb_u32 *at, revurb_str *key, revurb_str *value) {
  revurb_u32 i = revurb_space_(doc, *at ? *at : 0);
  if (i >= doc.len || (*at ? doc.ptr[i] != ',' : doc.ptr[i] != '{' && doc.ptr[i] != '[')) return 0;
  int object = doc.len && doc.ptr[revurb_space_(doc, 0)] == '{';
  i = revurb_space_(doc, i + 1);
  *key = REVURB_NONE;
  if (object) {
    revurb_u32 k = i;
    if ((i = revurb_quoted_(doc, i)) == REVURB_BAD_) return 0;
    *key = revurb_json_decode(revurb_slice(doc, k, i));
    i = revurb_space_(doc, i);
    if (i >= doc.len || doc.ptr[i] != ':') return 0;
    i = revurb_space_(doc, i + 1);
  }
  revurb_u32 end = revurb_skip_(doc, i, 0);
  if (end == REVURB_BAD_) return 0;
  *value = revurb_slice(doc, i, end);
  *at = end;
  return 1;
}

/* revurb_add_json adds s as a JSON string. */
static inline void revurb_add_json(revurb_buf *b, revurb_str s) {
  static const char hex[] = "0123456789abcdef";
  revurb_add_byte(b, '"');
  for (revurb_u32 i = 0; i < s.len; i++) {
    revurb_u8 c = s.ptr[i];
    if (c == '"' || c == '\\') revurb_add_byte(b, '\\'), revurb_add_byte(b, c);
    else if (c == '\n') revurb_add(b, S("\\n"));
    else if (c < 0x20) revurb_add(b, S("\\u00")), revurb_add_byte(b, hex[c >> 4]), revurb_add_byte(b, hex[c & 15]);
    else revurb_add_byte(b, c);
  }
  revurb_add_byte(b, '"');
}

/* revurb_json_set returns doc with a member set to a value, which is JSON, or
 * nothing if doc is no object. */
static inline revurb_str revurb_json_set(revurb_str doc, revurb_str key, revurb_str json) {
  revurb_str value;
  revurb_u32 last;
  revurb_buf b = {0};
  if (!revurb_find_(doc, key, &value, &last)) return REVURB_NONE;
  if (value.ptr) {
    revurb_u32 at = value.ptr - doc.ptr;
    revurb_add(&b, revurb_slice(doc, 0, at));
    revurb_add(&b, json);
    revurb_add(&b, revurb_slice(doc, at + value.len, doc.len));
    return revurb_text(&b);
  }
  revurb_add(&b, revurb_slice(doc, 0, last));
  if (revurb_space_(doc, revurb_space_(doc, 0) + 1) != last) revurb_add_byte(&b, ',');
  revurb_add_json(&b, key);
  revurb_add_byte(&b, ':');
  revurb_add(&b, json);
  revurb_add(&b, revurb_slice(doc, last, doc.len));
  return revurb_text(&b);
}

#endif
