//! Which channels a peer may ask for, before anybody is bothered with it.

use underpass_wire::{ChannelKind as Wire, OpenFailureReason};

use crate::event::ChannelKind;
use crate::global::forwards::Forwards;
use crate::limits::{MAX_HOST, MAX_PATH};
use crate::role::Role;

/// What the application is to be asked, or why not. A server may open what a forward of ours is there for, and
/// nothing else.
pub(crate) fn admit(
    role: Role,
    kind: &Wire<'_>,
    forwards: &Forwards,
) -> Result<ChannelKind, OpenFailureReason> {
    let admitted = match role {
        Role::Client => forwarded(kind, forwards).ok_or(OpenFailureReason::ADMINISTRATIVELY_PROHIBITED)?,
        Role::Server => direct(kind)?,
    };
    if is_within_bounds(&admitted) { Ok(admitted) } else { Err(OpenFailureReason::CONNECT_FAILED) }
}

/// What a server opens, if we have asked for it.
fn forwarded(kind: &Wire<'_>, forwards: &Forwards) -> Option<ChannelKind> {
    match *kind {
        Wire::ForwardedTcpip { address, port, originator, originator_port } => {
            let port = u16::try_from(port).ok()?;
            Some(ChannelKind::ForwardedTcpip {
                forward: forwards.find_tcp(address, port)?,
                address: address.to_owned(),
                port,
                originator: originator.to_owned(),
                originator_port,
            })
        }
        Wire::ForwardedStreamlocal { path } => Some(ChannelKind::ForwardedStreamlocal {
            forward: forwards.find_unix(path)?,
            path: path.to_vec(),
        }),
        _ => None,
    }
}

/// What a client opens.
fn direct(kind: &Wire<'_>) -> Result<ChannelKind, OpenFailureReason> {
    match *kind {
        Wire::DirectTcpip { host, port, originator, originator_port } => Ok(ChannelKind::DirectTcpip {
            host: host.to_owned(),
            port,
            originator: originator.to_owned(),
            originator_port,
        }),
        Wire::DirectStreamlocal { path } => Ok(ChannelKind::DirectStreamlocal { path: path.to_vec() }),
        Wire::Session => Err(OpenFailureReason::ADMINISTRATIVELY_PROHIBITED),
        _ => Err(OpenFailureReason::UNKNOWN_CHANNEL_TYPE),
    }
}

fn is_within_bounds(kind: &ChannelKind) -> bool {
    match kind {
        ChannelKind::DirectTcpip { host, originator, .. }
        | ChannelKind::ForwardedTcpip { address: host, originator, .. } => {
            host.len().max(originator.len()) <= MAX_HOST
        }
        ChannelKind::DirectStreamlocal { path } | ChannelKind::ForwardedStreamlocal { path, .. } => {
            path.len() <= MAX_PATH
        }
    }
}
