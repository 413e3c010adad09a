//! The functions of the server. Each needs the capability that its comment
//! names; those that a plugin does not call are not in its module.

#[cfg(target_arch = "wasm32")]
use crate::Writer;

#[cfg(target_arch = "wasm32")]
mod sys {
    #[link(wasm_import_module = "revurb_v1")]
    extern "C" {
        pub fn log(level: i32, p: *const u8, n: usize);
        pub fn log_enabled(level: i32) -> i32;
        pub fn config_get(k: *const u8, kn: usize, p: *mut u8, cap: usize) -> i32;
        pub fn ctx_get(field: i32, p: *mut u8, cap: usize) -> i32;
        pub fn now_ms() -> i64;
        pub fn random(p: *mut u8, n: usize) -> i32;
        pub fn hmac_sha256(r: i32, k: *const u8, kn: usize, m: *const u8, mn: usize, out: *mut u8) -> i32;
        pub fn kv_get(k: *const u8, kn: usize, p: *mut u8, cap: usize) -> i32;
        pub fn kv_set(k: *const u8, kn: usize, v: *const u8, vn: usize, ttl: i64) -> i32;
        pub fn kv_incr(k: *const u8, kn: usize, delta: i64, ttl: i64, out: *mut i64) -> i32;
        pub fn kv_del(k: *const u8, kn: usize) -> i32;
        pub fn publish(p: *const u8, n: usize) -> i32;
    }
}

/// Why a function of the server did nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    NotFound,
    Denied,
    Argument,
    Quota,
    Timeout,
    TooLarge,
}

#[derive(Clone, Copy)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// What an event came with.
#[derive(Clone, Copy)]
pub enum Ctx {
    Origin,
    RemoteIp,
    Query,
    UserInfo,
    Subscribers,
}

#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
fn check(r: i32) -> Result<usize, Error> {
    match r {
        0.. => Ok(r as usize),
        -1 => Err(Error::NotFound),
        -2 => Err(Error::Denied),
        -4 => Err(Error::Quota),
        -5 => Err(Error::Timeout),
        -6 => Err(Error::TooLarge),
        _ => Err(Error::Argument),
    }
}

#[cfg(target_arch = "wasm32")]
pub use calls::*;

#[cfg(target_arch = "wasm32")]
mod calls {
    use super::*;

    // Fills w with what get has, which says how much that is.
    fn fill(w: &mut Writer, get: impl Fn(*mut u8, usize) -> i32) -> Result<&[u8], Error> {
        let mut cap = 256;
        loop {
            let n = check(get(w.clear().grow(cap).as_mut_ptr(), cap))?;
            if n <= cap {
                return Ok(&w.bytes()[..n]);
            }
            cap = n;
        }
    }

    /// Logs a line (log).
    pub fn log(level: Level, line: impl AsRef<[u8]>) {
        let b = line.as_ref();
        unsafe { sys::log(level as i32, b.as_ptr(), b.len()) }
    }
    /// Whether such a line is logged (log).
    pub fn log_enabled(level: Level) -> bool {
        unsafe { sys::log_enabled(level as i32) == 1 }
    }
    /// A value of the plugin's config: a string as it is, else JSON (config).
    pub fn config<'w>(key: &str, w: &'w mut Writer) -> Result<&'w [u8], Error> {
        fill(w, |p, cap| unsafe { sys::config_get(key.as_ptr(), key.len(), p, cap) })
    }
    /// A value of what the event came with.
    pub fn ctx(field: Ctx, w: &mut Writer) -> Result<&[u8], Error> {
        fill(w, |p, cap| unsafe { sys::ctx_get(field as i32, p, cap) })
    }
    /// How many are subscribed to the channel on this node.
    pub fn subscribers() -> Result<u64, Error> {
        let mut b = [0u8; 8];
        check(unsafe { sys::ctx_get(Ctx::Subscribers as i32, b.as_mut_ptr(), 8) })?;
        Ok(u64::from_le_bytes(b))
    }
    /// The time in milliseconds since 1970 (clock).
    pub fn now_ms() -> i64 {
        unsafe { sys::now_ms() }
    }
    /// Fills b with random bytes (random).
    pub fn random(b: &mut [u8]) -> Result<(), Error> {
        check(unsafe { sys::random(b.as_mut_ptr(), b.len()) }).map(|_| ())
    }
    /// HMAC-SHA256 with the app's secret, which the plugin never sees (hmac).
    pub fn hmac_app_secret(msg: &[u8]) -> Result<[u8; 32], Error> {
        let mut out = [0u8; 32];
        check(unsafe { sys::hmac_sha256(1, core::ptr::null(), 0, msg.as_ptr(), msg.len(), out.as_mut_ptr()) })?;
        Ok(out)
    }
    /// HMAC-SHA256 with a key (hmac).
    pub fn hmac(key: &[u8], msg: &[u8]) -> Result<[u8; 32], Error> {
        let mut out = [0u8; 32];
        check(unsafe { sys::hmac_sha256(0, key.as_ptr(), key.len(), msg.as_ptr(), msg.len(), out.as_mut_ptr()) })?;
        Ok(out)
    }
    /// What is kept under the key (kv).
    pub fn kv_get<'w>(key: &[u8], w: &'w mut Writer) -> Result<&'w [u8], Error> {
        fill(w, |p, cap| unsafe { sys::kv_get(key.as_ptr(), key.len(), p, cap) })
    }
    /// Keeps a value for so many milliseconds (kv).
    pub fn kv_set(key: &[u8], value: &[u8], ttl: i64) -> Result<(), Error> {
        check(unsafe { sys::kv_set(key.as_ptr(), key.len(), value.as_ptr(), value.len(), ttl) }).map(|_| ())
    }
    /// Adds to an integer, whose time counts from the first, and returns the sum (kv).
    pub fn kv_incr(key: &[u8], delta: i64, ttl: i64) -> Result<i64, Error> {
        let mut sum = 0;
        check(unsafe { sys::kv_incr(key.as_ptr(), key.len(), delta, ttl, &mut sum) })?;
        Ok(sum)
    }
    /// Forgets a value (kv).
    pub fn kv_del(key: &[u8]) -> Result<(), Error> {
        check(unsafe { sys::kv_del(key.as_ptr(), key.len()) }).map(|_| ())
    }
    /// Publishes once the hook has returned (publish:PATTERN).
    pub fn publish(channel: &[u8], event: &[u8], data: &[u8]) -> Result<(), Error> {
        let mut w = Writer::new();
        w.grow(8 + 6 * 8);
        for (i, b) in [(1, channel), (4, event), (5, data)] {
            let off = w.len();
            w.add(b);
            w.set(8 + i * 8, off as u32);
            w.set(12 + i * 8, b.len() as u32);
        }
        let len = w.len();
        w.set(0, 1 | 6 << 16);
        w.set(4, len as u32);
        check(unsafe { sys::publish(w.bytes().as_ptr(), len) }).map(|_| ())
    }
}
