//! The forwards of a tunnel: which there are, where they take connections, adding and removing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;

use crate::blocking::lock;
use crate::entrance::Entrance;
use crate::listen::{self, Door};
use crate::supervisor::{Shared, Stop};
use crate::{Bind, Bound, Error, Event, Forward};

/// A forward's number within its tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ForwardId(u64);

/// A forward of a running tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveForward {
    /// Its number.
    pub id: ForwardId,
    /// What was asked for.
    pub forward: Forward,
    /// Where it takes connections now. Empty for a remote forward that the server has not granted at the moment.
    pub bound: Vec<Bound>,
}

pub(crate) struct Forwards {
    shared: Arc<Shared>,
    ids: AtomicU64,
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    id: ForwardId,
    forward: Forward,
    place: Place,
}

enum Place {
    /// This machine listens. The sender tells it to stop, and is closed once its ports are free.
    Here { bound: Vec<Bound>, doors: Vec<Door>, stop: watch::Sender<bool> },
    /// The server listens.
    There,
}

impl Forwards {
    /// Takes the ports of this machine that the settings name. What cannot be taken is an error or a warning, as they
    /// say.
    pub(crate) async fn bind(shared: &Arc<Shared>) -> Result<Self, Error> {
        let forwards =
            Self { shared: shared.clone(), ids: AtomicU64::new(0), entries: Mutex::new(Vec::new()) };
        for forward in &shared.settings.forwards {
            if let Err(error) = forwards.insert(forward.clone()).await {
                forwards.tolerate(error)?;
            }
        }
        Ok(forwards)
    }

    /// Opens the doors, and has the server open its own.
    pub(crate) async fn serve(&self) -> Result<(), Error> {
        let ids: Vec<ForwardId> = self.lock().iter().map(|entry| entry.id).collect();
        for id in ids {
            self.start(id, self.shared.settings.exit_on_forward_failure).await?;
        }
        Ok(())
    }

    pub(crate) async fn add(&self, forward: Forward) -> Result<ForwardId, Error> {
        self.check_open()?;
        let id = self.insert(forward).await?;
        // A stop that came meanwhile may have missed it.
        match self.start(id, true).await.and_then(|()| self.check_open()) {
            Ok(()) => Ok(id),
            Err(error) => {
                self.remove(id).await;
                Err(error)
            }
        }
    }

    pub(crate) async fn remove(&self, id: ForwardId) -> bool {
        let removed = {
            let mut entries = self.lock();
            let at = entries.iter().position(|entry| entry.id == id);
            at.map(|at| entries.remove(at))
        };
        let Some(entry) = removed else { return false };
        self.end(entry).await;
        true
    }

    pub(crate) async fn remove_all(&self) {
        let entries = std::mem::take(&mut *self.lock());
        for entry in entries {
            self.end(entry).await;
        }
    }

    pub(crate) fn list(&self) -> Vec<ActiveForward> {
        let entries = self.lock();
        let active = entries.iter().map(|entry| ActiveForward {
            id: entry.id,
            forward: entry.forward.clone(),
            bound: match &entry.place {
                Place::Here { bound, .. } => bound.clone(),
                Place::There => self.shared.tasks.remotes.bound(entry.id).into_iter().collect(),
            },
        });
        active.collect()
    }

    /// Whether each forward takes connections.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.list().into_iter().find(|forward| forward.bound.is_empty()) {
            None => Ok(()),
            Some(forward) => Err(self.shared.tasks.remotes.refusal(forward.id, &forward.forward)),
        }
    }

    /// Nothing is added to a tunnel that is being stopped, or has ended.
    fn check_open(&self) -> Result<(), Error> {
        match *self.shared.stop.borrow() {
            Stop::No => Ok(()),
            Stop::At(_) | Stop::Now => Err(Error::stopped()),
        }
    }

    async fn insert(&self, forward: Forward) -> Result<ForwardId, Error> {
        let place = match &forward {
            Forward::Local { bind, .. } => self.here(bind).await?,
            Forward::Dynamic { bind } => self.here(&Bind::Tcp(bind.clone())).await?,
            Forward::Remote { .. } | Forward::RemoteDynamic { .. } => Place::There,
        };
        let id = ForwardId(self.ids.fetch_add(1, Ordering::Relaxed) + 1);
        self.lock().push(Entry { id, forward, place });
        Ok(id)
    }

    async fn here(&self, bind: &Bind) -> Result<Place, Error> {
        let doors = listen::bind(&self.shared.settings, bind).await?;
        let bound = doors.iter().map(Door::bound).collect();
        Ok(Place::Here { bound, doors, stop: watch::Sender::new(false) })
    }

    /// Takes connections for a forward; the server must let it do so `at_once`, or as soon as it will.
    async fn start(&self, id: ForwardId, at_once: bool) -> Result<(), Error> {
        let forward = {
            let mut entries = self.lock();
            let Some(Entry { forward, place, .. }) = entries.iter_mut().find(|entry| entry.id == id) else {
                return Ok(());
            };
            if let Place::Here { doors, stop, .. } = place {
                for door in doors.drain(..) {
                    let (forward, address) = (forward.clone(), door.bound());
                    self.shared.settings.tell(|| Event::Listening { forward: forward.clone(), address });
                    tokio::spawn(Entrance::new(&self.shared, forward).serve(door, stop.subscribe()));
                }
                return Ok(());
            }
            forward.clone()
        };
        self.shared.tasks.remotes.add(id, &forward, at_once, &self.shared).await
    }

    async fn end(&self, entry: Entry) {
        match entry.place {
            Place::Here { stop, doors, .. } => {
                drop(doors);
                stop.send_replace(true);
                stop.closed().await;
            }
            Place::There => self.shared.tasks.remotes.remove(entry.id, &self.shared.switchboard),
        }
    }

    fn tolerate(&self, error: Error) -> Result<(), Error> {
        if self.shared.settings.exit_on_forward_failure {
            return Err(error);
        }
        self.shared.settings.tell(|| Event::Warning { text: error.to_string() });
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        // Each change leaves the list sound.
        lock(&self.entries)
    }
}
