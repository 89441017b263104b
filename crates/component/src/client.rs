//! The clients of a tunnel: what is kept of each while it is connected.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use tokio::time::timeout;
use underpass::{Adopted, Close, Direction, Tap};

use crate::framing::{Framer, Piece, Rules};
use crate::lock::lock;
use crate::store::seconds;
use crate::tunnel::Inner;
use crate::{DataIn, Error, EventKind, runtime};

/// What waits for `on_data_in` in each direction. More is not read before it was delivered.
const MAX_TAPPED: usize = 256 * 1024;

/// What the program sends to a client and it has not taken yet.
pub(crate) const SEND_BUFFER: usize = 64 * 1024;

/// A client.
pub(crate) struct Client {
    pub(crate) id: i32,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    /// Set once the tunnel carries it.
    pub(crate) adopted: OnceLock<Adopted>,
    /// How long it has to take what is left when it is closed; `None` if that is dropped.
    pub(crate) linger: Option<Duration>,
    pub(crate) options: Mutex<Options>,
    tapped: [Mutex<Tapped>; 2],
    /// Whether somebody has closed it.
    closing: AtomicBool,
    over: AtomicBool,
    /// Whether it waits in the queue.
    queued: AtomicBool,
    /// Whether the data of its channel are told of, too.
    channel: AtomicBool,
}

/// What the program says about it.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) accept_data: bool,
    pub(crate) eol: Vec<u8>,
    pub(crate) idle_timeout: i64,
    /// `None`: what the setting says.
    pub(crate) record_length: Option<i64>,
    pub(crate) single_line_mode: bool,
    pub(crate) timeout: i64,
    pub(crate) user_data: Vec<u8>,
    /// Bytes taken of the last `client_data_to_send`, and what was sent altogether before it.
    pub(crate) bytes_taken: u64,
    pub(crate) ready_to_send: bool,
    /// When it moved data last, as far as was looked, and how much by then.
    pub(crate) moved: (Instant, u64),
}

#[derive(Default)]
struct Tapped {
    waiting: Vec<u8>,
    framer: Framer,
}

impl Client {
    pub(crate) fn new(
        id: i32,
        peer: SocketAddr,
        local: SocketAddr,
        linger: Option<Duration>,
        options: Options,
    ) -> Self {
        Self {
            id,
            peer,
            local,
            adopted: OnceLock::new(),
            linger,
            options: Mutex::new(options),
            tapped: Default::default(),
            closing: AtomicBool::new(false),
            over: AtomicBool::new(false),
            // Its data are told of when it was.
            queued: AtomicBool::new(true),
            channel: AtomicBool::new(false),
        }
    }

