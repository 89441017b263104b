//! The far end of every measurement: one process that echoes, swallows or produces bytes as asked.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::process::Process;
use super::unpaced;

/// What is done with each connection. The benchmark says it on the target's standard input, not in the
/// connection: the sealing relay passes ciphertext, in which no request could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Send back what comes, until the end.
    Echo,
    /// Answer each byte with two, one a little after the other.
    Halves,
    /// Read this many bytes, then answer with one byte.
    Sink(u64),
    /// Send this many bytes, then close.
    Source(u64),
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo => f.write_str("echo"),
            Self::Halves => f.write_str("halves"),
            Self::Sink(bytes) => write!(f, "sink {bytes}"),
            Self::Source(bytes) => write!(f, "source {bytes}"),
        }
    }
}

impl FromStr for Service {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(' ').unwrap_or((text, "")) {
            ("echo", "") => Ok(Self::Echo),
            ("halves", "") => Ok(Self::Halves),
            ("sink", bytes) => Ok(Self::Sink(bytes.parse()?)),
            ("source", bytes) => Ok(Self::Source(bytes.parse()?)),
            _ => bail!("no such service: {text}"),
        }
    }
}

/// The target's process, seen from the benchmark.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    process: RefCell<Process>,
}

impl Target {
    pub(crate) fn start(scratch: &Path) -> Result<Self> {
        let mut process = Process::start("target", &std::env::current_exe()?, ["bench", "target"], scratch)?;
        let address = process.line(PATIENCE)?.parse()?;
        Ok(Self { address, process: RefCell::new(process) })
    }

    /// From now on, connections get this service.
    pub(crate) fn serve(&self, service: Service) -> Result<()> {
        let answer = self.process.borrow_mut().ask(&service.to_string(), PATIENCE)?;
        ensure!(answer == READY, "the target answered {answer:?}");
        Ok(())
    }
}

/// Large reads and writes make the load generator the cheapest process of the chain.
pub(crate) const BUFFER: usize = 1 << 20;

/// `bench target`: prints its address, then serves until its standard input ends. Each line there is the
/// [`Service`] of the connections that follow.
pub(crate) fn run() -> Result<()> {
    let listener = unpaced::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    println!("{}", listener.local_addr()?);
    let service = Arc::new(Mutex::new(Service::Echo));
    let current = Arc::clone(&service);
    thread::spawn(move || accept(&listener, &current));
    for line in io::stdin().lines() {
        *lock(&service) = line?.parse()?;
        println!("{READY}");
    }
    Ok(())
}

fn accept(listener: &TcpListener, service: &Mutex<Service>) {
    // An accept can fail because the peer is gone already; the measurement that misses it says so.
    for stream in listener.incoming().flatten() {
        let service = *lock(service);
        // Nor is a peer that leaves in the middle a fault of the target.
        let answered = thread::Builder::new().stack_size(STACK).spawn(move || answer(stream, service));
        drop(answered.expect("the system has a thread for each connection"));
    }
}

fn lock(service: &Mutex<Service>) -> MutexGuard<'_, Service> {
    service.lock().expect("no thread panics while it holds the lock")
}

fn answer(mut stream: TcpStream, service: Service) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match service {
        Service::Echo => echo(&mut stream),
        Service::Halves => answer_in_halves(&mut stream),
        Service::Sink(bytes) => {
            swallow(&mut stream, bytes)?;
            stream.write_all(&[0])
        }
        Service::Source(bytes) => produce(&mut stream, bytes),
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

fn answer_in_halves(stream: &mut TcpStream) -> io::Result<()> {
    while stream.read(&mut [0])? > 0 {
        stream.write_all(&[1])?;
        thread::sleep(BETWEEN_HALVES);
        stream.write_all(&[2])?;
    }
    Ok(())
}

/// Long enough for the first to have left the server.
const BETWEEN_HALVES: Duration = Duration::from_millis(1);

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

/// The answer to each line on standard input.
const READY: &str = "ready";

/// The target answers at once, or is broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// Buffers are on the heap; a thousand idle connections have a thread each.
const STACK: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_survive_being_written_and_read() {
        for service in [Service::Echo, Service::Halves, Service::Sink(0), Service::Source(u64::MAX)] {
            assert_eq!(service.to_string().parse::<Service>().unwrap(), service);
        }
        assert!("sink".parse::<Service>().is_err());
        assert!("drain 5".parse::<Service>().is_err());
    }
}
