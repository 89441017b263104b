//! One direction of a transport under virtual time. What can go wrong is decided by a seed, so it can be replayed.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use underpass_crypto::Entropy as _;

use crate::entropy::SeededEntropy;

/// How a link carries bytes.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// From writing to reading.
    pub latency: Duration,
    /// At most this is added to the latency, piece by piece; bytes never overtake each other.
    pub jitter: Duration,
    /// Bytes are taken, carried and delivered in pieces of a random size up to this.
    pub piece: usize,
    /// Bytes that may be under way; a writer waits beyond it.
    pub capacity: usize,
}

impl Weather {
    /// Whole writes, at once.
    pub const CALM: Self =
        Self { latency: Duration::ZERO, jitter: Duration::ZERO, piece: usize::MAX, capacity: 4 << 20 };

    /// Small pieces of random size, unevenly late.
    pub const ROUGH: Self = Self {
        latency: Duration::from_millis(3),
        jitter: Duration::from_millis(9),
        piece: 3000,
        capacity: 64 << 10,
    };

    /// A long way with all the bandwidth one could want.
    pub const FAR: Self = Self {
        latency: Duration::from_millis(50),
        jitter: Duration::ZERO,
        piece: usize::MAX,
        capacity: usize::MAX,
    };
}

/// What happens to the stream at an offset, counted in bytes from its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The stream ends there.
    Cut(u64),
    /// Nothing more comes, and no end either.
    Blackhole(u64),
    /// The bit with this number is the other one.
    Flip(u64),
    /// These bytes are left out.
    Skip(Range<u64>),
}

/// Carries bytes one way.
#[derive(Debug)]
pub struct Link {
    random: SeededEntropy,
    weather: Weather,
    faults: Vec<Fault>,
    /// What is under way and when it arrives, in order.
    flight: VecDeque<Piece>,
    in_flight: usize,
    /// Bytes taken from the writer.
    taken: u64,
    /// Bytes given to the reader.
    given: u64,
    /// When the reader sees the end.
    end: Option<Instant>,
    latest: Option<Instant>,
}

#[derive(Debug)]
struct Piece {
    due: Instant,
    bytes: Vec<u8>,
    read: usize,
}

impl Link {
    /// A link of this weather; `seed` decides everything random.
    pub fn new(seed: u64, weather: Weather) -> Self {
        Self {
            random: SeededEntropy::new(seed),
            weather,
            faults: Vec::new(),
            flight: VecDeque::new(),
            in_flight: 0,
            taken: 0,
            given: 0,
            end: None,
            latest: None,
        }
    }

