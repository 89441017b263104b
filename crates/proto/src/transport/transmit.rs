//! The transmit buffer: payload is read from local sockets into it, packets are encrypted in it and written from it.

use underpass_crypto::packet::{HEADER_LEN, Sealer};
use underpass_crypto::{Compress, Compression, Entropy, Secret};
use underpass_wire::{Encode, Number};
use zeroize::Zeroize as _;

use super::stage::Stage;
use crate::error::{Error, PeerMisbehaved};
use crate::limits::{
    MAX_BUFFER, MAX_PENDING_CHANNEL_CONTROL, MAX_PENDING_CONTROL, MAX_SENT_DATA, MIN_BUFFER,
};
use crate::trace::{PacketDirection, Trace};

/// Message number, recipient channel and length before the data of SSH_MSG_CHANNEL_DATA (RFC 4254 section 5.2).
const DATA_HEADER: usize = 9;

/// What a payload that waits for the gate costs beside its length, and what sealing will add to it.
const HELD_OVERHEAD: usize = 96;

/// Most control messages are shorter, so that one with a secret is not left behind by growth.
const USUAL_MESSAGE: usize = 1024;

pub(crate) struct Transmit {
    /// Always initialised to its full length, which is the capacity.
    buffer: Vec<u8>,
    /// What stands in `start..end` is sealed and waits to be written.
    start: usize,
    end: usize,
    sealer: Sealer,
    sequence: u32,
    /// Between our KEXINIT and our NEWKEYS only messages of the key exchange may be sent (RFC 4253 section 7.1).
    gated: bool,
    /// Payloads that wait for the gate. They can hold a password.
    held: Vec<Secret>,
    held_bytes: usize,
    scratch: Vec<u8>,
    compression: Stage<Box<dyn Compress>>,
    /// Whether the user is logged on, as far as has been sent (server) or has come (client).
    logged_on: bool,
    /// Where slots stand while payloads are compressed: their packets come out shorter or longer.
    staging: Vec<u8>,
    /// A payload as it is compressed.
    packed: Vec<u8>,
    slots: Geometry,
    /// Of both directions: what one says gives what the other says its meaning.
    pub(crate) trace: Trace,
    /// The most channels there have been since everything was written.
    channels: usize,
    /// Since the last key exchange.
    pub(crate) bytes: u64,
    /// Since the last key exchange.
    pub(crate) packets: u64,
}

/// Where the slots last handed out stand: `count` packets of `stride` bytes from `end` on, with `data` bytes each.
#[derive(Debug, Clone, Copy, Default)]
struct Geometry {
    count: usize,
    stride: usize,
    data: usize,
    tail: usize,
}

/// Places for channel data inside packets to be. Fill them in order, then commit the total.
pub struct Slots<'a> {
    rest: &'a mut [u8],
    geometry: Geometry,
}

impl<'a> Iterator for Slots<'a> {
    type Item = &'a mut [u8];

    fn next(&mut self) -> Option<&'a mut [u8]> {
        if self.geometry.count == 0 {
            return None;
        }
        self.geometry.count -= 1;
        let data = if self.geometry.count == 0 { self.geometry.tail } else { self.geometry.data };
        let rest = std::mem::take(&mut self.rest);
        let (packet, rest) = rest.split_at_mut(self.geometry.stride.min(rest.len()));
        self.rest = rest;
        Some(&mut packet[HEADER_LEN + DATA_HEADER..HEADER_LEN + DATA_HEADER + data])
    }
}

impl Slots<'_> {
    /// Bytes that all slots together can take.
    pub fn capacity(&self) -> usize {
        self.geometry.capacity()
    }
}

impl Geometry {
    fn capacity(self) -> usize {
        match self.count {
            0 => 0,
            count => (count - 1) * self.data + self.tail,
        }
    }
}

impl Transmit {
    pub(crate) fn new(trace: Trace) -> Self {
        Self {
            buffer: vec![0; MIN_BUFFER],
            start: 0,
            end: 0,
            sealer: Sealer::clear(),
            sequence: 0,
            gated: false,
            held: Vec::new(),
            held_bytes: 0,
            scratch: Vec::new(),
            compression: Stage::Off,
            logged_on: false,
            staging: Vec::new(),
            packed: Vec::new(),
            slots: Geometry::default(),
            trace,
            channels: 0,
            bytes: 0,
            packets: 0,
        }
    }

