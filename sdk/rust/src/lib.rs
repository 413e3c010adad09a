//! What a plugin needs of the contract with the server: the event, the verdict,
//! JSON in place and the functions of the server. It has no std, no allocator
//! and no other crate. A function that a plugin does not call is not imported,
//! and needs no capability.
//!
//! ```ignore
//! #![no_std]
//! revurb::plugin!();
//! revurb::hook!(on_message, |e| {
//!     if e.data().len() > 500 { revurb::deny("too long") } else { revurb::CONTINUE }
//! });
//! ```
#![no_std]

#[cfg(not(target_arch = "wasm32"))]
extern crate std;

mod event;
pub mod host;
pub mod json;
mod memory;
mod verdict;

pub use event::{Config, Event, Field};
pub use memory::Writer;
pub use verdict::{allow, deny, deny_code, replace, Reply, Verdict, ALLOW, CONTINUE, DENY, DROP};

#[doc(hidden)]
pub use memory::request_buffer;

/// What every plugin has: the marker of the contract, the buffer and a panic
/// handler, which traps. `plugin!(no_panic_handler)` leaves the last to the author.
#[macro_export]
macro_rules! plugin {
    () => {
        $crate::plugin!(no_panic_handler);
        #[cfg(target_arch = "wasm32")]
        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo) -> ! {
            core::arch::wasm32::unreachable()
        }
    };
    (no_panic_handler) => {
        #[no_mangle]
        pub extern "C" fn revurb_abi_1() {}
        #[no_mangle]
        pub extern "C" fn revurb_buffer(size: usize) -> usize {
            $crate::request_buffer(size)
        }
    };
}

/// Exports a hook, which subscribes to it: `hook!(on_message, |e| CONTINUE)`, or
/// the name of a function in place of the closure. `configure` has a [`Config`],
/// `tick` nothing, every other an [`Event`]. A notification returns `CONTINUE`.
#[macro_export]
macro_rules! hook {
    (tick, $f:expr) => {
        const _: () = {
            #[no_mangle]
            pub extern "C" fn revurb_tick() -> u64 {
                let f: fn() -> $crate::Verdict = $f;
                f().bits()
            }
        };
    };
    (configure, $f:expr) => {
        $crate::hook!(@export configure, $crate::Config, $f);
    };
    ($name:ident, $f:expr) => {
        $crate::hook!(@export $name, $crate::Event, $f);
    };
    (@export $name:ident, $arg:ty, $f:expr) => {
        const _: () = {
            #[export_name = concat!("revurb_", stringify!($name))]
            pub extern "C" fn hook(at: *const u8, len: usize) -> u64 {
                let f: fn(&$arg) -> $crate::Verdict = $f;
                // The server has written a frame of this length there.
                f(&<$arg>::new(unsafe { core::slice::from_raw_parts(at, len) })).bits()
            }
        };
    };
}
