//! How far the compression of one direction has come (RFC 4253 section 6.2).

/// ```text
///              ┌──────────── NEWKEYS, delayed and nobody logged on ──────────▶ Delayed ──log on──▶ On
///  any state ──┼──────────── NEWKEYS, compression ───────────────────────────────────────────────▶ On
///              └──────────── NEWKEYS, none ──────────────────────────────────────────────────────▶ Off
/// ```
///
/// A stream never outlives the keys: each NEWKEYS begins a new one, as RFC 4253 section 6.2 has it and OpenSSH does.
pub(crate) enum Stage<Stream> {
    /// None was agreed on.
    Off,
    /// It begins when the user is logged on (`zlib@openssh.com`).
    Delayed(fn() -> Stream),
    /// All payloads are compressed.
    On(Stream),
}

impl<Stream> Stage<Stream> {
    /// The state after NEWKEYS. `make` begins a stream, `None` for no compression.
    pub(crate) fn after_newkeys(make: Option<fn() -> Stream>, delayed: bool) -> Self {
        match make {
            None => Self::Off,
            Some(make) if delayed => Self::Delayed(make),
            Some(make) => Self::On(make()),
        }
    }

    /// The user is logged on.
    pub(crate) fn log_on(&mut self) {
        if let Self::Delayed(make) = self {
            *self = Self::On(make());
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }
}
