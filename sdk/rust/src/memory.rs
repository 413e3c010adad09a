//! Memory, without an allocator. Blocks are powers of two; what is given back is
//! kept for the next one of its size. A guest has one thread.

#[cfg(target_arch = "wasm32")]
mod block {
    use core::arch::wasm32::memory_grow;

    const MIN: u32 = 10; // the smallest block is 1 KiB
    static mut FREE: [usize; 32] = [0; 32];
    static mut NEXT: usize = 0; // what is left of the last pages
    static mut END: usize = 0;

    pub fn take(size: usize) -> (usize, usize) {
        let class = size.next_power_of_two().trailing_zeros().max(MIN) as usize;
        let size = 1usize << class;
        // One thread, and nobody else knows these.
        unsafe {
            if FREE[class] != 0 {
                let b = FREE[class];
                FREE[class] = *(b as *const usize);
                return (b, size);
            }
            if END - NEXT < size {
                let pages = (size + 65535) >> 16;
                let at = memory_grow(0, pages);
                if at == usize::MAX {
                    core::arch::wasm32::unreachable();
                }
                NEXT = at << 16;
                END = NEXT + (pages << 16);
            }
            let b = NEXT;
            NEXT += size;
            (b, size)
        }
    }

    pub fn give(at: usize, size: usize) {
        let class = size.trailing_zeros() as usize;
        unsafe {
            *(at as *mut usize) = FREE[class];
            FREE[class] = at;
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod block {
    pub fn take(size: usize) -> (usize, usize) {
        let size = size.next_power_of_two().max(1024);
        (std::boxed::Box::leak(std::vec![0u8; size].into_boxed_slice()).as_mut_ptr() as usize, size)
    }

    pub fn give(at: usize, size: usize) {
        // It was a box of this size.
        unsafe { drop(std::boxed::Box::from_raw(core::ptr::slice_from_raw_parts_mut(at as *mut u8, size))) }
    }
}

/// The buffer of `revurb_buffer`: at least so many bytes, valid until the next call.
pub fn request_buffer(size: usize) -> usize {
    static mut BUFFER: (usize, usize) = (0, 0);
    unsafe {
        if BUFFER.1 < size {
            if BUFFER.1 > 0 {
                block::give(BUFFER.0, BUFFER.1);
            }
            BUFFER = block::take(size);
        }
        BUFFER.0
    }
}

/// Bytes that grow.
pub struct Writer {
    at: usize,
    cap: usize,
    len: usize,
}

impl Writer {
    pub const fn new() -> Self {
        Writer { at: 0, cap: 0, len: 0 }
    }
    pub fn clear(&mut self) -> &mut Self {
        self.len = 0;
        self
    }
    pub fn bytes(&self) -> &[u8] {
        if self.len == 0 {
            return b"";
        }
        // They were written.
        unsafe { core::slice::from_raw_parts(self.at as *const u8, self.len) }
    }
    /// Room for n more bytes.
    pub fn grow(&mut self, n: usize) -> &mut [u8] {
        if self.len + n > self.cap {
            let (at, cap) = block::take(self.len + n);
            unsafe {
                if self.cap > 0 {
                    core::ptr::copy_nonoverlapping(self.at as *const u8, at as *mut u8, self.len);
                    block::give(self.at, self.cap);
                }
            }
            self.at = at;
            self.cap = cap;
        }
        if n == 0 {
            return &mut [];
        }
        let from = self.at + self.len;
        self.len += n;
        unsafe {
            core::ptr::write_bytes(from as *mut u8, 0, n);
            core::slice::from_raw_parts_mut(from as *mut u8, n)
        }
    }
    pub fn add(&mut self, b: impl AsRef<[u8]>) -> &mut Self {
        let b = b.as_ref();
        self.grow(b.len()).copy_from_slice(b);
        self
    }
    pub fn byte(&mut self, b: u8) -> &mut Self {
        self.add([b])
    }
    /// An integer in decimal.
    pub fn int(&mut self, v: i64) -> &mut Self {
        let mut digits = [0u8; 20];
        let mut i = digits.len();
        let mut u = v.unsigned_abs();
        loop {
            i -= 1;
            digits[i] = b'0' + (u % 10) as u8;
            u /= 10;
            if u == 0 {
                break;
            }
        }
        if v < 0 {
            self.byte(b'-');
        }
        self.add(&digits[i..])
    }
    pub(crate) fn set(&mut self, at: usize, v: u32) {
        let b = unsafe { core::slice::from_raw_parts_mut(self.at as *mut u8, self.len) };
        b[at..at + 4].copy_from_slice(&v.to_le_bytes());
    }
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.cap > 0 {
            block::give(self.at, self.cap);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows() {
        let mut w = Writer::new();
        for i in 0..3000 {
            w.byte(i as u8);
        }
        assert!(w.bytes().iter().enumerate().all(|(i, b)| *b == i as u8) && w.len() == 3000);
        assert_eq!(w.clear().int(-120).bytes(), b"-120");
        assert_eq!(w.clear().int(i64::MIN).bytes(), b"-9223372036854775808");
    }
}