    /// Whether nothing can be sealed any more, since a library has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.sealer.has_failed()
    }

    /// What waits to be written.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Says that the first `count` bytes were written.
    pub(crate) fn written(&mut self, count: usize) {
        self.slots = Geometry::default();
        self.start += count;
        debug_assert!(self.start <= self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            if self.held.is_empty() {
                self.channels = 0;
            }
        }
    }

    /// Channels, each of which may have a few messages waiting.
    pub(crate) fn expect_channels(&mut self, count: usize) {
        self.channels = self.channels.max(count);
    }

    /// Whether channel data may be sent now, as far as key exchanges go.
    pub(crate) fn is_open(&self) -> bool {
        !self.gated
    }

    /// Queues bytes that are not a packet: the identification.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        let at = self.room(bytes.len());
        self.buffer[at..at + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
        self.trace.lines(PacketDirection::Sent, bytes);
    }

    /// Queues a message; one that the gate stops waits behind it.
    pub(crate) fn send(&mut self, message: &impl Encode, entropy: &mut dyn Entropy) -> Result<(), Error> {
        let mut payload = std::mem::take(&mut self.scratch);
        payload.clear();
        payload.reserve(USUAL_MESSAGE);
        message.encode(&mut payload);
        let result = self.send_payload(&payload, entropy);
        // It may have held a password.
        payload.zeroize();
        self.scratch = payload;
        result
    }

    /// Queues an encoded message.
    pub(crate) fn send_payload(&mut self, payload: &[u8], entropy: &mut dyn Entropy) -> Result<(), Error> {
        let waiting = self.end - self.start + self.held_bytes + payload.len();
        let bound = MAX_BUFFER + MAX_PENDING_CONTROL + self.channels * MAX_PENDING_CHANNEL_CONTROL;
        if waiting > bound {
            return Err(PeerMisbehaved::DoesNotRead.into());
        }
        self.slots = Geometry::default();
        if self.gated && !payload.first().is_some_and(|number| passes_gate(Number(*number))) {
            self.held_bytes += payload.len() + HELD_OVERHEAD;
            self.held.push(Secret::new(payload));
        } else {
            self.seal(payload, entropy);
        }
        Ok(())
    }

    /// Our KEXINIT is out.
    pub(crate) fn close_gate(&mut self) {
        self.gated = true;
    }

    /// Our NEWKEYS is out: takes new keys into use, with them a new stream if we compress, and sends what waited.
    pub(crate) fn rekey(
        &mut self,
        sealer: Sealer,
        restart_sequence: bool,
        compression: &Compression,
        entropy: &mut dyn Entropy,
    ) {
        self.sealer = sealer;
        let make = compression.streams.map(|streams| streams.compress);
        self.compression = Stage::after_newkeys(make, compression.delayed && !self.logged_on);
        self.bytes = 0;
        self.packets = 0;
        if restart_sequence {
            self.sequence = 0;
        }
        self.gated = false;
        self.held_bytes = 0;
        for payload in std::mem::take(&mut self.held) {
            self.seal(payload.expose(), entropy);
        }
    }

    /// The user is logged on: compression that was to wait for this begins, in both directions.
    pub(crate) fn log_on(&mut self) {
        self.logged_on = true;
        self.compression.log_on();
    }

    pub(crate) fn is_logged_on(&self) -> bool {
        self.logged_on
    }

    /// Hands out slots for at most `limit` bytes of data in packets of at most `max_packet` bytes of data each.
    pub(crate) fn slots(&mut self, limit: usize, max_packet: usize) -> Slots<'_> {
        self.slots = Geometry::default();
        let data = max_packet.min(MAX_SENT_DATA).min(limit);
        if self.gated || data == 0 {
            return Slots { rest: &mut [], geometry: self.slots };
        }
        let stride = self.sealer.packet_len(DATA_HEADER + data);
        self.compact(stride);
        let space = MAX_BUFFER.min(self.buffer.len()).saturating_sub(self.end);
        let count = (space / stride).min(limit.div_ceil(data));
        if count > 0 {
            let tail = (limit - (count - 1) * data).min(data);
            self.slots = Geometry { count, stride, data, tail };
        }
        let rest = if self.compression.is_on() {
            let size = count * stride;
            if self.staging.len() < size {
                self.staging.resize(size, 0);
            }
            &mut self.staging[..size]
        } else {
            &mut self.buffer[self.end..]
        };
        Slots { rest, geometry: self.slots }
    }

    /// Seals `count` bytes that were read into the slots last handed out, as data for `recipient`.
    pub(crate) fn commit(&mut self, recipient: u32, count: usize, entropy: &mut dyn Entropy) {
        let geometry = std::mem::take(&mut self.slots);
        assert!(count <= geometry.capacity(), "more data committed than the slots can hold");
        if self.compression.is_on() {
            return self.commit_staged(recipient, count, geometry, entropy);
        }
        let filled = count == geometry.capacity();
        let mut left = count;
        while left > 0 {
            let data = left.min(geometry.data);
            let payload = &mut self.buffer[self.end + HEADER_LEN..][..DATA_HEADER + data];
            put_data_header(payload, recipient, data);
            self.trace.packet(PacketDirection::Sent, self.sequence, payload);
            self.seal_in_place(DATA_HEADER + data, entropy);
            left -= data;
        }
        if filled
            && count > 0
            && self.buffer.len() < MAX_BUFFER
            && self.buffer.len() - self.end < geometry.stride
        {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    fn commit_staged(&mut self, recipient: u32, count: usize, geometry: Geometry, entropy: &mut dyn Entropy) {
        let mut staging = std::mem::take(&mut self.staging);
        let mut left = count;
        for packet in staging.chunks_mut(geometry.stride.max(1)) {
            if left == 0 {
                break;
            }
            let data = left.min(geometry.data);
            let payload = &mut packet[HEADER_LEN..HEADER_LEN + DATA_HEADER + data];
            put_data_header(payload, recipient, data);
            self.trace.packet(PacketDirection::Sent, self.sequence, payload);
            self.compress(payload, entropy);
            left -= data;
        }
        self.staging = staging;
    }

    /// Frees what a burst left behind.
    pub(crate) fn shrink(&mut self) {
        if self.start == self.end && self.buffer.len() > MIN_BUFFER {
            self.buffer = vec![0; MIN_BUFFER];
        }
        self.scratch = Vec::new();
        self.staging = Vec::new();
        self.packed = Vec::new();
    }

    fn seal(&mut self, payload: &[u8], entropy: &mut dyn Entropy) {
        self.trace.packet(PacketDirection::Sent, self.sequence, payload);
        if self.compression.is_on() {
            self.compress(payload, entropy);
            // It may have held a password.
            self.packed.zeroize();
        } else {
            self.seal_copy(payload, entropy);
        }
        if payload.first() == Some(&Number::USERAUTH_SUCCESS.0) {
            // OpenSSH's PROTOCOL section 1.2: a server's compression begins right behind it.
            self.log_on();
        }
    }

    fn compress(&mut self, payload: &[u8], entropy: &mut dyn Entropy) {
        let Stage::On(stream) = &mut self.compression else { return };
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        stream.compress(payload, &mut packed);
        self.seal_copy(&packed, entropy);
        self.packed = packed;
    }

    fn seal_copy(&mut self, payload: &[u8], entropy: &mut dyn Entropy) {
        let at = self.room(self.sealer.packet_len(payload.len()));
        self.buffer[at + HEADER_LEN..at + HEADER_LEN + payload.len()].copy_from_slice(payload);
        self.seal_in_place(payload.len(), entropy);
    }

    fn seal_in_place(&mut self, payload_len: usize, entropy: &mut dyn Entropy) {
        let size = self.sealer.packet_len(payload_len);
        let packet = &mut self.buffer[self.end..self.end + size];
        self.sealer.seal(self.sequence, packet, payload_len, entropy);
        self.sequence = self.sequence.wrapping_add(1);
        self.end += size;
        self.bytes += size as u64;
        self.packets += 1;
    }

    /// Makes room for `size` bytes at `end`, which it gives. Control messages always find room: the amount that
    /// may wait is bounded where they are queued.
    fn room(&mut self, size: usize) -> usize {
        if self.buffer.len() - self.end < size && self.end - self.start <= self.start {
            // As much was written as is moved, so moving costs no more than writing did.
            self.move_to_front();
        }
        if self.buffer.len() - self.end < size {
            let capacity = (self.end + size).next_power_of_two();
            self.buffer.resize(capacity, 0);
        }
        self.end
    }

    /// Moves what is pending to the front when that is cheap and there is no room for `size` bytes behind it.
    fn compact(&mut self, size: usize) {
        let pending = self.end - self.start;
        if self.start > 0 && self.buffer.len() - self.end < size && pending <= self.buffer.len() / 4 {
            self.move_to_front();
        }
    }

    fn move_to_front(&mut self) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
    }
}

/// Begins a payload of SSH_MSG_CHANNEL_DATA (RFC 4254 section 5.2).
fn put_data_header(payload: &mut [u8], recipient: u32, data: usize) {
    payload[0] = Number::CHANNEL_DATA.0;
    payload[1..5].copy_from_slice(&recipient.to_be_bytes());
    payload[5..9].copy_from_slice(&(data as u32).to_be_bytes());
}

/// RFC 4253 section 7.1: transport messages but for the service request and its answer, and the key exchange's own.
fn passes_gate(number: Number) -> bool {
    (1..=49).contains(&number.0) && number != Number::SERVICE_REQUEST && number != Number::SERVICE_ACCEPT
}
