//! `zlib` (RFC 4253 section 6.2) and OpenSSH's form of it that starts after authentication.
//!
//! One stream (RFC 1950) for each direction, from one key exchange to the next. A partial flush ends each packet, so
//! that all of it can be expanded when it has come.
//!
//! What was sent last stays in both halves' windows, out of reach for wiping, and the length of a packet tells how well
//! its content goes together with what came before. That concerns passwords under `zlib`; `zlib@openssh.com` keeps
//! authentication out of the stream, and offers unknown peers no expander to attack.

use flate2::{FlushCompress, FlushDecompress, Status};

use crate::{Compress, Compression, Decompress, InflateError, Streams, Strength};

/// `zlib`.
pub static ZLIB: Compression =
    Compression { name: "zlib", strength: Strength::Modern, delayed: false, streams: Some(STREAMS) };

/// `zlib@openssh.com`.
pub static ZLIB_OPENSSH: Compression = Compression {
    name: "zlib@openssh.com",
    strength: Strength::Modern,
    delayed: true,
    streams: Some(STREAMS),
};

const STREAMS: Streams = Streams {
    compress: || Box::new(Deflate(flate2::Compress::new(flate2::Compression::new(LEVEL), true))),
    decompress: || Box::new(Inflate(flate2::Decompress::new(true))),
};

/// zlib's own default, which OpenSSH uses too.
const LEVEL: u32 = 6;

/// Room for what one call produces at least: small packets, and what a flush adds.
const MIN_ROOM: usize = 1024;

struct Deflate(flate2::Compress);

impl Compress for Deflate {
    fn compress(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        let mut rest = payload;
        loop {
            out.reserve(rest.len() + MIN_ROOM);
            let before = self.0.total_in();
            self.0
                .compress_vec(rest, out, FlushCompress::Partial)
                .expect("a stream that was never finished takes more");
            rest = &rest[(self.0.total_in() - before) as usize..];
            // The flush is complete when it leaves room.
            if rest.is_empty() && out.len() < out.capacity() {
                return;
            }
        }
    }
}

struct Inflate(flate2::Decompress);

impl Decompress for Inflate {
    fn decompress(&mut self, payload: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), InflateError> {
        let (start, mut rest) = (out.len(), payload);
        loop {
            // The byte beyond the limit tells what is too large.
            let left = limit + 1 - (out.len() - start);
            out.reserve(left.min(EXPECTED_RATIO * rest.len() + MIN_ROOM));
            let before = self.0.total_in();
            let status =
                self.0.decompress_vec(rest, out, FlushDecompress::Sync).map_err(|_| InflateError::Damaged)?;
            rest = &rest[(self.0.total_in() - before) as usize..];
            if out.len() - start > limit {
                return Err(InflateError::TooLarge);
            }
            let complete = out.len() < out.capacity();
            match (status, complete) {
                // The stream goes on as long as the keys do.
                (Status::StreamEnd, _) => return Err(InflateError::Damaged),
                (_, true) if rest.is_empty() => return Ok(()),
                (_, true) => return Err(InflateError::Damaged),
                (_, false) => {}
            }
        }
    }
}

/// How much room is made at first for what a payload expands to; text shrinks to a quarter.
const EXPECTED_RATIO: usize = 4;
