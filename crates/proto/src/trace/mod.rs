//! The packets in clear, for whoever looks for a fault.
//!
//! Off by default, and then a branch for each packet. Nothing is copied for a tracer: it is lent the payload where it
//! stands. What of it nobody may see is in [`secrets`], and is only to be had under a name that says so.

mod bytes;
mod secrets;

use std::fmt;
use std::sync::Arc;

use underpass_wire::{AuthMethod, Context, KexFamily, Number, Reader};

pub use self::bytes::PacketBytes;
use self::secrets::pieces;

/// Sees a connection's packets in clear: before they are compressed and sealed, and once they are opened and expanded.
///
/// It is called by the connection in the midst of its work, for each direction in the order of the wire. What a packet
/// brings about is told by events later.
pub trait Tracer: fmt::Debug + Send + Sync {
    /// Whether it wants to see anything now. Asked for each packet.
    fn is_on(&self) -> bool;

    /// A packet.
    fn packet(&self, packet: &TracedPacket<'_>);

    /// A line that comes before the packets (RFC 4253 section 4.2), with its end. One from the peer is as it came.
    fn line(&self, direction: PacketDirection, line: &[u8]);
}

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PacketDirection {
    /// To the peer.
    Sent,
    /// From the peer.
    Received,
}

/// A packet that passes.
#[derive(Clone, Copy)]
pub struct TracedPacket<'a> {
    direction: PacketDirection,
    sequence: u32,
    payload: &'a [u8],
    context: Context,
}

impl TracedPacket<'_> {
    /// Which way it goes.
    pub fn direction(&self) -> PacketDirection {
        self.direction
    }

    /// Its number in its direction (RFC 4253 section 6.4).
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// The number of its message; 0 for an empty payload, which no message has.
    pub fn number(&self) -> Number {
        number_of(self.payload)
    }

    /// The RFC's name of its message, such as `SSH_MSG_KEXINIT`; `None` for one that is not known, at least not now.
    pub fn name(&self) -> Option<&'static str> {
        self.number().name_in(self.context)
    }

    /// The channel that its message is about, as it says: the recipient's number for it, or the sender's in
    /// SSH_MSG_CHANNEL_OPEN (RFC 4254 section 5).
    pub fn channel(&self) -> Option<u32> {
        let mut reader = Reader::new(self.payload.get(1..)?);
        if self.number() == Number::CHANNEL_OPEN {
            reader.string().ok()?;
        } else if !(Number::CHANNEL_OPEN_CONFIRMATION..=Number::CHANNEL_FAILURE).contains(&self.number()) {
            return None;
        }
        reader.u32().ok()
    }

    /// How long its payload is, in bytes. Where there [are secrets](Self::has_secrets) in it, that tells of theirs.
    #[expect(clippy::len_without_is_empty, reason = "whether it is empty is of interest to nobody")]
    pub fn len(&self) -> usize {
        self.payload.len()
    }

    /// Whether there is anything in it that nobody may see.
    pub fn has_secrets(&self) -> bool {
        pieces(self.payload, self.context).any(|piece| piece.is_none())
    }

    /// The first bytes of its payload, at most so many. Secrets of the log on are masked; what channels carry is not.
    pub fn bytes(&self, most: usize) -> PacketBytes {
        PacketBytes::collect(pieces(self.payload, self.context), most)
    }

    /// The first bytes of its payload, at most so many: passwords, answers and whatever else there is.
    pub fn bytes_with_secrets(&self, most: usize) -> PacketBytes {
        PacketBytes::collect([Some(self.payload)].into_iter(), most)
    }
}

impl fmt::Debug for TracedPacket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { direction, sequence, .. } = self;
        write!(f, "{direction:?} packet {sequence}: {:?}", self.number())
    }
}

/// A connection's tracer, if it has one, and what it takes to name messages.
#[derive(Debug, Default)]
pub(crate) struct Trace(Option<Box<Followed>>);

#[derive(Debug)]
struct Followed {
    tracer: Arc<dyn Tracer>,
    /// What the numbers 30 to 49 and 60 to 79 mean: by the key exchange agreed on last, and the last log on request.
    context: Context,
}

impl Trace {
    pub(crate) fn new(tracer: Option<Arc<dyn Tracer>>) -> Self {
        Self(tracer.map(|tracer| Box::new(Followed { tracer, context: Context::default() })))
    }

    /// A packet is about to be sealed, or was opened.
    #[inline]
    pub(crate) fn packet(&mut self, direction: PacketDirection, sequence: u32, payload: &[u8]) {
        if let Some(followed) = &mut self.0 {
            followed.packet(direction, sequence, payload);
        }
    }

    /// Lines that come before the packets.
    pub(crate) fn lines(&mut self, direction: PacketDirection, bytes: &[u8]) {
        if let Some(followed) = self.0.as_ref().filter(|followed| followed.tracer.is_on()) {
            bytes
                .split_inclusive(|byte| *byte == b'\n')
                .for_each(|line| followed.tracer.line(direction, line));
        }
    }

    /// A key exchange is agreed on.
    pub(crate) fn agreed_on(&mut self, family: KexFamily) {
        if let Some(followed) = &mut self.0 {
            followed.context.kex = Some(family);
        }
    }
}

impl Followed {
    #[cold]
    fn packet(&mut self, direction: PacketDirection, sequence: u32, payload: &[u8]) {
        // Also while nobody looks, since somebody may begin to.
        if number_of(payload) == Number::USERAUTH_REQUEST {
            self.context.auth = method_of(payload);
        }
        if self.tracer.is_on() {
            self.tracer.packet(&TracedPacket { direction, sequence, payload, context: self.context });
        }
    }
}

fn number_of(payload: &[u8]) -> Number {
    Number(payload.first().copied().unwrap_or_default())
}

/// The method of a log on request; `None` for one that is not known.
fn method_of(payload: &[u8]) -> Option<AuthMethod> {
    let mut reader = Reader::new(payload.get(1..)?);
    let (_user, _service) = (reader.string().ok()?, reader.string().ok()?);
    AuthMethod::from_name(reader.text().ok()?)
}
