//! Client role: the forwards that were asked for, and which of them a channel of the server belongs to.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use super::{RemoteBind, RequestId};

/// Forwards that the server may serve, or serves although nobody waits for it any more.
#[derive(Debug, Default)]
pub(crate) struct Forwards(BTreeMap<RequestId, Forward>);

#[derive(Debug)]
struct Forward {
    /// With the port that the server chose, once it is known.
    bind: RemoteBind,
    state: State,
}

/// ```text
///  Requested ──granted──▶ Granted ──cancel──▶ gone
///      ├──refused──▶ gone
///      └──timeout──▶ Abandoned ──any answer──▶ gone
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The server can be listening before its answer is here.
    Requested,
    Granted,
    /// The application was told that it is not to be had.
    Abandoned,
}

impl Forwards {
    pub(crate) fn request(&mut self, id: RequestId, bind: RemoteBind) {
        self.0.insert(id, Forward { bind, state: State::Requested });
    }

    /// Whether the answer must name a port.
    pub(crate) fn awaits_port(&self, id: RequestId) -> bool {
        self.0.get(&id).is_some_and(|forward| forward.bind.is_open_port())
    }

    /// The server listens. Gives what it is to stop listening on, when nobody waits for it any more.
    pub(crate) fn grant(&mut self, id: RequestId, chosen: Option<NonZeroU16>) -> Option<RemoteBind> {
        let forward = self.0.get_mut(&id)?;
        if let (RemoteBind::Tcp { port, .. }, Some(chosen)) = (&mut forward.bind, chosen) {
            *port = chosen.get();
        }
        match forward.state {
            State::Abandoned => self.remove(id),
            State::Requested | State::Granted => {
                forward.state = State::Granted;
                None
            }
        }
    }

    pub(crate) fn abandon(&mut self, id: RequestId) {
        if let Some(forward) = self.0.get_mut(&id) {
            forward.state = State::Abandoned;
        }
    }

    pub(crate) fn remove(&mut self, id: RequestId) -> Option<RemoteBind> {
        self.0.remove(&id).map(|forward| forward.bind)
    }

    pub(crate) fn remove_granted(&mut self, id: RequestId) -> Option<RemoteBind> {
        self.0.get(&id).filter(|forward| forward.state == State::Granted)?;
        self.remove(id)
    }

    /// The forward that a connection to this port belongs to. Servers differ in how they write the address: it only
    /// decides between forwards of the same port.
    pub(crate) fn find_tcp(&self, address: &str, port: u16) -> Option<RequestId> {
        let rank = |bind: &RemoteBind| match bind {
            RemoteBind::Tcp { address: asked, port: listened } if *listened == port => {
                Some(if asked == address { 0 } else { 1 })
            }
            // Not answered yet: the server knows the port already.
            RemoteBind::Tcp { port: 0, .. } => Some(2),
            _ => None,
        };
        let ranked = self.live().filter_map(|(id, bind)| Some((rank(bind)?, id)));
        ranked.min().map(|(_, id)| id)
    }

    /// The forward that a connection to this socket belongs to.
    pub(crate) fn find_unix(&self, path: &[u8]) -> Option<RequestId> {
        let is_it = |bind: &RemoteBind| matches!(bind, RemoteBind::Unix { path: asked } if asked == path);
        self.live().find(|(_, bind)| is_it(bind)).map(|(id, _)| id)
    }

    fn live(&self) -> impl Iterator<Item = (RequestId, &RemoteBind)> {
        let live = self.0.iter().filter(|(_, forward)| forward.state != State::Abandoned);
        live.map(|(id, forward)| (*id, &forward.bind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwards(ports: &[(&str, u16)]) -> Forwards {
        let mut forwards = Forwards::default();
        for (id, (address, port)) in (0..).zip(ports) {
            forwards.request(RequestId(id), RemoteBind::Tcp { address: (*address).to_owned(), port: *port });
        }
        forwards
    }

    #[test]
    fn the_port_decides_and_the_address_between_equal_ports() {
        let forwards = forwards(&[("a", 0), ("a", 80), ("b", 80)]);
        for (address, port, found) in [("a", 80, 1), ("b", 80, 2), ("127.0.0.1", 80, 1), ("a", 81, 0)] {
            assert_eq!(forwards.find_tcp(address, port), Some(RequestId(found)), "{address}:{port}");
        }
    }

    #[test]
    fn a_chosen_port_is_the_only_one_from_then_on() {
        let mut forwards = forwards(&[("a", 0)]);
        assert_eq!(forwards.grant(RequestId(0), NonZeroU16::new(4000)), None);
        assert_eq!(forwards.find_tcp("a", 4000), Some(RequestId(0)));
        assert_eq!(forwards.find_tcp("a", 4001), None);
    }

    #[test]
    fn what_nobody_waits_for_is_not_found_and_given_back_when_granted() {
        let mut forwards = forwards(&[("a", 0)]);
        forwards.abandon(RequestId(0));
        assert_eq!(forwards.find_tcp("a", 80), None);
        let bind = RemoteBind::Tcp { address: "a".to_owned(), port: 80 };
        assert_eq!(forwards.grant(RequestId(0), NonZeroU16::new(80)), Some(bind));
        assert!(forwards.0.is_empty());
    }
}
