//! Remote forwards: what the server is asked to listen for, what it has granted, and where its connections go.

use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedSender, WeakUnboundedSender};
use tokio::sync::watch;
use underpass_proto::{RemoteBind, RequestOutcome};

use crate::blocking::lock;
use crate::session::Command;
use crate::supervisor::{Shared, Stop};
use crate::switchboard::Switchboard;
use crate::{Bind, Bound, Endpoint, Error, Event, Forward, ForwardId, Interface};

/// How long to wait before a refused forward is asked for again. A server notices after some time that an earlier
/// connection of ours is dead, and only then is its port free.
const AGAIN: Duration = Duration::from_secs(5);

/// The remote forwards of a tunnel. Those that should be there are asked for on every connection.
#[derive(Default)]
pub(crate) struct Remotes(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    forwards: Vec<Remote>,
    /// The session of the moment; weak, for it holds this.
    session: Option<WeakUnboundedSender<Command>>,
    shared: Option<Weak<Shared>>,
}

struct Remote {
    id: ForwardId,
    forward: Forward,
    /// What is wanted.
    door: RemoteBind,
    /// What was asked for last: a port that the server has chosen before, if it can be had again.
    asked: RemoteBind,
    /// Whether a refusal is final: until it was granted once, if somebody waits for that.
    at_once: bool,
    /// Whether whoever has added it still waits, and is the one to tell that it is listened for.
    awaited: bool,
    status: watch::Sender<Status>,
}

#[derive(Debug, Clone)]
enum Status {
    /// It is to be asked for, or was.
    Asked,
    Granted(Bound),
    Refused(Error),
}

/// Where connections of a remote forward go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    Fixed(Endpoint),
    /// The connection says so itself.
    Dynamic,
}

impl Remotes {
    /// Asks for a forward, now or as soon as there is a connection, and waits for the answer.
    ///
    /// # Errors
    /// The server does not grant it, and it has to be had at once. Otherwise it goes on being asked for, as it does once
    /// it was granted.
    pub(crate) async fn add(
        &self,
        id: ForwardId,
        forward: &Forward,
        at_once: bool,
        shared: &Arc<Shared>,
    ) -> Result<(), Error> {
        let Some(door) = bind_of(forward) else { return Ok(()) };
        let (status, mut answer) = watch::channel(Status::Asked);
        {
            let mut inner = self.lock();
            inner.shared = Some(Arc::downgrade(shared));
            inner.ask(id, &door);
            let asked = door.clone();
            inner.forwards.push(Remote {
                id,
                forward: forward.clone(),
                door,
                asked,
                at_once,
                awaited: true,
                status,
            });
        }
        let mut over = shared.stop.subscribe();
        let answer = tokio::select! {
            answer = answer.wait_for(|status| !matches!(status, Status::Asked)) => answer.map(|status| status.clone()),
            _ = over.wait_for(|stop| *stop == Stop::Now) => return Err(Error::stopped()),
        };
        if let Some(remote) = self.lock().forwards.iter_mut().find(|remote| remote.id == id) {
            remote.awaited = false;
        }
        match answer {
            Ok(Status::Refused(error)) if at_once => Err(error),
            Ok(Status::Granted(address)) => {
                shared.settings.tell(|| Event::Listening { forward: forward.clone(), address });
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(_) => Err(Error::stopped()),
        }
    }

    /// Gives a forward up, and its port on the server back.
    pub(crate) fn remove(&self, id: ForwardId, switchboard: &Switchboard) {
        let removed = {
            let mut inner = self.lock();
            let at = inner.forwards.iter().position(|remote| remote.id == id);
            at.map(|at| inner.forwards.remove(at))
        };
        if removed.is_some() {
            switchboard.tell(Command::Unlisten(id));
        }
    }

    /// There is a new connection, on which everything is to be asked for again.
    pub(crate) fn begin(&self, session: &UnboundedSender<Command>) {
        let mut inner = self.lock();
        inner.session = Some(session.downgrade());
        for remote in &mut inner.forwards {
            if let Status::Granted(bound) = remote.status.send_replace(Status::Asked) {
                remote.asked = with_port(&remote.door, bound.port());
            }
        }
        inner.forwards.iter().for_each(|remote| inner.ask(remote.id, &remote.asked));
    }

    /// The server has answered.
    pub(crate) fn answered(&self, id: ForwardId, outcome: RequestOutcome, host: &str) {
        let mut inner = self.lock();
        let Some(shared) = inner.shared.as_ref().and_then(Weak::upgrade) else { return };
        let Some(remote) = inner.forwards.iter_mut().find(|remote| remote.id == id) else { return };
        if let RequestOutcome::Granted { port } = outcome {
            let bound = bound(&remote.asked, port);
            remote.at_once = false;
            remote.status.send_replace(Status::Granted(bound.clone()));
            let (forward, awaited) = (remote.forward.clone(), remote.awaited);
            drop(inner);
            if !awaited {
                shared.settings.tell(|| Event::Listening { forward, address: bound });
            }
            return;
        }
        let error = Error::remote_refused(host, &remote.forward);
        remote.status.send_replace(Status::Refused(error.clone()));
        if remote.at_once {
            return;
        }
        drop(inner);
        let text = format!("{error}; asking again in {} s", AGAIN.as_secs());
        shared.settings.tell(|| Event::Warning { text });
        tokio::spawn(async move {
            tokio::time::sleep(AGAIN).await;
            shared.tasks.remotes.ask_again(id);
        });
    }

    fn ask_again(&self, id: ForwardId) {
        let mut inner = self.lock();
        let Some(remote) = inner.forwards.iter_mut().find(|remote| remote.id == id) else { return };
        if matches!(*remote.status.borrow(), Status::Refused(_)) {
            // A port that the server chose before is asked for again, too: somebody was told of it.
            // What is under way is not asked for a second time, which the server would refuse.
            remote.status.send_replace(Status::Asked);
            let asked = remote.asked.clone();
            inner.ask(id, &asked);
        }
    }

    /// Where the connections of a forward go.
    pub(crate) fn destination(&self, id: ForwardId) -> Option<Destination> {
        let inner = self.lock();
        let remote = inner.forwards.iter().find(|remote| remote.id == id)?;
        Some(match &remote.forward {
            Forward::Remote { target, .. } => Destination::Fixed(target.clone()),
            _ => Destination::Dynamic,
        })
    }

    /// A place among the connections that may be open at the same time; `None` when all are taken.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        let shared = self.lock().shared.as_ref().and_then(Weak::upgrade)?;
        shared.places.clone().try_acquire_owned().ok()
    }

