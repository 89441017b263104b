//! What is told of single packets, and how much of them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use underpass_proto::{PacketDirection, TracedPacket, Tracer};

use crate::{Event, Observer, Settings};

/// How much observers are told of each packet, as [`Event::Packet`]. What is in it was, or is to be, encrypted on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum PacketTrace {
    /// Nothing.
    #[default]
    Off,
    /// Its message, channel, number and length. The length of one with secrets in it is not told, for it tells of theirs.
    Packets,
    /// Also its first 2,048 bytes. Passwords, answers to prompts and tokens of Kerberos are masked, as is all that a
    /// [login of the program's own](crate::CustomAuthentication) sends; what connections carry is not.
    Bytes,
    /// The same with nothing masked: passwords will be in whatever the events are written to.
    DangerouslyUnmasked,
}

/// Says how much is traced, and can say otherwise at any time: clones are the same switch, and what is set holds for the
/// packets that follow.
///
/// ```
/// use underpass::{PacketTrace, TraceSwitch, Tunnel};
///
/// let switch = TraceSwitch::default();
/// let builder = Tunnel::builder("me@bastion").packet_trace(switch.clone()).observer(|event| println!("{event}"));
/// // Later, while the tunnel is open:
/// switch.set(PacketTrace::Packets);
/// # drop(builder);
/// ```
#[derive(Debug, Clone, Default)]
pub struct TraceSwitch(Arc<AtomicU8>);

impl TraceSwitch {
    /// Sets what is told from now on.
    pub fn set(&self, trace: PacketTrace) {
        self.0.store(trace as u8, Ordering::Relaxed);
    }

    /// What is told now.
    pub fn get(&self) -> PacketTrace {
        let set = self.0.load(Ordering::Relaxed);
        let all = [PacketTrace::Packets, PacketTrace::Bytes, PacketTrace::DangerouslyUnmasked];
        all.into_iter().find(|trace| *trace as u8 == set).unwrap_or_default()
    }
}

impl From<PacketTrace> for TraceSwitch {
    fn from(trace: PacketTrace) -> Self {
        let switch = Self::default();
        switch.set(trace);
        switch
    }
}

/// Has an engine's packets become events, if anybody may want to see them.
pub(crate) fn tracer(settings: &Settings) -> Option<Arc<dyn Tracer>> {
    let (switch, observer) = (settings.packet_trace.clone()?, settings.observer.clone()?);
    Some(Arc::new(Telling { host: settings.host.clone(), switch, observer }))
}

struct Telling {
    host: String,
    switch: TraceSwitch,
    observer: Observer,
}

impl Tracer for Telling {
    fn is_on(&self) -> bool {
        self.switch.0.load(Ordering::Relaxed) != PacketTrace::Off as u8
    }

    fn packet(&self, packet: &TracedPacket<'_>) {
        let trace = self.switch.get();
        let is_masked = trace != PacketTrace::DangerouslyUnmasked && packet.has_secrets();
        let bytes = match trace {
            PacketTrace::Off | PacketTrace::Packets => None,
            PacketTrace::Bytes => Some(packet.bytes(MOST_BYTES)),
            PacketTrace::DangerouslyUnmasked => Some(packet.bytes_with_secrets(MOST_BYTES)),
        };
        (self.observer)(&Event::Packet {
            host: self.host.clone(),
            direction: packet.direction(),
            sequence: packet.sequence(),
            number: packet.number().0,
            message: packet.name(),
            channel: packet.channel(),
            length: (!is_masked).then(|| packet.len()),
            bytes,
        });
    }

    fn line(&self, direction: PacketDirection, line: &[u8]) {
        let text = format!("{} line: {}", verb(direction), String::from_utf8_lossy(line.trim_ascii_end()));
        (self.observer)(&Event::Detail { level: 3, text });
    }
}

impl fmt::Debug for Telling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling").field("host", &self.host).finish_non_exhaustive()
    }
}

/// As `ssh` puts it.
pub(crate) fn verb(direction: PacketDirection) -> &'static str {
    match direction {
        PacketDirection::Sent => "send",
        PacketDirection::Received => "receive",
    }
}

/// Of one payload. The messages of a login fit, lists of algorithms included; of what is carried it shows the beginning.
const MOST_BYTES: usize = 2048;
