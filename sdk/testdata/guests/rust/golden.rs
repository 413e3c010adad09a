//! The golden guest, which testdata/README.md describes.
#![no_std]

use revurb::host::{self, Level};
use revurb::{allow, deny, deny_code, json, replace, Event, Field, Verdict, Writer, ALLOW, CONTINUE, DROP};

revurb::plugin!();

revurb::hook!(configure, |c| {
    let mut w = Writer::new();
    match json::find(c.json(), "fail").and_then(|v| json::string(v, &mut w)) {
        Some(why) => deny(why),
        None => CONTINUE,
    }
});

revurb::hook!(authorize, |e| match e.field(Field::Auth) {
    None => CONTINUE,
    Some(b"deny") => deny("denied"),
    Some(auth) => allow().user_id(auth).user_info(e.data()).verdict(),
});

revurb::hook!(on_message, on_message);

fn on_message(e: &Event) -> Verdict {
    let d = e.data();
    let mut w = Writer::new();
    match e.event() {
        b"describe" => describe(e),
        b"allow" => ALLOW,
        b"drop" => DROP,
        b"deny" => deny(d),
        b"deny-code" => {
            let (code, why) = cut(d, b' ');
            deny_code(code.iter().fold(0, |n, c| n * 10 + (c - b'0') as u32), why)
        }
        b"replace-data" => replace().data(d).verdict(),
        b"replace-event" => replace().event(d).verdict(),
        b"replace-all" => {
            let mut part = |a: &str, z: &str, r: revurb::Reply, put: fn(revurb::Reply, &[u8]) -> revurb::Reply| {
                put(r, w.clear().add(a).add(d).add(z).bytes())
            };
            let r = part("event ", "", replace(), |r, b| r.event(b));
            let r = part("data ", "", r, |r, b| r.data(b));
            let r = part("user ", "", r, |r, b| r.user_id(b));
            part("{\"info\":\"", "\"}", r, |r, b| r.user_info(b)).verdict()
        }
        b"len" => replace().data(w.int(d.len() as i64).bytes()).verdict(),
        b"now" => replace().data(w.int(host::now_ms()).bytes()).verdict(),
        b"random" => {
            let mut b = [0; 8];
            match host::random(&mut b) {
                Ok(()) => hex(&b),
                Err(_) => deny("random"),
            }
        }
        b"hmac-secret" => host::hmac_app_secret(d).map_or(deny("hmac"), |b| hex(&b)),
        b"hmac-key" => host::hmac(b"key", d).map_or(deny("hmac"), |b| hex(&b)),
        b"log" => {
            host::log(Level::Info, d);
            CONTINUE
        }
        b"publish" => {
            let (channel, rest) = cut(d, b' ');
            let (event, data) = cut(rest, b' ');
            host::publish(channel, event, data).map_or(deny("publish"), |_| CONTINUE)
        }
        b"kv-get" => found(host::kv_get(d, &mut w).ok()),
        b"config" => found(host::config(core::str::from_utf8(d).unwrap_or(""), &mut w).ok()),
        b"ctx" => {
            let fields = [host::Ctx::Origin, host::Ctx::RemoteIp, host::Ctx::Query, host::Ctx::UserInfo, host::Ctx::Subscribers];
            found(host::ctx(fields[(d[0] - b'0') as usize], &mut w).ok())
        }
        b"kv-set" => {
            let (key, value) = cut(d, b'=');
            host::kv_set(key, value, 60_000).map_or(deny("kv_set"), |_| CONTINUE)
        }
        b"kv-incr" => match host::kv_incr(d, 2, 60_000) {
            Ok(n) => replace().data(w.int(n).bytes()).verdict(),
            Err(_) => deny("kv_incr"),
        },
        b"kv-del" => host::kv_del(d).map_or(deny("kv_del"), |_| CONTINUE),
        b"panic" => panic!(),
        b"json-string" => found(path(d).and_then(|v| json::string(v, &mut w))),
        b"json-raw" => found(path(d)),
        b"json-set" => {
            let mut value = Writer::new();
            json::quote(&mut value, "v\"\n");
            let ok = json::set(&mut w, d, "k", value.bytes());
            found(ok.then_some(w.bytes()))
        }
        _ => CONTINUE,
    }
}

fn found(v: Option<&[u8]>) -> Verdict {
    match v {
        Some(b) => replace().data(b).verdict(),
        None => deny("not found"),
    }
}

fn cut(b: &[u8], sep: u8) -> (&[u8], &[u8]) {
    match b.iter().position(|c| *c == sep) {
        Some(i) => (&b[..i], &b[i + 1..]),
        None => (b, b""),
    }
}

fn path(d: &[u8]) -> Option<&[u8]> {
    let (keys, doc) = cut(d, b'\n');
    keys.split(|c| *c == b'.').try_fold(doc, |v, key| json::find(v, key))
}

fn hex(b: &[u8]) -> Verdict {
    let mut w = Writer::new();
    for c in b {
        w.byte(b"0123456789abcdef"[(c >> 4) as usize]).byte(b"0123456789abcdef"[(c & 15) as usize]);
    }
    replace().data(w.bytes()).verdict()
}

fn describe(e: &Event) -> Verdict {
    let mut w = Writer::new();
    for f in &Field::ALL[..7] {
        match e.field(*f) {
            Some(b) => w.byte(b'=').add(b),
            None => w.byte(b'-'),
        };
        w.byte(b'|');
    }
    replace().data(w.int(e.flags() as i64).bytes()).verdict()
}
