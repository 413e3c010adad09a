//! rewrite: the text is redacted and a time appended.
#![no_std]

use revurb::{json, replace, Writer, CONTINUE};

revurb::plugin!();
revurb::hook!(on_message, |e| {
    let (mut a, mut b) = (Writer::new(), Writer::new());
    if !json::set(&mut a, e.data(), "text", "\"[redacted]\"") {
        return CONTINUE;
    }
    json::set(&mut b, a.bytes(), "server_ts", "1767225600");
    replace().data(b.bytes()).verdict()
});
