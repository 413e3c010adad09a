//! JSON as it lies in the event, without a tree: values are found where they
//! are, and a document is changed by copying what is around them.

use crate::Writer;

fn skip(b: &[u8], mut p: usize) -> usize {
    while p < b.len() && matches!(b[p], b' ' | b'\n' | b'\r' | b'\t') {
        p += 1;
    }
    p
}

fn at(b: &[u8], p: usize) -> u8 {
    b.get(p).copied().unwrap_or(0)
}

fn string_end(b: &[u8], mut p: usize) -> Option<usize> {
    p += 1;
    while p < b.len() {
        match b[p] {
            b'"' => return Some(p + 1),
            b'\\' => p += 2,
            _ => p += 1,
        }
    }
    None
}

// Where the value begins whose key starts at p, and where the key ends.
fn colon(b: &[u8], p: usize) -> Option<(usize, usize)> {
    if at(b, p) != b'"' {
        return None;
    }
    let end = string_end(b, p)?;
    let p = skip(b, end);
    if at(b, p) != b':' {
        return None;
    }
    Some((skip(b, p + 1), end))
}

// The end of the value at p. Deeper than 500 is broken: it is an attack on the
// stack.
fn value_end(b: &[u8], mut p: usize, depth: usize) -> Option<usize> {
    let c = *b.get(p)?;
    if depth > 500 {
        return None;
    }
    if c == b'"' {
        return string_end(b, p);
    }
    if c == b'{' || c == b'[' {
        let closing = c + 2;
        p = skip(b, p + 1);
        if at(b, p) == closing {
            return Some(p + 1);
        }
        loop {
            if c == b'{' {
                p = colon(b, p)?.0;
            }
            p = skip(b, value_end(b, p, depth + 1)?);
            let d = at(b, p);
            if d == closing {
                return Some(p + 1);
            }
            if d != b',' {
                return None;
            }
            p = skip(b, p + 1);
        }
    }
    let start = p;
    while p < b.len() && !matches!(b[p], b' ' | b'\n' | b'\r' | b'\t' | b',' | b':' | b'"' | b'{' | b'}' | b'[' | b']') {
        p += 1;
    }
    (p > start).then_some(p)
}

fn hex4(b: &[u8]) -> u32 {
    b.iter().fold(0, |v, h| v << 4 | (*h as char).to_digit(16).unwrap_or(0))
}

// The characters of the inside of a JSON string, as UTF-8, to each; it stops
// where each returns false. Half a surrogate pair is U+FFFD.
fn decode(b: &[u8], mut each: impl FnMut(&[u8]) -> bool) -> bool {
    let mut p = 0;
    while p < b.len() {
        let run = b[p..].iter().position(|c| *c == b'\\').unwrap_or(b.len() - p);
        if run > 0 {
            if !each(&b[p..p + run]) {
                return false;
            }
            p += run;
            continue;
        }
        let simple = match at(b, p + 1) {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            c => c,
        };
        if simple != b'u' {
            p += 2;
            if !each(&[simple]) {
                return false;
            }
            continue;
        }
        let mut c = hex4(b.get(p + 2..p + 6).unwrap_or(b""));
        p += 6;
        if c & 0xfc00 == 0xd800 && at(b, p) == b'\\' && at(b, p + 1) == b'u' {
            let low = hex4(b.get(p + 2..p + 6).unwrap_or(b""));
            if low & 0xfc00 == 0xdc00 {
                c = 0x10000 + ((c & 0x3ff) << 10 | low & 0x3ff);
                p += 6;
            }
        }
        let ch = char::from_u32(c).unwrap_or('\u{fffd}');
        if !each(ch.encode_utf8(&mut [0; 4]).as_bytes()) {
            return false;
        }
    }
    true
}

fn same(inside: &[u8], key: &[u8]) -> bool {
    if !inside.contains(&b'\\') {
        return inside == key;
    }
    let mut rest = key;
    let all = decode(inside, |part| match rest.strip_prefix(part) {
        Some(r) => {
            rest = r;
            true
        }
        None => false,
    });
    all && rest.is_empty()
}

struct Scan {
    value: Option<(usize, usize)>,
    close: usize, // the object's closing brace
    members: usize,
}

