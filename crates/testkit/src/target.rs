//! What a tunnel can lead to.

use std::io;
use std::net::SocketAddr;

use aws_lc_rs::digest::{Context, SHA256};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

use crate::payload::Payload;
use crate::server::{LOOPBACK, Server};

/// The behaviours, each served to every connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Sends back what it gets, then the end of stream.
    Echo,
    /// Reads to the end of stream and answers with a [`Receipt`].
    Sink,
    /// Reads and forgets; closes at the end of stream. The cheapest reader, for measuring.
    Discard,
    /// Sends this much of the payload, then waits for the client to close.
    Source(Payload, u64),
    /// Sends this much of the payload and closes at once, without ever reading.
    Burst(Payload, u64),
    /// Reads to the end of stream, and only then sends this much of the payload.
    Reply(Payload, u64),
    /// Reads the head of an HTTP request, whatever it asks for, and answers with this much of the payload.
    Http(Payload, u64),
    /// Accepts, never reads, never writes, never closes.
    BlackHole,
}

impl Target {
    /// Starts it on a loopback port of its own.
    ///
    /// # Errors
    /// What the operating system says to binding.
    pub fn start(self) -> io::Result<Server> {
        self.listen(LOOPBACK)
    }

    /// Starts it on `address`.
    ///
    /// # Errors
    /// What the operating system says to binding.
    pub fn listen(self, address: SocketAddr) -> io::Result<Server> {
        Server::listen(address, move |stream| self.serve(stream))
    }

    async fn serve(self, stream: TcpStream) -> io::Result<()> {
        match self {
            Self::Echo => echo(stream).await,
            Self::Sink => sink(stream).await,
            Self::Discard => discard(stream).await.map(drop),
            Self::Source(payload, length) => {
                let mut stream = stream;
                send(&mut stream, payload, length).await?;
                stream.shutdown().await?;
                discard(stream).await.map(drop)
            }
            Self::Burst(payload, length) => {
                let mut stream = stream;
                send(&mut stream, payload, length).await
            }
            Self::Reply(payload, length) => {
                let mut stream = discard(stream).await?;
                send(&mut stream, payload, length).await?;
                stream.shutdown().await
            }
            Self::Http(payload, length) => http(stream, payload, length).await,
            Self::BlackHole => black_hole(stream).await,
        }
    }
}

/// What [`Target::Sink`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Number of bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

impl Receipt {
    /// Length of the encoding, in bytes.
    pub const LENGTH: usize = 8 + 32;

    /// The receipt that is due for this much of the payload.
    #[must_use]
    pub fn of(payload: Payload, length: u64) -> Self {
        let mut context = Context::new(&SHA256);
        let mut buffer = vec![0; BUFFER];
        let mut offset = 0;
        while offset < length {
            let chunk = &mut buffer[..(length - offset).min(BUFFER as u64) as usize];
            payload.fill(offset, chunk);
            context.update(chunk);
            offset += chunk.len() as u64;
        }
        Self::new(length, context)
    }

    /// The form on the wire: the count as a big-endian `u64`, then the hash.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..8].copy_from_slice(&self.bytes.to_be_bytes());
        bytes[8..].copy_from_slice(&self.sha256);
        bytes
    }

    fn new(bytes: u64, context: Context) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(context.finish().as_ref());
        Self { bytes, sha256 }
    }
}

/// A loopback address that refuses connections for as long as this lives: bound, so that nobody else gets the port,
/// but not listening.
#[derive(Debug)]
pub struct Refusing {
    _socket: TcpSocket,
    address: SocketAddr,
}

impl Refusing {
    /// Binds a port.
    ///
    /// # Errors
    /// What the operating system says to binding.
    pub fn start() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(LOOPBACK)?;
        let address = socket.local_addr()?;
        Ok(Self { _socket: socket, address })
    }

    /// The address that refuses.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let (mut read, mut write) = stream.split();
    let mut buffer = vec![0; BUFFER];
    loop {
        let n = read.read(&mut buffer).await?;
        if n == 0 {
            return write.shutdown().await;
        }
        write.write_all(&buffer[..n]).await?;
    }
}

