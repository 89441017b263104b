//! The doors of a forward on this machine: who may come in.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::listen::{ACCEPT_PAUSE, Door};
use crate::session::{Carry, Socket, Stream};
use crate::supervisor::{Shared, Stop};
use crate::{Bound, Endpoint, Error, Event, Forward, Peer, ResolvedNames, proxy_client};

/// How long it has to go well again before it is said to.
const CALM: Duration = Duration::from_secs(1);

/// How long looking a name of the lists up may take.
const LOOKUP: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct Entrance {
    shared: Arc<Shared>,
    forward: Forward,
}

impl Entrance {
    pub(crate) fn new(shared: &Arc<Shared>, forward: Forward) -> Self {
        Self { shared: shared.clone(), forward }
    }

    /// Takes connections until the tunnel is over, or `stop` is true or dropped. The door is closed by the time when
    /// `stop` is not watched any more.
    pub(crate) async fn serve(self, door: Door, mut stop: watch::Receiver<bool>) {
        let mut tunnel = self.shared.stop.subscribe();
        tokio::select! {
            () = self.accept(&door) => {}
            _ = tunnel.wait_for(|stop| *stop == Stop::Now) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        drop(door);
        drop(self);
    }

    async fn accept(&self, door: &Door) {
        let mut trouble: Option<Instant> = None;
        loop {
            match door.accept().await {
                Ok((stream, peer)) => {
                    // What has just failed may fail again at once; that is one trouble, and told once.
                    if trouble.is_some_and(|since| since.elapsed() > CALM) {
                        trouble = None;
                        self.tell_trouble(door, "takes connections again");
                    }
                    self.admit(stream, peer);
                }
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    if trouble.replace(Instant::now()).is_none() {
                        self.tell_trouble(door, &format!("cannot take connections for the moment: {error}"));
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn tell_trouble(&self, door: &Door, what: &str) {
        let at: Bound = door.bound();
        self.shared.settings.tell(|| Event::Warning { text: format!("{at} {what}") });
    }

    fn admit(&self, stream: Stream, peer: Peer) {
        let socket = Socket::forwarded(stream);
        socket.configure(&self.shared.settings.client_socket);
        let address = match &peer {
            Peer::Tcp(address) => address.ip(),
            // The file's permissions have decided.
            _ => return self.enter(socket, peer),
        };
        if self.shared.settings.clients.names().next().is_none() {
            return self.admit_known(socket, peer, address, &ResolvedNames::default());
        }
        match self.shared.handshakes.clone().try_acquire_owned() {
            Ok(place) => {
                let entrance = self.clone();
                tokio::spawn(async move {
                    let names = entrance.look_up().await;
                    drop(place);
                    entrance.admit_known(socket, peer, address, &names);
                });
            }
            Err(_) => self.turn_away(socket, peer, Error::too_many(proxy_client::MAX_HANDSHAKES)),
        }
    }

    fn admit_known(&self, socket: Socket, peer: Peer, address: IpAddr, names: &ResolvedNames) {
        match self.shared.settings.clients.judge(address, names) {
            Ok(()) => self.enter(socket, peer),
            Err(denied) => {
                let what = format!("the client {address} ({denied})");
                self.turn_away(socket, peer, Error::not_allowed(what));
            }
        }
    }

    /// The addresses of the names in the lists. One that cannot be looked up at the moment stays unknown, which denies
    /// whoever might be it.
    async fn look_up(&self) -> ResolvedNames {
        let mut names = ResolvedNames::default();
        for name in self.shared.settings.clients.names() {
            if let Ok(Ok(found)) = timeout(LOOKUP, lookup_host((name, 0))).await {
                names.insert(name, found.map(|address| address.ip()));
            }
        }
        names
    }

    fn enter(&self, socket: Socket, peer: Peer) {
        self.shared.admit(self.introduce(socket, peer));
    }

    /// Resets somebody who may not come in, or for whom there is no room.
    fn turn_away(&self, socket: Socket, peer: Peer, error: Error) {
        self.shared.switchboard.turn_away(self.introduce(socket, peer), error);
    }

    fn introduce(&self, socket: Socket, peer: Peer) -> Carry {
        let target = self.forward.target().cloned().unwrap_or(Endpoint::Undecided);
        Carry::plain(socket, self.shared.tasks.introduce(peer, target))
    }
}

/// The connection went away before it was accepted; the listener is fine.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
