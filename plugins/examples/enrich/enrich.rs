//! Enrich writes into every message what a client cannot be trusted with: when
//! it was sent, and by whom. Members of presence channels get the time they came.
#![no_std]

use revurb::{host, json, replace, Event, Verdict, Writer, CONTINUE};

revurb::plugin!();
revurb::hook!(on_message, on_message);
revurb::hook!(on_subscribe, on_subscribe);

fn on_message(e: &Event) -> Verdict {
    let (mut a, mut b, mut value) = (Writer::new(), Writer::new(), Writer::new());
    if !json::set(&mut a, e.data(), "server_ts", value.int(host::now_ms()).bytes()) {
        return CONTINUE; // no object
    }
    if e.from_api() {
        return replace().data(a.bytes()).verdict(); // the backend knows whose it is
    }
    value.clear();
    match e.user_id() {
        b"" => {
            value.add("null"); // a client's own claim must not stand
        }
        id => json::quote(&mut value, id),
    }
    json::set(&mut b, a.bytes(), "user_id", value.bytes());
    replace().data(b.bytes()).verdict()
}

fn on_subscribe(e: &Event) -> Verdict {
    if !e.channel().starts_with(b"presence-") {
        return CONTINUE;
    }
    let info = json::find(e.data(), "user_info").unwrap_or(b"{}");
    let (mut w, mut now) = (Writer::new(), Writer::new());
    if !json::set(&mut w, info, "joined_at", now.int(host::now_ms()).bytes()) {
        return CONTINUE; // it is no object
    }
    replace().user_info(w.bytes()).verdict()
}
