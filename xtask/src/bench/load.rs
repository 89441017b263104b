//! The near end: blocking sockets that send, receive and count. Every wait is bounded. What the far end does is
//! agreed with the [`target`] before.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::target::{self, BUFFER};
use super::unpaced;

/// A connection through the client under test to a target that answers.
pub(crate) struct Echo {
    stream: TcpStream,
    /// How many bytes the answer to one has.
    answer: usize,
}

impl Echo {
    /// Connects and waits for the first byte to come back: the whole path is open.
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        Self::open_with(address, 1)
    }

    /// The same with answers of two bytes.
    pub(crate) fn open_halves(address: SocketAddr) -> Result<Self> {
        Self::open_with(address, 2)
    }

    fn open_with(address: SocketAddr, answer: usize) -> Result<Self> {
        let mut echo = Self { stream: open(address)?, answer };
        echo.trip()?;
        Ok(echo)
    }

    /// One byte there, and the whole answer back.
    pub(crate) fn trip(&mut self) -> Result<Duration> {
        let start = Instant::now();
        self.stream.write_all(&[1])?;
        self.stream.read_exact(&mut [0; 2][..self.answer]).context("no answer")?;
        Ok(start.elapsed())
    }
}

/// Sends `bytes` in and waits until the far end has read them all.
pub(crate) fn send(address: SocketAddr, bytes: u64) -> Result<()> {
    let mut stream = open(address)?;
    target::produce(&mut stream, bytes).context("cannot send")?;
    stream.read_exact(&mut [0]).context("the far end did not confirm")?;
    Ok(())
}

/// Receives `bytes`, or what comes within `window`; says how many came.
pub(crate) fn receive(address: SocketAddr, bytes: u64, window: Duration) -> Result<u64> {
    let end = Instant::now() + window;
    let mut stream = open(address)?;
    let mut buffer = vec![0; BUFFER];
    let mut received = 0;
    while received < bytes && Instant::now() < end {
        let n = stream.read(&mut buffer).context("cannot receive")?;
        ensure!(n > 0, "the stream ended after {received} of {bytes} bytes");
        received += n as u64;
    }
    Ok(received)
}

/// Runs `work` on `streams` threads; the first error is everyone's.
pub(crate) fn parallel(streams: usize, work: impl Fn() -> Result<()> + Sync) -> Result<()> {
    thread::scope(|scope| {
        let running: Vec<_> = (0..streams).map(|_| scope.spawn(&work)).collect();
        running.into_iter().try_for_each(|thread| thread.join().expect("load threads return their errors"))
    })
}

fn open(address: SocketAddr) -> Result<TcpStream> {
    let stream = unpaced::connect(address, PATIENCE).context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// No healthy client lets a loopback connection stand still for this long.
const PATIENCE: Duration = Duration::from_secs(20);
