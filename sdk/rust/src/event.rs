//! The frames that the server writes.

/// The fields of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    App,
    Channel,
    SocketId,
    UserId,
    Event,
    Data,
    Auth,
    Flags,
}

impl Field {
    pub const ALL: [Field; 8] = [
        Field::App, Field::Channel, Field::SocketId, Field::UserId,
        Field::Event, Field::Data, Field::Auth, Field::Flags,
    ];
}

fn word(frame: &[u8], at: usize) -> usize {
    match frame.get(at..at + 4) {
        Some(b) => u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize,
        None => 0,
    }
}

/// Field i of a frame; None if it is absent, which is not the same as empty.
pub(crate) fn field(frame: &[u8], i: usize) -> Option<&[u8]> {
    if i >= word(frame, 0) >> 16 {
        return None;
    }
    match word(frame, 8 + i * 8) {
        0 => None,
        off => frame.get(off..off + word(frame, 12 + i * 8)),
    }
}

/// What happened. It lies in the server's frame.
pub struct Event<'a>(&'a [u8]);

impl<'a> Event<'a> {
    pub fn new(frame: &'a [u8]) -> Self {
        Event(frame)
    }
    /// A field as it is; None if it is absent.
    #[inline]
    pub fn field(&self, f: Field) -> Option<&'a [u8]> {
        field(self.0, f as usize)
    }
    fn or_empty(&self, f: Field) -> &'a [u8] {
        self.field(f).unwrap_or(b"")
    }
    pub fn app(&self) -> &'a [u8] {
        self.or_empty(Field::App)
    }
    pub fn channel(&self) -> &'a [u8] {
        self.or_empty(Field::Channel)
    }
    pub fn socket_id(&self) -> &'a [u8] {
        self.or_empty(Field::SocketId)
    }
    pub fn user_id(&self) -> &'a [u8] {
        self.or_empty(Field::UserId)
    }
    pub fn event(&self) -> &'a [u8] {
        self.or_empty(Field::Event)
    }
    pub fn data(&self) -> &'a [u8] {
        self.or_empty(Field::Data)
    }
    pub fn auth(&self) -> &'a [u8] {
        self.or_empty(Field::Auth)
    }
    pub fn flags(&self) -> u64 {
        match self.or_empty(Field::Flags).try_into() {
            Ok(b) => u64::from_le_bytes(b),
            Err(_) => 0,
        }
    }
    /// It came over the HTTP API.
    pub fn from_api(&self) -> bool {
        self.flags() & 1 != 0
    }
    /// It is one of several in a request.
    pub fn in_batch(&self) -> bool {
        self.flags() & 2 != 0
    }
    /// The channel is a cache channel.
    pub fn cache_event(&self) -> bool {
        self.flags() & 4 != 0
    }
    /// The signature is not checked: the plugin's yes is the authorization.
    pub fn unsigned(&self) -> bool {
        self.flags() & 8 != 0
    }
    /// The member was added, or the channel is occupied.
    pub fn came(&self) -> bool {
        self.flags() & 16 != 0
    }
}

/// What `configure` is called with.
pub struct Config<'a>(&'a [u8]);

impl<'a> Config<'a> {
    pub fn new(frame: &'a [u8]) -> Self {
        Config(frame)
    }
    /// The plugin's config, a JSON object.
    pub fn json(&self) -> &'a [u8] {
        field(self.0, 0).unwrap_or(b"")
    }
    /// The IDs of its apps, a JSON array.
    pub fn apps(&self) -> &'a [u8] {
        field(self.0, 1).unwrap_or(b"")
    }
    /// The server's version.
    pub fn host(&self) -> &'a [u8] {
        field(self.0, 2).unwrap_or(b"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_not_empty() {
        let mut f = std::vec![1, 0, 2, 0, 24, 0, 0, 0];
        f.extend([0u8; 8]);
        f.extend([24, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Event::new(&f).field(Field::App), None);
        assert_eq!(Event::new(&f).field(Field::Channel), Some(&b""[..]));
        assert_eq!(Event::new(&f).field(Field::SocketId), None);
    }
}
