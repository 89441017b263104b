//! The two ends of the demonstration's connection.

use std::{
    fmt, io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::payload::Payload;
use crate::status::Amount;

/// How fast it went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) bytes: u64,
    pub(super) time: Duration,
}

impl Rate {
    pub(super) fn per_second(&self) -> f64 {
        self.bytes as f64 / self.time.as_secs_f64().max(1e-6)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, rate) = (Amount(self.bytes as f64), Amount(self.per_second()));
        write!(f, "{amount} in {:.2} s, {rate}/s", self.time.as_secs_f64())
    }
}

/// Sends `length` bytes, ends its half of the connection, and then checks as many that come back: an end that is
/// passed on too early, or not at all, shows as well as a wrong byte.
///
/// # Errors
/// The connection broke, or something other came than was sent.
pub(super) async fn ask(address: SocketAddr, length: u64) -> io::Result<[Rate; 2]> {
    let mut stream = TcpStream::connect(address).await?;
    let start = Instant::now();
    send(&mut stream, &mut Payload::new(UP), length).await?;
    let mut answer = Payload::new(DOWN);
    // The target answers when it has all: only then the way up is done.
    receive(&mut stream, &mut answer, 1).await?;
    let turn = Instant::now();
    receive(&mut stream, &mut answer, length).await?;
    expect_end(&mut stream).await?;
    let rate = |time| Rate { bytes: length, time };
    Ok([rate(turn - start), rate(turn.elapsed())])
}

/// The target: takes one connection, checks what comes, and answers.
///
/// # Errors
/// The connection broke, or something other came than was sent.
pub(super) async fn answer(listener: TcpListener, length: u64) -> io::Result<()> {
    let (mut stream, _) = listener.accept().await?;
    receive(&mut stream, &mut Payload::new(UP), length).await?;
    expect_end(&mut stream).await?;
    send(&mut stream, &mut Payload::new(DOWN), length).await
}

async fn send(stream: &mut TcpStream, payload: &mut Payload, length: u64) -> io::Result<()> {
    while payload.position() < length {
        let piece = payload.next(length - payload.position());
        stream.write_all(piece).await?;
    }
    stream.shutdown().await
}

/// Reads until `until` bytes of the payload have come.
async fn receive(stream: &mut TcpStream, payload: &mut Payload, until: u64) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    while payload.position() < until {
        let wanted = usize::try_from(until - payload.position()).map_or(BUFFER, |left| left.min(BUFFER));
        let count = stream.read(&mut buffer[..wanted]).await?;
        if count == 0 {
            let missing = until - payload.position();
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{missing} bytes are missing")));
        }
        payload.check(&buffer[..count]).map_err(|at| wrong(format!("byte {at} is not what was sent")))?;
    }
    Ok(())
}

async fn expect_end(stream: &mut TcpStream) -> io::Result<()> {
    match stream.read(&mut [0]).await? {
        0 => Ok(()),
        _ => Err(wrong("more bytes came than were sent".to_owned())),
    }
}

fn wrong(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Bytes per read: what comes in one go on a fast link.
const BUFFER: usize = 256 << 10;

/// Seeds of the two directions.
const UP: u64 = 1;
const DOWN: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: u64 = 3_000_000;

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn the_two_ends_agree_without_a_tunnel_between_them() {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (asked, answered) = tokio::join!(ask(address, LENGTH), answer(listener, LENGTH));
            answered.unwrap();
            assert!(asked.unwrap().iter().all(|rate| rate.bytes == LENGTH && rate.per_second() > 0.0));
        });
    }

    #[test]
    fn an_answer_that_is_cut_short_or_changed_is_noticed() {
        for (sent, changed) in [(LENGTH - 1, None), (LENGTH, Some(2_999_999)), (LENGTH + 1, None)] {
            run(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let lying = async {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    receive(&mut stream, &mut Payload::new(UP), LENGTH).await.unwrap();
                    let mut payload = Payload::new(DOWN);
                    let mut bytes = Vec::new();
                    while payload.position() < sent {
                        bytes.extend_from_slice(payload.next(sent - payload.position()));
                    }
                    if let Some(at) = changed {
                        bytes[at] ^= 0x80;
                    }
                    // The other end may have hung up by now.
                    let _ = stream.write_all(&bytes).await;
                };
                let (asked, ()) = tokio::join!(ask(address, LENGTH), lying);
                assert!(asked.is_err(), "{sent} {changed:?}");
            });
        }
    }
}
