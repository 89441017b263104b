//! The receive buffer: the socket is read into it, packets are decrypted in it, channel data is lent from it.

use std::ops::{Range, RangeInclusive};

use underpass_crypto::packet::{Opened, Opener, PacketError};
use underpass_crypto::{Compression, Decompress, InflateError};
use zeroize::Zeroize as _;

use super::stage::Stage;
use crate::limits::{MAX_BUFFER, MAX_PAYLOAD, MIN_BUFFER};

/// Less free space than this is not worth a read: make room first.
const MIN_READ: usize = 16 * 1024;

/// Message numbers of authentication (RFC 4250 section 4.1.2).
const AUTHENTICATION: RangeInclusive<u8> = 50..=79;

/// ```text
///  0        head                tail           capacity
///  | lent … | packets, unparsed | free ……………… |
/// ```
///
/// Below `head` stand payloads that channels have not consumed yet. They stay where they are until the room is
/// needed; only then are they copied out, so that a consumer that keeps up never costs a copy.
///
/// While the peer compresses, payloads are expanded into a second buffer and lent from there.
pub(crate) struct Receive {
    /// Always initialised to its full length, which is the capacity.
    buffer: Vec<u8>,
    head: usize,
    tail: usize,
    /// The size on the wire of the packet at `head`, once known.
    packet: Option<usize>,
    opener: Opener,
    sequence: u32,
    compression: Stage<Box<dyn Decompress>>,
    /// Payloads that were expanded, one behind the other.
    expanded: Vec<u8>,
    /// Since the last key exchange.
    pub(crate) bytes: u64,
    /// Since the last key exchange.
    pub(crate) packets: u64,
}

/// A packet just opened.
#[derive(Debug)]
pub(crate) struct Packet {
    /// Where its payload stands: in the buffer that was read into, once expanded in [`Receive::buffer`].
    pub(crate) payload: Range<usize>,
    pub(crate) sequence: u32,
}