fn scan(b: &[u8], key: &[u8]) -> Option<Scan> {
    let mut s = Scan { value: None, close: 0, members: 0 };
    let mut p = skip(b, 0);
    if at(b, p) != b'{' {
        return None;
    }
    p = skip(b, p + 1);
    if at(b, p) != b'}' {
        loop {
            let (start, key_end) = colon(b, p)?;
            let end = value_end(b, start, 0)?;
            if same(&b[p + 1..key_end - 1], key) {
                s.value = Some((start, end));
            }
            s.members += 1;
            p = skip(b, end);
            if at(b, p) != b',' {
                break;
            }
            p = skip(b, p + 1);
        }
        if at(b, p) != b'}' {
            return None;
        }
    }
    s.close = p;
    (skip(b, p + 1) == b.len()).then_some(s)
}

/// The value of a key of an object, as JSON. Of a key that is there twice the
/// last counts, as it does for those who will read it.
pub fn find<'a>(doc: &'a [u8], key: impl AsRef<[u8]>) -> Option<&'a [u8]> {
    let (start, end) = scan(doc, key.as_ref())?.value?;
    Some(&doc[start..end])
}

/// The inside of a JSON string as it is written: `a` for `"a"`.
pub fn inside(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// The text of a JSON string, without escapes; None for any other value.
pub fn string<'w>(value: &[u8], w: &'w mut Writer) -> Option<&'w [u8]> {
    let inside = inside(value)?;
    w.clear();
    decode(inside, |part| {
        w.add(part);
        true
    });
    Some(w.bytes())
}

/// Writes s as a JSON string.
pub fn quote(w: &mut Writer, s: impl AsRef<[u8]>) {
    w.byte(b'"');
    for c in s.as_ref() {
        match c {
            b'"' | b'\\' => w.byte(b'\\').byte(*c),
            b'\n' => w.add("\\n"),
            0..=0x1f => {
                let hex = b"0123456789abcdef";
                w.add("\\u00").byte(hex[(c >> 4) as usize]).byte(hex[(c & 15) as usize])
            }
            _ => w.byte(*c),
        };
    }
    w.byte(b'"');
}

/// Writes doc with value, which is JSON, as the value of key: in place of the
/// value that is there, or at the end. False, and nothing is written, if doc is
/// no object.
pub fn set(w: &mut Writer, doc: &[u8], key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> bool {
    let Some(s) = scan(doc, key.as_ref()) else {
        return false;
    };
    if let Some((start, end)) = s.value {
        w.add(&doc[..start]).add(value).add(&doc[end..]);
        return true;
    }
    w.add(&doc[..s.close]);
    if s.members > 0 {
        w.byte(b',');
    }
    quote(w, key);
    w.byte(b':').add(value).add(&doc[s.close..]);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds() {
        for (doc, want) in [
            (r#"{"k":1}"#, Some("1")),
            (r#" { "a" : {"k":0}, "k" : [1,"]}"] } "#, Some(r#"[1,"]}"]"#)),
            (r#"{"\u006b":"x"}"#, Some(r#""x""#)),
            (r#"{"k":1,"k":2}"#, Some("2")),
            (r#"{"k":[1}"#, None),
            (r#"{"k":1"#, None),
            (r#"{"k":1}}"#, None),
            (r#"["k",1]"#, None),
        ] {
            assert_eq!(find(doc.as_bytes(), "k"), want.map(str::as_bytes), "{doc}");
        }
    }

    #[test]
    fn decodes() {
        let mut w = Writer::new();
        assert_eq!(string(br#""\u00e9\ud83d\ude00\ud83d-\n""#, &mut w), Some("é😀\u{fffd}-\n".as_bytes()));
        assert_eq!(string(b"12", &mut w), None);
    }

    #[test]
    fn sets() {
        for (doc, want) in [("{}", r#"{"k":0}"#), (r#"{"a":1}"#, r#"{"a":1,"k":0}"#), (r#"{"k":"x","b":2}"#, r#"{"k":0,"b":2}"#)] {
            let mut w = Writer::new();
            assert!(set(&mut w, doc.as_bytes(), "k", "0"));
            assert_eq!(w.bytes(), want.as_bytes());
        }
        assert!(!set(&mut Writer::new(), b"[]", "k", "0"));
    }
}