    /// Where the server listens for a forward at the moment.
    pub(crate) fn bound(&self, id: ForwardId) -> Option<Bound> {
        let inner = self.lock();
        let remote = inner.forwards.iter().find(|remote| remote.id == id)?;
        match &*remote.status.borrow() {
            Status::Granted(bound) => Some(bound.clone()),
            Status::Asked | Status::Refused(_) => None,
        }
    }

    /// Why the server does not listen for a forward.
    pub(crate) fn refusal(&self, id: ForwardId, forward: &Forward) -> Error {
        let inner = self.lock();
        match inner
            .forwards
            .iter()
            .find(|remote| remote.id == id)
            .map(|remote| remote.status.borrow().clone())
        {
            Some(Status::Refused(error)) => error,
            _ => Error::remote_refused("the server", forward),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change leaves it sound.
        lock(&self.0)
    }
}

impl Inner {
    fn ask(&self, id: ForwardId, door: &RemoteBind) {
        if let Some(session) = self.session.as_ref().and_then(WeakUnboundedSender::upgrade) {
            // A session that has ended is followed by one that is asked.
            let _ = session.send(Command::Listen(id, door.clone()));
        }
    }
}

/// What the server is asked to listen on.
fn bind_of(forward: &Forward) -> Option<RemoteBind> {
    let address = match forward {
        Forward::Remote { bind: Bind::Unix(path), .. } => {
            return Some(RemoteBind::Unix { path: path.as_os_str().as_encoded_bytes().to_vec() });
        }
        Forward::Remote { bind: Bind::Tcp(address), .. } | Forward::RemoteDynamic { bind: address } => {
            address
        }
        Forward::Local { .. } | Forward::Dynamic { .. } => return None,
    };
    let host = match &address.interface {
        Interface::Default | Interface::Loopback => "localhost".to_owned(),
        Interface::All => String::new(),
        Interface::Host(host) => host.clone(),
    };
    Some(RemoteBind::Tcp { address: host, port: address.port })
}

/// Where the server listens, which chose the port if it was left to it.
fn bound(bind: &RemoteBind, chosen: Option<NonZeroU16>) -> Bound {
    match bind {
        RemoteBind::Tcp { address, port } => {
            Bound::Remote { host: address.clone(), port: chosen.map_or(*port, NonZeroU16::get) }
        }
        RemoteBind::Unix { path } => Bound::RemoteUnix(String::from_utf8_lossy(path).into_owned().into()),
    }
}

/// The same with a port that was had before.
fn with_port(bind: &RemoteBind, real: Option<u16>) -> RemoteBind {
    match (bind, real) {
        (RemoteBind::Tcp { address, .. }, Some(port)) => RemoteBind::Tcp { address: address.clone(), port },
        (bind, _) => bind.clone(),
    }
}
