//! What somebody sees who goes on connecting during an outage.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::keeper::Running;

/// What an outage came to.
#[derive(Debug)]
pub(super) struct Outage {
    /// From its begin until the keeper said so.
    pub(super) noticed: Option<Duration>,
    /// From its end until a byte came back.
    pub(super) back: Duration,
    /// Connections to the local port that were refused, of one every [`STEP`].
    pub(super) refused: u64,
    /// Those that were taken, and ended before their byte came back.
    pub(super) lost: u64,
    /// Connections that reached the server's port.
    pub(super) attempts: u64,
}

pub(super) struct Watch {
    address: SocketAddr,
    began: Instant,
    ended: Instant,
    noticed: Option<Duration>,
    /// When the first byte came back over a connection made after the break.
    served: Option<Instant>,
    refused: u64,
    lost: u64,
    /// Connections that have sent a byte and wait for it to come back.
    waiting: Vec<TcpStream>,
}

impl Watch {
    pub(super) fn start(address: SocketAddr) -> Self {
        let now = Instant::now();
        let (noticed, served, waiting) = (None, None, Vec::new());
        Self { address, began: now, ended: now, noticed, served, refused: 0, lost: 0, waiting }
    }

    pub(super) fn began(&mut self) {
        self.began = Instant::now();
    }

    pub(super) fn ended(&mut self) {
        self.ended = Instant::now();
    }

    /// Goes on for so long.
    pub(super) fn look_for(&mut self, time: Duration, keeper: &mut Running) {
        while self.began.elapsed() < time {
            self.step(keeper);
        }
    }

    /// Goes on until a byte has come back, and the loss was noticed.
    pub(super) fn look_until_served(&mut self, keeper: &mut Running) -> Result<()> {
        while self.served.is_none() || self.noticed.is_none() {
            ensure!(self.ended.elapsed() < PATIENCE, "not served again; it said: {}", keeper.last_words());
            self.step(keeper);
        }
        Ok(())
    }

    pub(super) fn outage(self, attempts: u64) -> Outage {
        let back = self.served.map_or(PATIENCE, |served| served.saturating_duration_since(self.ended));
        Outage { noticed: self.noticed, back, refused: self.refused, lost: self.lost, attempts }
    }

    /// One more connection, and a look at those that wait.
    fn step(&mut self, keeper: &mut Running) {
        let begin = Instant::now();
        if self.noticed.is_none() && keeper.has_noticed() {
            self.noticed = Some(self.began.elapsed());
            // What becomes of connections that were being lost tells nothing.
            self.waiting.clear();
            self.lost = 0;
        }
        self.collect();
        match self.connect() {
            Ok(stream) => self.waiting.push(stream),
            // It was taken, and cut off before anybody could look.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => self.lost += 1,
            Err(_) => self.refused += 1,
        }
        thread::sleep(STEP.saturating_sub(begin.elapsed()));
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT)?;
        // Where nobody listens, a connection can reach itself: the system gave it that port.
        if stream.local_addr()? == self.address {
            return Err(ErrorKind::ConnectionRefused.into());
        }
        // A connection that breaks at once was taken all the same.
        let _ = stream.write_all(b"x");
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    /// Drops connections that have ended, and notes the first that was served.
    fn collect(&mut self) {
        let (mut served, mut lost) = (false, 0);
        self.waiting.retain_mut(|stream| match stream.read(&mut [0]) {
            Ok(1) => {
                served = true;
                false
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            Ok(_) | Err(_) => {
                lost += 1;
                false
            }
        });
        self.lost += lost;
        if served && self.noticed.is_some() {
            self.served.get_or_insert_with(Instant::now);
        }
    }
}

/// Between two connections.
const STEP: Duration = Duration::from_millis(20);

const CONNECT: Duration = Duration::from_secs(1);

/// Longer than any pause that the programs make after so short an outage.
const PATIENCE: Duration = Duration::from_secs(90);
