//! What the benchmarks measure: on_subscribe decides, on_message rewrites,
//! authorize verifies a JWT with the app's secret.
#![no_std]

use revurb::{deny, host, json, replace, Event, Verdict, Writer, CONTINUE};

revurb::plugin!();
revurb::hook!(on_subscribe, |e| mine(e, e.data(), "user_id"));

revurb::hook!(on_message, |e| {
    let (mut a, mut b) = (Writer::new(), Writer::new());
    if !json::set(&mut a, e.data(), "text", "\"[redacted]\"") {
        return CONTINUE;
    }
    json::set(&mut b, a.bytes(), "server_ts", "1767225600");
    replace().data(b.bytes()).verdict()
});

revurb::hook!(authorize, |e| {
    let Some((signed, signature)) = cut_last(e.auth()) else {
        return deny("no token");
    };
    let (mut a, mut b) = (Writer::new(), Writer::new());
    let (Ok(sum), true) = (host::hmac_app_secret(signed), decode(&mut a, signature)) else {
        return deny("wrong signature");
    };
    let sent = a.bytes();
    if sent.len() != 32 || sum.iter().zip(sent).fold(0, |d, (x, y)| d | (x ^ y)) != 0 {
        return deny("wrong signature");
    }
    match cut_last(signed) {
        Some((_, claims)) if decode(&mut b, claims) => mine(e, b.bytes(), "sub"),
        _ => deny("no token"),
    }
});

fn mine(e: &Event, doc: &[u8], key: &str) -> Verdict {
    let user = json::find(doc, key).and_then(json::inside);
    if user.is_some() && user == e.channel().rsplit(|c| *c == b'.').next() {
        CONTINUE
    } else {
        deny("not yours")
    }
}

fn cut_last(b: &[u8]) -> Option<(&[u8], &[u8])> {
    let i = b.iter().rposition(|c| *c == b'.')?;
    Some((&b[..i], &b[i + 1..]))
}

// base64url, without padding.
fn decode(w: &mut Writer, b: &[u8]) -> bool {
    let (mut bits, mut have) = (0u32, 0);
    for c in b {
        let v = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return false,
        };
        bits = bits << 6 | v as u32;
        have += 6;
        if have >= 8 {
            have -= 8;
            w.byte((bits >> have) as u8);
        }
    }
    true
}
