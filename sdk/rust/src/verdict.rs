//! What a hook returns.

use crate::Writer;

/// What a hook returns: a status, or where a response is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict(u64);

impl Verdict {
    #[doc(hidden)]
    pub fn bits(self) -> u64 {
        self.0
    }
}

/// No opinion.
pub const CONTINUE: Verdict = Verdict(0);
/// Yes, and no other plugin is asked.
pub const ALLOW: Verdict = Verdict(1);
/// No, without a message.
pub const DENY: Verdict = Verdict(2);
/// Nobody receives it, and the sender is not told.
pub const DROP: Verdict = Verdict(4);

const FIELDS: usize = 8;

// The response belongs to the guest until the next call: it is kept here.
static mut RESPONSE: Writer = Writer::new();

/// A verdict with fields.
pub struct Reply(Writer);

impl Reply {
    fn new(status: u64) -> Self {
        let mut w = Writer::new();
        // The memory of the last response, which nobody reads any more.
        unsafe { core::mem::swap(&mut w, &mut *core::ptr::addr_of_mut!(RESPONSE)) }
        w.clear().grow(8 + FIELDS * 8);
        Reply(w).put(0, &status.to_le_bytes())
    }
    fn put(mut self, i: usize, b: &[u8]) -> Self {
        let off = self.0.len();
        self.0.add(b);
        self.0.set(8 + i * 8, off as u32);
        self.0.set(12 + i * 8, b.len() as u32);
        self
    }
    /// A close code for on_connect, an error code for the others.
    pub fn code(self, c: u32) -> Self {
        self.put(1, &(c as u64).to_le_bytes())
    }
    pub fn message(self, s: impl AsRef<[u8]>) -> Self {
        self.put(2, s.as_ref())
    }
    pub fn event(self, s: impl AsRef<[u8]>) -> Self {
        self.put(4, s.as_ref())
    }
    pub fn data(self, s: impl AsRef<[u8]>) -> Self {
        self.put(5, s.as_ref())
    }
    pub fn user_id(self, s: impl AsRef<[u8]>) -> Self {
        self.put(6, s.as_ref())
    }
    pub fn user_info(self, s: impl AsRef<[u8]>) -> Self {
        self.put(7, s.as_ref())
    }
    /// What the hook returns.
    pub fn verdict(mut self) -> Verdict {
        let len = self.0.len();
        self.0.set(0, 1 | (FIELDS as u32) << 16);
        self.0.set(4, len as u32);
        let at = self.0.bytes().as_ptr() as u64;
        unsafe { core::mem::swap(&mut self.0, &mut *core::ptr::addr_of_mut!(RESPONSE)) }
        Verdict(at << 32 | len as u64)
    }
}

/// Go on with other fields: `replace().data("{}").verdict()`.
pub fn replace() -> Reply {
    Reply::new(3)
}
/// Yes, with fields.
pub fn allow() -> Reply {
    Reply::new(1)
}
/// No, and why.
pub fn deny(message: impl AsRef<[u8]>) -> Verdict {
    Reply::new(2).message(message).verdict()
}
/// No, and why, with a code of one's own.
pub fn deny_code(code: u32, message: impl AsRef<[u8]>) -> Verdict {
    Reply::new(2).code(code).message(message).verdict()
}
