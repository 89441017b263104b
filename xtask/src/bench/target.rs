//! The far end of every measurement: one process that echoes, swallows or produces bytes as asked.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::Result;

/// What a connection asks for in its first nine bytes: a letter and a length.
///
/// One address for all of it keeps the clients' command lines down to a single forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Send back what comes, until the end.
    Echo,
    /// Read this many bytes, then answer with one byte.
    Sink(u64),
    /// Send this many bytes, then close.
    Source(u64),
}

impl Request {
    pub(crate) const SIZE: usize = 9;

    pub(crate) fn encode(self) -> [u8; Self::SIZE] {
        let (letter, length) = match self {
            Self::Echo => (b'e', 0),
            Self::Sink(length) => (b'w', length),
            Self::Source(length) => (b'r', length),
        };
        let mut bytes = [letter; Self::SIZE];
        bytes[1..].copy_from_slice(&u64::to_be_bytes(length));
        bytes
    }

    pub(crate) fn decode(bytes: [u8; Self::SIZE]) -> Option<Self> {
        let [letter, length @ ..] = bytes;
        let length = u64::from_be_bytes(length);
        match letter {
            b'e' => Some(Self::Echo),
            b'w' => Some(Self::Sink(length)),
            b'r' => Some(Self::Source(length)),
            _ => None,
        }
    }
}

/// Large reads and writes make the load generator the cheapest process of the chain.
pub(crate) const BUFFER: usize = 1 << 20;

/// `bench target`: prints its address and serves until it is killed.
pub(crate) fn serve() -> Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        // A client that goes away in the middle is its own measurement's failure.
        thread::Builder::new().stack_size(STACK).spawn(move || answer(stream))?;
    }
    Ok(())
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut header = [0; Request::SIZE];
    stream.read_exact(&mut header)?;
    match Request::decode(header).ok_or(io::ErrorKind::InvalidData)? {
        Request::Echo => echo(&mut stream),
        Request::Sink(length) => {
            swallow(&mut stream, length)?;
            stream.write_all(&[0])
        }
        Request::Source(length) => produce(&mut stream, length),
    }
}

fn echo(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 512];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            n => stream.write_all(&buffer[..n])?,
        }
    }
}

/// Reads exactly `length` bytes and forgets them.
fn swallow(stream: &mut TcpStream, length: u64) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut left = length;
    while left > 0 {
        let room = buffer.len().min(usize::try_from(left).unwrap_or(BUFFER));
        match stream.read(&mut buffer[..room])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => left -= n as u64,
        }
    }
    Ok(())
}

/// Writes `length` bytes of a pattern that is neither constant nor aligned to a packet size.
pub(crate) fn produce(stream: &mut TcpStream, length: u64) -> io::Result<()> {
    let pattern: Vec<u8> = (0..BUFFER).map(|i| (i % 251) as u8).collect();
    let mut left = length;
    while left > 0 {
        let size = pattern.len().min(usize::try_from(left).unwrap_or(BUFFER));
        stream.write_all(&pattern[..size])?;
        left -= size as u64;
    }
    Ok(())
}

/// Buffers are on the heap; a thousand idle connections have a thread each.
const STACK: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_survive_the_wire() {
        for request in [Request::Echo, Request::Sink(0), Request::Source(u64::MAX)] {
            assert_eq!(Request::decode(request.encode()), Some(request));
        }
        assert_eq!(Request::decode([b'?'; Request::SIZE]), None);
    }
}