    /// Whether it has not ended.
    pub(crate) fn is_connected(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// It has ended.
    pub(crate) fn is_over(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// How many more bytes can be sent to it.
    pub(crate) fn room(&self) -> usize {
        self.adopted.get().map_or(0, |adopted| SEND_BUFFER.saturating_sub(adopted.queued()))
    }

    /// Ends its connection: at once, or when it has taken what there is for it. It has some time for that.
    pub(crate) fn close(&self) {
        let Some(adopted) = self.adopted.get() else { return };
        if self.closing.swap(true, Ordering::Relaxed) {
            return;
        }
        let Some(patience) = self.linger else { return adopted.close(Close::Reset) };
        adopted.close(Close::Graceful);
        let adopted = adopted.clone();
        if let Ok(runtime) = runtime::handle() {
            runtime.spawn(async move {
                if timeout(patience, adopted.ended()).await.is_err() {
                    adopted.close(Close::Reset);
                }
            });
        }
    }

    /// Has what was held up for want of room go on.
    pub(crate) fn resume(&self) {
        if let Some(adopted) = self.adopted.get() {
            adopted.resume();
        }
    }

    pub(crate) fn set_accept_data(&self, accept: bool) {
        lock(&self.options).accept_data = accept;
        if let Some(adopted) = self.adopted.get() {
            adopted.pause_reading(!accept);
        }
    }

    /// The next piece for `on_data_in`. The rules are asked for each: the handler may have changed them.
    pub(crate) fn next_piece(&self, direction: Direction, rules: &Rules, is_over: bool) -> Option<Piece> {
        let mut tapped = lock(&self.tapped[direction as usize]);
        let tapped = &mut *tapped;
        if let Some(piece) = tapped.framer.next(rules) {
            return Some(piece);
        }
        if tapped.waiting.is_empty() {
            return if is_over { tapped.framer.finish() } else { None };
        }
        tapped.framer.push(&tapped.waiting);
        tapped.waiting.clear();
        self.resume();
        tapped.framer.next(rules)
    }

    /// Whether the data of its channel are told of from now on.
    pub(crate) fn tell_of_channel(&self, wanted: bool) {
        self.channel.store(wanted, Ordering::Relaxed);
    }

    /// It is not in the queue any more.
    pub(crate) fn unqueue(&self) {
        self.queued.store(false, Ordering::Release);
    }

    /// Whether it was not in the queue, and is to be put there.
    pub(crate) fn enqueue(&self) -> bool {
        !self.queued.swap(true, Ordering::AcqRel)
    }

    /// Whether nothing was carried for as long as it may be silent.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        let Some(adopted) = self.adopted.get() else { return false };
        let mut options = lock(&self.options);
        let carried = adopted.sent() + adopted.received();
        if options.moved.1 != carried {
            options.moved = (now, carried);
        }
        seconds(options.idle_timeout).is_some_and(|patience| now.duration_since(options.moved.0) >= patience)
    }
}

/// Sees a client's data as the tunnel carries them, on the tunnel's own task.
pub(crate) struct Wiretap {
    pub(crate) tunnel: Weak<Inner>,
    pub(crate) client: Weak<Client>,
}

impl Wiretap {
    /// The client, if somebody wants its data of that direction.
    fn listened(&self, direction: Direction) -> Option<(Arc<Inner>, Arc<Client>)> {
        let (tunnel, client) = (self.tunnel.upgrade()?, self.client.upgrade()?);
        if !tunnel.handlers.has(EventKind::DataIn) {
            return None;
        }
        let wanted = match direction {
            Direction::ToTarget => true,
            Direction::ToClient => client.channel.load(Ordering::Relaxed),
        };
        wanted.then_some((tunnel, client))
    }
}

impl Tap for Wiretap {
    fn room(&self, direction: Direction) -> usize {
        let Some((_, client)) = self.listened(direction) else { return usize::MAX };
        MAX_TAPPED.saturating_sub(lock(&client.tapped[direction as usize]).waiting.len())
    }

    fn carried(&self, direction: Direction, bytes: &[u8]) {
        let Some((tunnel, client)) = self.listened(direction) else { return };
        lock(&client.tapped[direction as usize]).waiting.extend_from_slice(bytes);
        tunnel.enqueue(&client);
    }
}

/// What a piece is told as.
pub(crate) fn data_in(client: &Client, piece: Piece) -> DataIn {
    DataIn { connection_id: client.id.into(), text: piece.bytes, eol: piece.eol }
}

/// The clients, in the order in which they came. Numbers only grow, so the order is theirs, too.
#[derive(Default)]
pub(crate) struct Clients(Mutex<Vec<Arc<Client>>>);

impl Clients {
    pub(crate) fn add(&self, client: Arc<Client>) {
        let mut clients = lock(&self.0);
        let at = clients.partition_point(|other| other.id < client.id);
        clients.insert(at, client);
    }

    pub(crate) fn remove(&self, id: i32) {
        let mut clients = lock(&self.0);
        if let Ok(at) = clients.binary_search_by_key(&id, |client| client.id) {
            clients.remove(at);
        }
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.0).len()
    }

    /// The client of that number.
    pub(crate) fn of_id(&self, id: i32) -> Option<Arc<Client>> {
        let clients = lock(&self.0);
        let at = clients.binary_search_by_key(&id, |client| client.id).ok()?;
        clients.get(at).cloned()
    }

    /// The client at that place.
    ///
    /// # Errors
    /// There are not so many.
    pub(crate) fn at(&self, index: i32) -> Result<Arc<Client>, Error> {
        let found = usize::try_from(index).ok().and_then(|index| lock(&self.0).get(index).cloned());
        found.ok_or_else(|| Error::no_such_client(index))
    }

    pub(crate) fn all(&self) -> Vec<Arc<Client>> {
        lock(&self.0).clone()
    }
}
