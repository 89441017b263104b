//! Bytes through a forward, each one checked.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::task::JoinSet;
use underpass_testkit::Payload;
use underpass_testkit::target::Receipt;

use crate::client::Session;
use crate::{Failure, Peer, Result};

/// Runs `traffic` to its end.
///
/// # Errors
/// Its own, or that it has not ended within `deadline`.
pub fn run<T>(deadline: Duration, traffic: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let ended = tokio::time::timeout(deadline, traffic).await;
        ended.unwrap_or_else(|_| Err(Failure::new(format!("the traffic has not ended after {deadline:?}"))))
    })
}

/// Like [`run`], through a client: a failure comes with what client and peer said.
///
/// # Errors
/// Like [`run`].
pub fn run_through<T>(
    session: &Session,
    peer: &Peer,
    deadline: Duration,
    traffic: impl Future<Output = Result<T>>,
) -> Result<T> {
    let said = || format!("{}\n{}", session.process().said(), peer.process().said());
    run(deadline, traffic).map_err(|failure| Failure::new(format!("{failure}\n{}", said())))
}

/// Sends `length` bytes of the payload and, at the same time, checks that they come back; then the end of stream.
///
/// # Errors
/// A byte is wrong, missing or too many, or the connection broke.
pub async fn echo(address: SocketAddr, payload: Payload, length: u64) -> Result<()> {
    echo_on(TcpStream::connect(address).await?, payload, length).await
}

/// Like [`echo`], on a connection that is there.
///
/// # Errors
/// Like [`echo`].
pub async fn echo_on(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    payload: Payload,
    length: u64,
) -> Result<()> {
    let (mut read, mut write) = tokio::io::split(stream);
    let up = async {
        send(&mut write, payload, length).await?;
        Ok(write.shutdown().await?)
    };
    let down = async { receive_all(&mut read, payload, length).await };
    tokio::try_join!(up, down).map(drop)
}

/// A connection to `target` through the SOCKS proxy at `proxy`.
///
/// # Errors
/// The proxy refuses.
pub async fn through_socks5(proxy: SocketAddr, target: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(proxy).await?;
    let SocketAddr::V4(target) = target else {
        return Err(Failure::new("only IPv4 targets are needed here"));
    };
    // Version, one method: none. Then version, CONNECT, reserved, IPv4 (RFC 1928 sections 3 and 4).
    stream.write_all(&[5, 1, 0, 5, 1, 0, 1]).await?;
    stream.write_all(&target.ip().octets()).await?;
    stream.write_all(&target.port().to_be_bytes()).await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await?;
    match answer[..6] {
        [5, 0, 5, 0, 0, 1] => Ok(stream),
        _ => Err(Failure::new(format!("the proxy answered {answer:?}"))),
    }
}

/// Runs [`echo`] on this many streams at once, each with bytes of its own.
///
/// # Errors
/// The first of any stream.
pub async fn echo_in_parallel(address: SocketAddr, streams: u64, length: u64) -> Result<()> {
    in_parallel(streams, |number| echo(address, Payload::new(number), length)).await
}

/// Runs `traffic` for the numbers from 0 to `streams`, all at once.
///
/// # Errors
/// The first of any, with its number.
pub async fn in_parallel<T, F>(streams: u64, traffic: T) -> Result<()>
where
    T: Fn(u64) -> F,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut running = JoinSet::new();
    for number in 0..streams {
        let stream = traffic(number);
        running.spawn(async move {
            stream.await.map_err(|failure| failure.during(format_args!("stream {number} of {streams}")))
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

/// Sends `length` bytes, ends the sending direction, and checks the receipt that the sink returns after that.
///
/// # Errors
/// The receipt is for other bytes, is short or too long, or the connection broke.
pub async fn upload(address: SocketAddr, payload: Payload, length: u64) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    send(&mut stream, payload, length).await?;
    stream.shutdown().await?;
    let mut receipt = Vec::new();
    stream.read_to_end(&mut receipt).await?;
    if receipt == Receipt::of(payload, length).encode() {
        return Ok(());
    }
    Err(Failure::new(format!("the receipt, {} bytes, is not for what was sent", receipt.len())))
}

/// Ends the sending direction after `length` bytes and checks that `answer` bytes of the payload come after that.
///
/// # Errors
/// A byte is wrong, missing or too many, or the connection broke.
pub async fn request(address: SocketAddr, length: u64, payload: Payload, answer: u64) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    send(&mut stream, payload, length).await?;
    stream.shutdown().await?;
    receive_all(&mut stream, payload, answer).await
}

/// Checks that `length` bytes of the payload come, and then the end of stream, without sending anything.
///
/// # Errors
/// A byte is wrong, missing or too many, or the connection broke.
pub async fn download(address: SocketAddr, payload: Payload, length: u64) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    receive_all(&mut stream, payload, length).await
}

async fn send(stream: &mut (impl AsyncWriteExt + Unpin), payload: Payload, length: u64) -> Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut sent = 0;
    while sent < length {
        let chunk = &mut buffer[..(length - sent).min(BUFFER as u64) as usize];
        payload.fill(sent, chunk);
        stream.write_all(chunk).await?;
        sent += chunk.len() as u64;
    }
    Ok(())
}

async fn receive_all(stream: &mut (impl AsyncReadExt + Unpin), payload: Payload, length: u64) -> Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut received = 0;
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            break;
        }
        payload.check(received, &buffer[..n])?;
        received += n as u64;
    }
    if received == length {
        return Ok(());
    }
    Err(Failure::new(format!("{received} bytes came instead of {length}")))
}

/// Sizes that fit no packet size, so that packets and reads do not line up.
const BUFFER: usize = 60_001;
