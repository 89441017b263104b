//! The component's object: members, methods, and the delivery of events.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use underpass::{Direction, TraceSwitch};

use crate::client::{Client, Clients, data_in};
use crate::event::{Handler, Handlers};
use crate::framing::Rules;
use crate::link::Link;
use crate::lock::lock;
use crate::queue::{Item, Queue, Turn};
use crate::resolve::Kept;
use crate::seen::Seen;
use crate::store::Store;
use crate::{Disconnected, Error, ErrorReported, Event, EventKind, Log, runtime};

/// A tunnel as a component: members that are set and read, methods, and events that handlers are told of.
///
/// Clones are handles to the same tunnel, which ends with the last one. It is used from any thread.
///
/// Handlers are called on the thread that calls [`do_events`](Self::do_events), or another method that waits, and never
/// while another handler runs. Data flows without `do_events`; only what a handler is to see or decide waits for it. A
/// handler may use the tunnel, but not have it [connect](Self::connect) or [listen](Self::start_listening), which would
/// wait for handlers. A handler that holds a handle keeps the tunnel: use the one that it is given.
#[derive(Clone)]
pub struct SshTunnel(
    pub(crate) Arc<Inner>,
    #[expect(dead_code, reason = "dropped, it ends the tunnel")] Arc<Life>,
);

/// What the handles share. Tasks that still hold the tunnel's inside when it goes must not keep the tunnel alive.
struct Life(Arc<Inner>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.queue.close();
        lock(&self.0.link).abandon();
    }
}

pub(crate) struct Inner {
    pub(crate) store: Mutex<Store>,
    pub(crate) handlers: Handlers,
    pub(crate) queue: Queue,
    pub(crate) clients: Clients,
    pub(crate) link: Mutex<Link>,
    pub(crate) seen: Mutex<Seen>,
    pub(crate) kept: Mutex<Kept>,
    /// Why a server was refused, where its key is not the reason.
    pub(crate) refusal: Mutex<Option<Error>>,
    /// Whether the connection to the server was told of as there.
    pub(crate) is_up: AtomicBool,
    /// The number of the next client.
    pub(crate) next_id: AtomicI32,
    /// Whether a call that waits is to give up.
    interrupt: Mutex<Option<Interrupt>>,
    /// Held by everything that counts for `MaxConnections`.
    pub(crate) places: Arc<()>,
    /// Attempts in a row to make the connection anew.
    pub(crate) retries: AtomicU32,
    /// When clients were looked through for idle ones.
    idle_check: Mutex<Option<Instant>>,
    /// How much of packets is logged.
    pub(crate) trace: TraceSwitch,
}

type Interrupt = Arc<dyn Fn() -> bool + Send + Sync>;

/// Clients are looked through for idle ones so often. Their timeouts are whole seconds.
const IDLE_CHECK: Duration = Duration::from_millis(250);

/// How long a method that waits sleeps at most while another thread delivers.
const GLANCE: Duration = Duration::from_millis(20);

impl Default for SshTunnel {
    fn default() -> Self {
        Self::new()
    }
}

impl SshTunnel {
    /// A tunnel with every member at its default.
    pub fn new() -> Self {
        let inner = Arc::new(Inner {
            store: Mutex::default(),
            handlers: Handlers::default(),
            queue: Queue::default(),
            clients: Clients::default(),
            link: Mutex::default(),
            seen: Mutex::default(),
            kept: Mutex::default(),
            refusal: Mutex::default(),
            is_up: AtomicBool::new(false),
            next_id: AtomicI32::new(1),
            places: Arc::default(),
            retries: AtomicU32::new(0),
            interrupt: Mutex::default(),
            idle_check: Mutex::default(),
            trace: TraceSwitch::default(),
        });
        let life = Arc::new(Life(inner.clone()));
        Self(inner, life)
    }

