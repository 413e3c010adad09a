//! decide: the user_id of the data is the channel's last segment.
#![no_std]

use revurb::{json, CONTINUE, DENY};

revurb::plugin!();
revurb::hook!(on_message, |e| {
    let user = json::find(e.data(), "user_id").and_then(json::inside);
    if user == e.channel().rsplit(|c| *c == b'.').next() { CONTINUE } else { DENY }
});