async fn sink(mut stream: TcpStream) -> io::Result<()> {
    let mut context = Context::new(&SHA256);
    let mut bytes = 0;
    let mut buffer = vec![0; BUFFER];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            break;
        }
        context.update(&buffer[..n]);
        bytes += n as u64;
    }
    stream.write_all(&Receipt::new(bytes, context).encode()).await?;
    stream.shutdown().await
}

async fn discard(mut stream: TcpStream) -> io::Result<TcpStream> {
    let mut buffer = vec![0; BUFFER];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(stream)
}

async fn send(stream: &mut TcpStream, payload: Payload, length: u64) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut offset = 0;
    while offset < length {
        let chunk = &mut buffer[..(length - offset).min(BUFFER as u64) as usize];
        payload.fill(offset, chunk);
        stream.write_all(chunk).await?;
        offset += chunk.len() as u64;
    }
    Ok(())
}

async fn http(stream: TcpStream, payload: Payload, length: u64) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    // An empty line ends the head.
    while stream.read_line(&mut line).await? > 0 && !line.trim_end().is_empty() {
        line.clear();
    }
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut stream = stream.into_inner();
    send(&mut stream, payload, length).await?;
    stream.shutdown().await
}

async fn black_hole(stream: TcpStream) -> io::Result<()> {
    let _kept_open = stream;
    std::future::pending().await
}

/// Large enough that system calls do not dominate, small enough for hundreds of connections. Pages that a connection
/// never fills are never resident.
const BUFFER: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    async fn exchange(target: Target, sent: &[u8]) -> Vec<u8> {
        let server = target.start().unwrap();
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(sent).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        assert_eq!(server.accepted(), 1);
        received
    }

    #[tokio::test]
    async fn echo_returns_what_it_got() {
        assert_eq!(exchange(Target::Echo, b"to and fro").await, b"to and fro");
    }

    #[tokio::test]
    async fn sink_answers_with_a_receipt_for_the_bytes_it_got() {
        let payload = Payload::new(3);
        let mut sent = vec![0; 700_001];
        payload.fill(0, &mut sent);
        let expected = Receipt::of(payload, sent.len() as u64);
        assert_eq!(exchange(Target::Sink, &sent).await, expected.encode());
        assert_ne!(exchange(Target::Sink, &sent[1..]).await, expected.encode());
    }

    #[tokio::test]
    async fn source_burst_and_reply_send_the_whole_payload() {
        let payload = Payload::new(4);
        for target in [
            Target::Source(payload, 600_000),
            Target::Burst(payload, 600_000),
            Target::Reply(payload, 600_000),
        ] {
            let received = exchange(target, b"").await;
            assert_eq!(received.len(), 600_000, "{target:?}");
            payload.check(0, &received).unwrap();
        }
    }

    #[tokio::test]
    async fn http_answers_a_request_with_the_payload() {
        let payload = Payload::new(5);
        let answer = exchange(Target::Http(payload, 300_000), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let (head, body) = answer.split_at(answer.len() - 300_000);
        assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n") && head.ends_with(b"\r\n\r\n"));
        payload.check(0, body).unwrap();
    }

    #[tokio::test]
    async fn discard_ends_when_its_client_does() {
        assert_eq!(exchange(Target::Discard, &[0; 10_000]).await, b"");
    }

    #[tokio::test]
    async fn a_black_hole_takes_no_more_than_the_buffers_in_between_hold() {
        let server = Target::BlackHole.start().unwrap();
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let endless = async { while stream.write_all(&[0; BUFFER]).await.is_ok() {} };
        let stuck = tokio::time::timeout(std::time::Duration::from_millis(100), endless).await;
        assert!(stuck.is_err(), "the black hole closed the connection");
        let mut byte = [0];
        assert_eq!(stream.try_read(&mut byte).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(stream.try_write(&byte).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn a_refusing_port_refuses_until_dropped() {
        let refusing = Refusing::start().unwrap();
        for _ in 0..3 {
            let error = TcpStream::connect(refusing.address()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        }
    }

    #[tokio::test]
    async fn dropping_a_server_closes_its_connections_and_its_port() {
        let server = Target::Echo.start().unwrap();
        let address = server.address();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"x").await.unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        drop(server);
        assert_eq!(stream.read(&mut byte).await.unwrap_or(0), 0);
        assert!(TcpStream::connect(address).await.is_err());
    }
}