    /// Delivers the events that wait; without any it waits for `SelectWaitMillis`. Clients that have been idle for too long
    /// are disconnected. Called by a handler it does nothing; while another thread delivers it only waits.
    pub fn do_events(&self) {
        let wait = u64::try_from(lock(&self.0.store).number("SelectWaitMillis")).unwrap_or(0);
        let until = Instant::now() + Duration::from_millis(wait);
        match self.0.queue.begin() {
            Some(turn) => {
                if self.wait_until(until) {
                    self.deliver(&turn);
                }
                self.disconnect_idle();
            }
            None if self.0.queue.is_in_handler() => {}
            None => self.0.queue.pause(until.min(Instant::now() + GLANCE)),
        }
    }

    /// Waits until there is an event, or it is then. Whether there is one.
    fn wait_until(&self, until: Instant) -> bool {
        loop {
            let glance = until.min(Instant::now() + GLANCE);
            if self.0.queue.wait(glance, || false) {
                return true;
            }
            if Instant::now() >= until || self.is_interrupted() {
                return false;
            }
        }
    }

    /// Has calls that wait ask, on their thread and every few milliseconds, whether they are to give up: for signals, such
    /// as Ctrl-C, that a program looks for itself.
    pub fn interrupt_when(&self, is_wanted: impl Fn() -> bool + Send + Sync + 'static) {
        *lock(&self.0.interrupt) = Some(Arc::new(is_wanted));
    }

    fn is_interrupted(&self) -> bool {
        let interrupt = lock(&self.0.interrupt).clone();
        interrupt.is_some_and(|is_wanted| is_wanted())
    }

    /// Delivers what waits now. What handlers add waits for the next time.
    fn deliver(&self, _: &Turn<'_>) {
        let lost = self.0.queue.lost_lines();
        if lost > 0 {
            let message = format!("{lost} lines of the log were lost, since nobody called do_events");
            self.call(&mut Log { log_level: 1, message, log_type: String::new() }.into());
        }
        for _ in 0..self.0.queue.len() {
            match self.0.queue.take() {
                Some(Item::Tell(mut event)) => self.call(&mut event),
                Some(Item::Ask(mut event, answer)) => {
                    self.call(&mut event);
                    // Whoever asked may have given up.
                    let _ = answer.send(event);
                }
                Some(Item::Data(client)) => self.deliver_data(&client),
                Some(Item::Gone(client, event)) => self.deliver_end(&client, event),
                None => return,
            }
        }
    }

    fn call(&self, event: &mut Event) {
        self.0.handlers.call(self, event);
    }

    /// Tells of one client's data, and leaves what is left for later.
    fn deliver_data(&self, client: &Arc<Client>) {
        client.unqueue();
        let is_more = Cell::new(true);
        // Also if a handler panics.
        let _later = OnDrop(|| {
            if is_more.get() {
                self.0.enqueue(client);
            }
        });
        // What comes while the last piece is told of finds the client out of the queue, and puts it there.
        is_more.set(!self.deliver_pieces(client, false));
    }

    /// All of a client's data are told of before its end is.
    fn deliver_end(&self, client: &Arc<Client>, event: Disconnected) {
        let end = Cell::new(Some(event));
        // Also if a handler panics.
        let _later = OnDrop(|| {
            if let Some(event) = end.take() {
                self.0.queue.put(Item::Gone(client.clone(), event));
            }
        });
        if self.deliver_pieces(client, true)
            && let Some(event) = end.take()
        {
            let _forget = OnDrop(|| self.0.forget(client.id));
            self.call(&mut event.into());
        }
    }

    /// Tells of one client's data for as long as `MaxReadTime` allows before others have their turn. Whether that is all.
    fn deliver_pieces(&self, client: &Arc<Client>, is_over: bool) -> bool {
        let most = u64::try_from(lock(&self.0.store).number("MaxReadTime")).unwrap_or(0);
        let until = (most > 0).then(|| Instant::now() + Duration::from_millis(most));
        while self.deliver_piece(client, is_over) {
            if until.is_some_and(|until| Instant::now() >= until) {
                return false;
            }
        }
        true
    }