impl Receive {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; MIN_BUFFER],
            head: 0,
            tail: 0,
            packet: None,
            opener: Opener::clear(),
            sequence: 0,
            compression: Stage::Off,
            expanded: Vec::new(),
            bytes: 0,
            packets: 0,
        }
    }

    /// The bytes that came and are not parsed yet.
    pub(crate) fn unparsed(&self) -> &[u8] {
        &self.buffer[self.head..self.tail]
    }

    /// Drops parsed bytes that are not packets.
    pub(crate) fn skip(&mut self, count: usize) {
        self.head += count;
    }

    /// The buffer that payload ranges refer to.
    pub(crate) fn buffer(&self) -> &[u8] {
        if self.is_expanding() { &self.expanded } else { &self.buffer }
    }

    /// Whether payloads stand in the second buffer, and nothing is lent from the one that the socket is read into.
    pub(crate) fn is_expanding(&self) -> bool {
        self.compression.is_on()
    }

    /// Whether there is too little room for a read unless lent payloads are copied out.
    pub(crate) fn is_crowded(&self) -> bool {
        self.buffer.len() - self.tail < self.wanted()
    }

    /// Reclaims the room below `head`. Nothing may be lent from there any more.
    pub(crate) fn compact(&mut self) {
        if self.head > 0 {
            self.buffer.copy_within(self.head..self.tail, 0);
            self.tail -= self.head;
            self.head = 0;
        }
        // A packet larger than the buffer: bounded by the opener before it gets here.
        if let Some(size) = self.packet.filter(|size| *size > self.buffer.len()) {
            self.buffer.resize(size.next_power_of_two(), 0);
        }
    }

    /// Room to read into.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        &mut self.buffer[self.tail..]
    }

    /// Says that `count` bytes were read into the room. A read that filled it shows that a larger one is of use.
    pub(crate) fn filled(&mut self, count: usize) {
        self.tail += count;
        debug_assert!(self.tail <= self.buffer.len());
        if self.tail == self.buffer.len() && self.buffer.len() < MAX_BUFFER {
            // Ranges that are lent stay valid: the content keeps its place.
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    /// Frees what a burst left behind. Nothing may be lent and nothing unparsed; otherwise nothing happens.
    pub(crate) fn shrink(&mut self) {
        if self.head == self.tail && self.buffer.len() > MIN_BUFFER {
            self.head = 0;
            self.tail = 0;
            self.buffer = vec![0; MIN_BUFFER];
        }
        self.expanded = Vec::new();
    }

    /// Opens the next packet, if all of it has come.
    pub(crate) fn next_packet(&mut self) -> Result<Option<Packet>, PacketError> {
        let Some(mut size) = self.packet_size()? else { return Ok(None) };
        loop {
            if self.tail - self.head < size {
                return Ok(None);
            }
            let packet = &mut self.buffer[self.head..self.head + size];
            match self.opener.open(self.sequence, packet)? {
                Opened::Payload(payload) => return Ok(Some(self.take(size, payload))),
                Opened::Withheld(until) => {
                    self.packet = Some(until);
                    size = until;
                }
            }
        }
    }

    /// The size on the wire of the next packet, if enough of it has come to tell.
    fn packet_size(&mut self) -> Result<Option<usize>, PacketError> {
        let head_len = self.opener.head_len();
        if self.packet.is_none() && self.tail - self.head >= head_len {
            let head = &mut self.buffer[self.head..self.head + head_len];
            self.packet = Some(self.opener.length(self.sequence, head)?);
        }
        Ok(self.packet)
    }

    /// Goes past a packet that was opened.
    fn take(&mut self, size: usize, payload: Range<usize>) -> Packet {
        let (start, sequence) = (self.head, self.sequence);
        self.sequence = self.sequence.wrapping_add(1);
        self.packet = None;
        self.head += size;
        self.bytes += size as u64;
        self.packets += 1;
        Packet { payload: start + payload.start..start + payload.end, sequence }
    }

    /// Expands the payload of a packet just opened, if the peer compresses.
    pub(crate) fn expand(&mut self, packet: Packet) -> Result<Packet, InflateError> {
        let Stage::On(stream) = &mut self.compression else { return Ok(packet) };
        let start = self.expanded.len();
        let packed = &mut self.buffer[packet.payload];
        stream.decompress(packed, &mut self.expanded, MAX_PAYLOAD)?;
        if is_secret(&self.expanded[start..]) {
            packed.zeroize();
        }
        Ok(Packet { payload: start..self.expanded.len(), ..packet })
    }

    /// Whether expanded payloads take so much room that they must be copied out before there are more.
    pub(crate) fn has_expanded_enough(&self) -> bool {
        self.expanded.len() >= MAX_BUFFER
    }

    /// Forgets the expanded payloads, of which nothing may be lent any more.
    pub(crate) fn forget_expanded(&mut self) {
        self.expanded.clear();
    }

    /// Wipes a payload that was dealt with, if it belongs to authentication: passwords come in those.
    pub(crate) fn wipe_secret(&mut self, payload: Range<usize>) {
        let buffer = if self.is_expanding() { &mut self.expanded } else { &mut self.buffer };
        let payload = &mut buffer[payload];
        if is_secret(payload) {
            payload.zeroize();
        }
    }

    /// Forgets parsed bytes when there is nothing else in the buffer and nothing lent.
    pub(crate) fn rewind(&mut self) {
        if self.head == self.tail {
            self.head = 0;
            self.tail = 0;
        }
        self.expanded.clear();
    }

    /// Takes new keys into use (RFC 4253 section 7.3), and with them a new stream if the peer compresses; strict key
    /// exchange restarts the sequence. Where compression begins or ends by this, nothing may be lent.
    pub(crate) fn rekey(
        &mut self,
        opener: Opener,
        restart_sequence: bool,
        compression: &Compression,
        logged_on: bool,
    ) {
        self.opener = opener;
        let make = compression.streams.map(|streams| streams.decompress);
        self.compression = Stage::after_newkeys(make, compression.delayed && !logged_on);
        self.bytes = 0;
        self.packets = 0;
        if restart_sequence {
            self.sequence = 0;
        }
    }

    /// The user is logged on: compression that was to wait for this begins. Nothing is lent before.
    pub(crate) fn log_on(&mut self) {
        self.compression.log_on();
    }

    fn wanted(&self) -> usize {
        match self.packet {
            Some(size) => (self.head + size).saturating_sub(self.tail).max(MIN_READ),
            None => MIN_READ,
        }
    }
}

fn is_secret(payload: &[u8]) -> bool {
    payload.first().is_some_and(|number| AUTHENTICATION.contains(number))
}

#[cfg(test)]
mod tests {
    use underpass_crypto::algorithms::zlib::ZLIB;
    use underpass_crypto::packet::{HEADER_LEN, Sealer};

    use super::*;

    #[test]
    fn passwords_do_not_stay_in_the_buffer() {
        let mut receive = Receive::new();
        for (number, kept) in [(50, false), (61, false), (94, true)] {
            receive.space()[..4].copy_from_slice(&[number, b'p', b'w', b'd']);
            receive.wipe_secret(0..4);
            assert_eq!(receive.buffer()[..4] == [number, b'p', b'w', b'd'], kept, "message {number}");
        }
    }

    #[test]
    fn compressed_passwords_stay_in_neither_buffer() {
        struct Still;
        impl underpass_crypto::Entropy for Still {
            fn fill(&mut self, _: &mut [u8]) {}
        }
        let streams = ZLIB.streams.unwrap();
        let mut receive = Receive::new();
        receive.rekey(Opener::clear(), false, &ZLIB, false);
        let (mut stream, mut packed) = ((streams.compress)(), Vec::new());
        stream.compress(b"\x32the password", &mut packed);
        let mut sealer = Sealer::clear();
        let mut packet = vec![0; sealer.packet_len(packed.len())];
        packet[HEADER_LEN..HEADER_LEN + packed.len()].copy_from_slice(&packed);
        sealer.seal(0, &mut packet, packed.len(), &mut Still);
        receive.space()[..packet.len()].copy_from_slice(&packet);
        receive.filled(packet.len());

        let opened = receive.next_packet().unwrap().unwrap();
        let at = opened.payload.clone();
        assert_eq!(receive.buffer[at.clone()], packed);
        let payload = receive.expand(opened).unwrap().payload;
        assert_eq!(&receive.buffer()[payload.clone()], b"\x32the password");
        receive.wipe_secret(payload.clone());
        assert_eq!(receive.buffer()[payload], [0; 13]);
        assert!(receive.buffer[at].iter().all(|byte| *byte == 0));
    }
}