    /// Adds a fault; its offset should not have passed yet.
    pub fn fail(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Bytes taken from the writer so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes given to the reader so far.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// Bytes under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Takes bytes from the writer and says how many.
    pub fn write(&mut self, bytes: &[u8], now: Instant) -> usize {
        if self.end.is_some() {
            // As a socket does whose peer is gone: the bytes lead nowhere.
            return bytes.len();
        }
        let room = self.weather.capacity.saturating_sub(self.in_flight);
        let count = self.random_size(bytes.len().min(room));
        let start = self.taken;
        self.taken += count as u64;
        let mut carried = bytes[..count].to_vec();
        self.damage(start, &mut carried);
        if let Some(cut) = self.find(|fault| matches!(fault, Fault::Cut(at) if *at <= self.taken)) {
            let Fault::Cut(at) = cut else { unreachable!("only cuts were looked for") };
            carried.truncate(at.saturating_sub(start) as usize);
            self.push(carried, now);
            self.close(now);
            return bytes.len();
        }
        self.push(carried, now);
        count
    }

    /// The writer ends the stream.
    pub fn close(&mut self, now: Instant) {
        let lost = self.find(|fault| matches!(fault, Fault::Blackhole(at) if *at <= self.taken)).is_some();
        if self.end.is_none() && !lost {
            self.end = Some(self.arrival(now));
        }
    }

    /// Gives what has arrived to the reader and says how much.
    pub fn read(&mut self, space: &mut [u8], now: Instant) -> usize {
        let mut count = 0;
        while count < space.len() {
            let Some(piece) = self.flight.front_mut().filter(|piece| piece.due <= now) else { break };
            let rest = &piece.bytes[piece.read..];
            let size = rest.len().min(space.len() - count);
            space[count..count + size].copy_from_slice(&rest[..size]);
            count += size;
            piece.read += size;
            if piece.read == piece.bytes.len() {
                self.flight.pop_front();
            }
            // Pieces arrive together or apart.
            if self.random.below(2) == 0 {
                break;
            }
        }
        self.in_flight -= count;
        self.given += count as u64;
        count
    }

    /// Whether the reader has seen everything and the end.
    pub fn is_at_end(&self, now: Instant) -> bool {
        self.flight.is_empty() && self.end.is_some_and(|end| end <= now)
    }

    /// When the reader sees something next.
    pub fn next_arrival(&self) -> Option<Instant> {
        self.flight.front().map(|piece| piece.due).or(self.end)
    }

    fn push(&mut self, bytes: Vec<u8>, now: Instant) {
        if !bytes.is_empty() {
            self.in_flight += bytes.len();
            let due = self.arrival(now);
            self.flight.push_back(Piece { due, bytes, read: 0 });
        }
    }

    fn arrival(&mut self, now: Instant) -> Instant {
        let jitter = self.random.below(self.weather.jitter.as_micros() as u64 + 1);
        let due = now + self.weather.latency + Duration::from_micros(jitter);
        let due = self.latest.map_or(due, |latest| latest.max(due));
        self.latest = Some(due);
        due
    }

    fn damage(&mut self, start: u64, bytes: &mut Vec<u8>) {
        let end = start + bytes.len() as u64;
        for fault in &self.faults {
            match fault {
                Fault::Flip(bit) if (start..end).contains(&(bit / 8)) => {
                    bytes[(bit / 8 - start) as usize] ^= 1 << (bit % 8);
                }
                Fault::Blackhole(at) if *at < end => bytes.truncate(at.saturating_sub(start) as usize),
                _ => {}
            }
        }
        // Last, because it moves what follows.
        for fault in self.faults.iter().rev() {
            if let Fault::Skip(range) = fault {
                let (from, to) = (range.start.clamp(start, end), range.end.clamp(start, end));
                let at = |offset: u64| ((offset - start) as usize).min(bytes.len());
                let gap = at(from)..at(to);
                bytes.drain(gap);
            }
        }
    }

    fn find(&self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        self.faults.iter().find(|fault| wanted(fault)).cloned()
    }

    fn random_size(&mut self, available: usize) -> usize {
        match available.min(self.weather.piece) {
            0 => 0,
            all if self.weather.piece == usize::MAX => all,
            most => {
                let mut choice = [0; 1];
                self.random.fill(&mut choice);
                // Now and then a single byte, so that every boundary is hit.
                if choice[0] < 16 { 1 } else { 1 + self.random.below(most as u64) as usize }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carry(link: &mut Link, bytes: &[u8]) -> Vec<u8> {
        let now = Instant::now();
        let mut written = 0;
        let mut read = Vec::new();
        let mut space = [0; 64];
        let later = now + Duration::from_secs(1);
        while written < bytes.len() {
            written += link.write(&bytes[written..], now);
            let count = link.read(&mut space, later);
            read.extend_from_slice(&space[..count]);
        }
        while link.next_arrival().is_some() && !link.is_at_end(later) {
            let count = link.read(&mut space, later);
            read.extend_from_slice(&space[..count]);
        }
        read
    }

    #[test]
    fn rough_weather_loses_and_reorders_nothing() {
        let bytes: Vec<u8> = (0..50_000_u32).map(|n| n as u8).collect();
        for seed in 0..8 {
            assert_eq!(carry(&mut Link::new(seed, Weather::ROUGH), &bytes), bytes, "seed {seed}");
        }
    }

    #[test]
    fn faults_hit_the_offset_they_name() {
        let bytes = [0_u8; 100];
        let with = |fault| {
            let mut link = Link::new(1, Weather { piece: 7, ..Weather::ROUGH });
            link.fail(fault);
            let read = carry(&mut link, &bytes);
            (read, link.end.is_some())
        };
        assert_eq!(with(Fault::Cut(33)), (vec![0; 33], true));
        assert_eq!(with(Fault::Blackhole(33)), (vec![0; 33], false));
        assert_eq!(with(Fault::Skip(10..90)), (vec![0; 20], false));
        let mut flipped = vec![0; 100];
        flipped[50] = 4;
        assert_eq!(with(Fault::Flip(402)), (flipped, false));
    }

    #[test]
    fn a_writer_waits_for_room() {
        let now = Instant::now();
        let mut link = Link::new(1, Weather { capacity: 10, ..Weather::CALM });
        assert_eq!(link.write(&[0; 64], now), 10);
        assert_eq!(link.write(&[0; 64], now), 0);
        assert_eq!(link.read(&mut [0; 64], now), 10);
        assert_eq!(link.write(&[0; 64], now), 10);
    }
}