    /// Whether there was a piece.
    fn deliver_piece(&self, client: &Arc<Client>, is_over: bool) -> bool {
        let rules = self.0.rules(client);
        if let Some(piece) = client.next_piece(Direction::ToTarget, &rules, is_over) {
            self.call(&mut data_in(client, piece).into());
            return true;
        }
        let Some(rules) = self.0.channel_rules(client.id) else { return false };
        let Some(piece) = client.next_piece(Direction::ToClient, &rules, is_over) else { return false };
        lock(&self.0.seen).channel_eol_found = Some((client.id, piece.eol));
        self.call(&mut data_in(client, piece).into());
        lock(&self.0.seen).channel_eol_found = None;
        true
    }

    fn disconnect_idle(&self) {
        let now = Instant::now();
        let mut last = lock(&self.0.idle_check);
        if last.is_some_and(|last| now.duration_since(last) < IDLE_CHECK) {
            return;
        }
        *last = Some(now);
        drop(last);
        for client in self.0.clients.all() {
            if client.is_idle(now) {
                client.close();
            }
        }
    }

    /// Has something done by the threads of all tunnels, and delivers events until it is.
    ///
    /// # Errors
    /// A handler calls: what is waited for may wait for handlers.
    pub(crate) fn wait_for<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        self.wait_for_unless(work, || None)
    }

    /// The same, unless there is a reason to give up.
    pub(crate) fn wait_for_unless<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        gives_up: impl Fn() -> Option<Error>,
    ) -> Result<T, Error> {
        self.no_handler_runs_here()?;
        let (done, result) = mpsc::channel();
        let inner = self.0.clone();
        let task = runtime::handle()?.spawn(async move {
            // Whoever waits may have given up.
            let _ = done.send(work.await);
            inner.queue.notify();
        });
        // If a handler panics, or the call gives up, nobody waits for it any more.
        let _task = OnDrop(|| task.abort());
        let mut arrived = None;
        loop {
            match result.try_recv() {
                Ok(result) => arrived = Some(result),
                Err(mpsc::TryRecvError::Empty) => {}
                Err(mpsc::TryRecvError::Disconnected) if arrived.is_none() => {
                    return Err(
                        Error::new(211).because("The work was given up; this is a fault of the tunnel's.")
                    );
                }
                Err(mpsc::TryRecvError::Disconnected) => {}
            }
            // What happened before it was done is told before it is.
            let turn = self.0.queue.begin();
            let is_ours = turn.is_some();
            if let Some(turn) = turn {
                self.deliver(&turn);
            }
            let until = Instant::now() + GLANCE;
            match arrived {
                Some(result) => return Ok(result),
                None if is_ours => drop(self.0.queue.wait(until, || false)),
                None => self.0.queue.pause(until),
            }
            if self.is_interrupted() {
                return Err(Error::new(211).because("The call was interrupted."));
            }
            if let Some(error) = gives_up() {
                return Err(error);
            }
        }
    }

    /// What is waited for may wait for handlers, of which one runs at a time.
    ///
    /// # Errors
    /// A handler calls.
    pub(crate) fn no_handler_runs_here(&self) -> Result<(), Error> {
        match self.0.queue.is_in_handler() {
            true => {
                Err(Error::new(211).because("A handler cannot wait for this; call it when no handler runs."))
            }
            false => Ok(()),
        }
    }

    pub(crate) fn set_handler(&self, kind: EventKind, handler: Option<Handler>) {
        self.0.handlers.set(kind, handler);
        if kind == EventKind::Log {
            self.0.adjust_trace();
        }
        if kind == EventKind::DataIn && !self.0.handlers.has(kind) {
            // What waited for the handler to take more goes on without it.
            self.0.clients.all().iter().for_each(|client| client.resume());
        }
    }

    /// Sets who is told of events of a kind, in place of whoever was; the event's fields are got and set by name.
    pub fn on(&self, kind: EventKind, handler: impl FnMut(&Self, &mut Event) + Send + 'static) {
        self.set_handler(kind, Some(Box::new(handler)));
    }

    /// Has nobody told of events of a kind any more.
    pub fn off(&self, kind: EventKind) {
        self.set_handler(kind, None);
    }
}

