//! Connections that a program accepts by itself, has carried, and steers meanwhile.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::session::{Carry, Reins, Socket, Terms, reins};
use crate::supervisor::Shared;
use crate::{Endpoint, Error, Peer, Tap};

/// What [`Tunnel::adopt`](crate::Tunnel::adopt) does with a connection.
///
/// ```no_run
/// # async fn example(tunnel: underpass::Tunnel) -> Result<(), Box<dyn std::error::Error>> {
/// use tokio::net::TcpListener;
/// use underpass::Adopt;
///
/// let listener = TcpListener::bind("127.0.0.1:5432").await?;
/// loop {
///     let (socket, client) = listener.accept().await?;
///     let adopted = tunnel.adopt(socket, Adopt::to(("db", 5432)));
///     tokio::spawn(async move {
///         match adopted.reached().await {
///             Ok(()) => println!("{client}: {:?}", adopted.ended().await),
///             Err(error) => println!("{client}: {error}"),
///         }
///     });
/// }
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Adopt {
    target: Endpoint,
    idle_timeout: Option<Duration>,
    keeps_idle_timeout: bool,
    send_buffer: usize,
    close_on_eof: bool,
    paused: bool,
    tap: Option<Arc<dyn Tap>>,
}

impl Adopt {
    /// Carries it to `target`.
    pub fn to(target: impl Into<Endpoint>) -> Self {
        Self {
            target: target.into(),
            idle_timeout: None,
            keeps_idle_timeout: true,
            send_buffer: SEND_BUFFER,
            close_on_eof: false,
            paused: false,
            tap: None,
        }
    }

    /// Carries it where its client says, as a [dynamic forward](crate::Forward::Dynamic) does: SOCKS 4, 4a and 5, and
    /// HTTP CONNECT, by the settings for those ([`destinations`](crate::Settings::destinations),
    /// [`proxy_access`](crate::Settings::proxy_access)).
    pub fn dynamic() -> Self {
        Self::to(Endpoint::Undecided)
    }

    /// Cuts it when it carries nothing for so long; `None`, never. Without this, what the
    /// [tunnel](crate::Settings::idle_timeout) says.
    pub fn idle_timeout(mut self, timeout: Option<Duration>) -> Self {
        (self.idle_timeout, self.keeps_idle_timeout) = (timeout, false);
        self
    }

    /// How many bytes of [`Adopted::send`] may wait for the client: 64 KiB unless told otherwise.
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = bytes;
        self
    }

    /// When the server's side ends, the whole connection is closed, as by [`Close::Graceful`], and not only that half.
    pub fn close_on_eof(mut self, close: bool) -> Self {
        self.close_on_eof = close;
        self
    }

    /// Begins [paused](Adopted::pause_reading).
    pub fn paused(mut self, paused: bool) -> Self {
        self.paused = paused;
        self
    }

    /// Shows `tap` what is carried. Without one, nothing is looked at.
    pub fn tap(mut self, tap: Arc<dyn Tap>) -> Self {
        self.tap = Some(tap);
        self
    }

    pub(crate) fn carry(self, shared: &Arc<Shared>, socket: TcpStream) -> Adopted {
        // One that is gone already is found out when it is read.
        let peer = socket.peer_addr().map_or(Peer::Program, Peer::Tcp);
        let idle = if self.keeps_idle_timeout { shared.settings.idle_timeout } else { self.idle_timeout };
        let terms = Terms {
            idle,
            paused: self.paused,
            send_buffer: self.send_buffer,
            close_on_eof: self.close_on_eof,
            tap: self.tap,
        };
        let (reins, steered) = reins(terms);
        let info = shared.tasks.introduce(peer, self.target);
        let adopted = Adopted { id: info.id, reins, shared: shared.clone() };
        shared.admit(Carry { steered: Some(steered), ..Carry::plain(Socket::forwarded(socket), info) });
        adopted
    }
}

/// A connection of the program's that the tunnel carries, see [`Tunnel::adopt`](crate::Tunnel::adopt).
///
/// Clones are handles to the same one. Dropping them changes nothing for the connection.
#[derive(Clone)]
pub struct Adopted {
    id: u64,
    reins: Arc<Reins>,
    shared: Arc<Shared>,
}

