//! How a connection that may come in gets its place, and hears where it goes.

use std::sync::Arc;
use std::time::Instant;

use crate::proxy_client::{self, Asked};
use crate::session::{Asker, Carry, ConnectionInfo};
use crate::supervisor::Shared;
use crate::{Endpoint, Error, Event};

impl Shared {
    /// Has a connection carried. One whose target is undecided says first where it goes, on a task of its own.
    pub(crate) fn admit(self: &Arc<Self>, carry: Carry) {
        if carry.info.target != Endpoint::Undecided {
            return self.place(carry);
        }
        match self.handshakes.clone().try_acquire_owned() {
            Ok(place) => {
                let shared = self.clone();
                self.runtime.spawn(async move {
                    shared.ask(carry).await;
                    drop(place);
                });
            }
            Err(_) => self.switchboard.turn_away(carry, Error::too_many(proxy_client::MAX_HANDSHAKES)),
        }
    }

    /// Lets the client say where it wants to go.
    async fn ask(&self, mut carry: Carry) {
        let withdrawn = carry.withdrawn();
        let asked = tokio::select! {
            asked = proxy_client::negotiate(&self.settings, &mut carry.socket) => asked,
            () = withdrawn => Err(Error::withdrawn()),
        };
        match asked {
            Ok(Asked { target, acceptor, early }) => {
                let info = ConnectionInfo { target, since: Instant::now(), ..carry.info };
                self.place(Carry { info, early, asker: Asker::Proxy(Box::new(acceptor)), ..carry });
            }
            // It has been told in its own protocol, as well as may be, and is no connection of the tunnel yet.
            Err(error) => {
                let text = format!("{}: {}", carry.info.peer, error.kind());
                self.settings.tell(|| Event::Detail { level: 1, text });
                carry.give_up(error);
            }
        }
    }

    /// Has a connection carried whose target is known, if there is a place for it.
    pub(crate) fn place(&self, mut carry: Carry) {
        match self.places.clone().try_acquire_owned() {
            Ok(place) => {
                carry.place = Some(place);
                self.switchboard.carry(carry);
            }
            Err(_) => {
                let error = Error::too_many(self.settings.max_connections);
                self.switchboard.turn_away(carry, error);
            }
        }
    }
}