/// Does something at the end of a block, also of one that a handler's panic ends.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

impl Inner {
    /// Has a client's data told of, unless that is to come anyway.
    pub(crate) fn enqueue(&self, client: &Arc<Client>) {
        if client.enqueue() {
            self.queue.put(Item::Data(client.clone()));
        }
    }

    /// Tells of something, if anybody wants to know.
    pub(crate) fn tell<E: Into<Event>>(&self, kind: EventKind, event: impl FnOnce() -> E) {
        if self.handlers.has(kind) {
            self.queue.put(Item::Tell(event().into()));
        }
    }

    /// Tells of something that many of may come.
    pub(crate) fn tell_line<E: Into<Event>>(&self, kind: EventKind, event: impl FnOnce() -> E) {
        if self.handlers.has(kind) {
            self.queue.put_line(event().into());
        }
    }

    /// Has the handler decide. The event as it was if there is none; `None` if the answer is not wanted any more.
    pub(crate) async fn ask(inner: Arc<Self>, event: Event) -> Option<Event> {
        if !inner.handlers.has(event.kind()) {
            return Some(event);
        }
        let answer = inner.put_question(event);
        drop(inner);
        answer.await.ok()
    }

    /// The same, for threads that may block.
    pub(crate) fn ask_blocking(&self, event: Event) -> Option<Event> {
        if !self.handlers.has(event.kind()) {
            return Some(event);
        }
        self.put_question(event).blocking_recv().ok()
    }

    fn put_question(&self, event: Event) -> oneshot::Receiver<Event> {
        let (reply, answer) = oneshot::channel();
        self.queue.put(Item::Ask(event, reply));
        answer
    }

    /// Tells of an error that no call can report.
    pub(crate) fn report(&self, connection_id: i64, error: &Error) {
        let (error_code, description) = (error.code().into(), error.message().to_owned());
        self.tell(EventKind::ErrorReported, || ErrorReported { connection_id, error_code, description });
    }

    /// How a client's data are cut now.
    fn rules(&self, client: &Client) -> Rules {
        let options = lock(&client.options).clone();
        let store = lock(&self.store);
        let record_length = options.record_length.unwrap_or_else(|| store.number("RecordLength"));
        Rules {
            eol: options.eol,
            single_line: options.single_line_mode,
            record_length: usize::try_from(record_length).unwrap_or(0),
            max_line: usize::try_from(store.number("MaxLineLength")).unwrap_or(0),
            ..Rules::default()
        }
    }

    /// How the data of a client's channel are cut, if they are told of.
    pub(crate) fn channel_rules(&self, id: i32) -> Option<Rules> {
        let store = lock(&self.store);
        let eol = store.of_index("ChannelDataEOL", id)?;
        let most = store.of_index("MaxChannelDataLength", id)?.as_int()?;
        let eol = eol.as_text().filter(|eol| !eol.is_empty())?.as_bytes().to_vec();
        let most = usize::try_from(most).ok().filter(|most| *most > 0)?;
        Some(Rules::of_channel(&eol, most))
    }

    /// A client is gone, and was told of.
    pub(crate) fn forget(&self, id: i32) {
        self.clients.remove(id);
        lock(&self.store).forget(id);
    }
}

impl fmt::Debug for SshTunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SshTunnel").field("clients", &self.0.clients.len()).finish_non_exhaustive()
    }
}