/// How a program closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Close {
    /// What has come from the target and what was sent by the program is given to the client first; nothing more is
    /// read from it. Then both sides see a proper end. A client that does not read is waited for until the idle
    /// timeout, or a [`Reset`](Self::Reset).
    Graceful,
    /// At once. Both sides see that something may be missing.
    Reset,
}

/// What became of an adopted connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ended {
    /// Bytes carried to the target.
    pub sent: u64,
    /// Bytes carried from the target.
    pub received: u64,
    /// How it ended.
    pub end: End,
}

/// How an adopted connection ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum End {
    /// As it should: by both sides, by [`Close::Graceful`], or by the server's side with [`Adopt::close_on_eof`].
    Proper,
    /// It did not reach its target.
    Unreached(Error),
    /// It was cut.
    Cut {
        /// By whom: [`ConnectionReset`](io::ErrorKind::ConnectionReset) by the client or the target,
        /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) by the program, [`TimedOut`](io::ErrorKind::TimedOut)
        /// by its idle timeout, [`NotConnected`](io::ErrorKind::NotConnected) by the end of the SSH connection. What
        /// else the system says of the client's socket comes as it is.
        kind: io::ErrorKind,
        /// The same in words.
        why: String,
    },
}

impl Adopted {
    /// Its number within the tunnel, which is also in its [events](crate::Event).
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Waits until the target is reached.
    ///
    /// # Errors
    /// Why it is not: the server does not reach it, the client said nowhere to go, there are too many connections, the
    /// tunnel has ended, or the connection was [closed](Self::close) first.
    pub async fn reached(&self) -> Result<(), Error> {
        self.reins.reached().await
    }

    /// Waits for its end.
    pub async fn ended(&self) -> Ended {
        self.reins.ended().await
    }

    /// Bytes carried to the target so far.
    pub fn sent(&self) -> u64 {
        self.reins.carried().0
    }

    /// Bytes carried from the target so far, those of [`send`](Self::send) not included.
    pub fn received(&self) -> u64 {
        self.reins.carried().1
    }

    /// Stops reading from the client, which is held up once the buffers of the system are full, or reads on. What has
    /// been read already is carried, and the other direction goes on.
    ///
    /// While nothing is read, the client's end is not noticed.
    pub fn pause_reading(&self, paused: bool) {
        self.reins.pause(paused);
    }

    /// Gives the client bytes of the program's own, behind what it was given before and in front of what it will be
    /// given then. The bytes of one call that were taken stay together. Before the target is reached they wait.
    ///
    /// Gives how many were taken: fewer than there are when the [buffer](Adopt::send_buffer) is full.
    ///
    /// # Errors
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe): the target's end was passed on to the client already, or the
    /// connection is closed.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.reins.send(bytes)
    }

    /// How many bytes of [`send`](Self::send) the client's socket has not taken yet.
    pub fn queued(&self) -> usize {
        self.reins.queued()
    }

    /// Waits until [`send`](Self::send) takes so many bytes at once, or as many as the buffer can hold; or fails.
    pub async fn writable(&self, bytes: usize) {
        self.reins.writable(bytes).await;
    }

    /// Has a [tap](Tap) without room asked again.
    pub fn resume(&self) {
        self.reins.wake();
    }

    /// Cuts it when it carries nothing for so long, counted from when it last did; `None`, never.
    pub fn set_idle_timeout(&self, timeout: Option<Duration>) {
        self.reins.set_idle(timeout);
    }

    /// Ends it. [`ended`](Self::ended) tells when that is done.
    pub fn close(&self, how: Close) {
        self.reins.close(how);
        // One that waits may have a client that is to be told.
        let _runtime = self.shared.runtime.enter();
        self.shared.switchboard.withdraw(self.id);
    }
}

impl std::fmt::Debug for Adopt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adopt").field("target", &self.target).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Adopted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adopted").field("id", &self.id).finish_non_exhaustive()
    }
}

impl From<Option<io::Error>> for End {
    fn from(error: Option<io::Error>) -> Self {
        error.map_or(Self::Proper, |error| Self::Cut { kind: error.kind(), why: error.to_string() })
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Proper => f.write_str("it ended as it should"),
            Self::Unreached(error) => error.fmt(f),
            Self::Cut { why, .. } => f.write_str(why),
        }
    }
}

/// What a program says to a client by itself is short; who sends more is to wait, as with a socket.
const SEND_BUFFER: usize = 64 * 1024;
