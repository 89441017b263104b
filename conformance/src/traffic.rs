//! Bytes through a forward, each one checked.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
    let mut stream = TcpStream::connect(address).await?;
    let (mut read, mut write) = stream.split();
    let up = async {
        send(&mut write, payload, length).await?;
        Ok(write.shutdown().await?)
    };
    let down = async { receive_all(&mut read, payload, length).await };
    tokio::try_join!(up, down).map(drop)
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
