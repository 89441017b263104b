//! Which messages are legal when: the wire's table, judged by the state of the connection.

use underpass_wire::{Context, Direction, Number, Phases, lookup};

use super::{Auth, Core, Phase};
use crate::error::{Error, PeerMisbehaved};
use crate::role::Role;

impl Core {
    /// Checks number, direction and phase before anything is decoded. False for a number that nobody knows.
    pub(super) fn is_legal(&self, number: Number, context: Context) -> Result<bool, Error> {
        let unexpected = || Err(Error::Peer(PeerMisbehaved::Unexpected { number, phase: self.phase_name() }));
        let transport_only = Number::DISCONNECT.0..=Number::DEBUG.0;
        if self.exchange.is_strict_first()
            && transport_only.contains(&number.0)
            && number != Number::DISCONNECT
        {
            return Err(PeerMisbehaved::StrictKex.into());
        }
        let Some(info) = lookup(number.0, context) else {
            let in_context = (30..=49).contains(&number.0) || (60..=79).contains(&number.0);
            if in_context || self.exchange.is_strict_first() {
                return unexpected();
            }
            return Ok(false);
        };
        let from_peer = match info.direction {
            Direction::Both => true,
            Direction::ClientToServer => self.role == Role::Server,
            Direction::ServerToClient => self.role == Role::Client,
        };
        let in_phase = info.phases.contains(self.phase_bit());
        if !from_peer || !in_phase { unexpected() } else { Ok(true) }
    }

    /// The phase in which the peer's next message is judged.
    fn phase_bit(&self) -> Phases {
        match &self.phase {
            Phase::Authentication(_) | Phase::Open(_) if self.exchange.peer_is_gated() => Phases::REKEY,
            // The peer's keys can be in use before ours are, while the application looks at the host key.
            Phase::FirstKex if self.exchange.session_id().is_some() && !self.exchange.peer_is_gated() => {
                Phases::SERVICE
            }
            Phase::Identification(_) | Phase::FirstKex => Phases::FIRST_KEX,
            Phase::Authentication(auth) => {
                let has_service = match &**auth {
                    Auth::Client(auth) => auth.has_service(),
                    Auth::Server(auth) => auth.has_service(),
                };
                if has_service { Phases::AUTH } else { Phases::SERVICE }
            }
            Phase::Open(_) => Phases::OPEN,
            Phase::Closed => Phases::NONE,
        }
    }

    pub(super) fn phase_name(&self) -> &'static str {
        match &self.phase {
            _ if self.exchange.peer_is_gated() => "a key exchange",
            Phase::Identification(_) => "the identification",
            Phase::FirstKex => "the first key exchange",
            Phase::Authentication(_) => "the authentication",
            Phase::Open(_) => "the open connection",
            Phase::Closed => "the end",
        }
    }

    pub(super) fn context(&self) -> Context {
        let auth = match &self.phase {
            Phase::Authentication(auth) => match &**auth {
                Auth::Client(auth) => auth.method(),
                Auth::Server(auth) => auth.method(),
            },
            _ => None,
        };
        Context { kex: self.exchange.family(), auth }
    }
}
