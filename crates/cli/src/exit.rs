//! How the command ends, for scripts and service managers.

use underpass::{Error, ErrorKind, Step};

/// An exit code and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) code: u8,
    pub(crate) meaning: &'static str,
}

impl Exit {
    pub(crate) const DONE: Self = exit(0, "what was asked for is done; for a tunnel, it was told to stop");
    const INTERNAL: Self = exit(1, "a fault of this command");
    const SETTINGS: Self = exit(2, "the command line or a setting is wrong");
    const UNREACHABLE: Self = exit(3, "the server, or a proxy or hop before it, cannot be found or reached");
    const TIMEOUT: Self = exit(4, "a step took too long");
    const PROTOCOL: Self = exit(5, "the server breaks the protocol, or has no algorithm in common");
    const HOST_KEY: Self =
        exit(6, "the server's key is unknown, changed or revoked, or its certificate proves nothing");
    const LOGIN: Self = exit(7, "the server refuses the login");
    const IDENTITY: Self = exit(8, "a private key, or the SSH agent, cannot be used");
    const LISTEN: Self = exit(9, "a port cannot be listened on, here or on the server");
    const TARGET: Self = exit(
        10,
        "a target is not reached; unless it is that of `-W`, only told in events, for the tunnel goes on",
    );
    const LOST: Self = exit(11, "the connection to the server is lost, and reconnecting was given up");
    pub(crate) const CUT: Self =
        exit(130, "cut short by a signal, before the tunnel was open or while it closed");

    pub(crate) const ALL: [Self; 13] = [
        Self::DONE,
        Self::INTERNAL,
        Self::SETTINGS,
        Self::UNREACHABLE,
        Self::TIMEOUT,
        Self::PROTOCOL,
        Self::HOST_KEY,
        Self::LOGIN,
        Self::IDENTITY,
        Self::LISTEN,
        Self::TARGET,
        Self::LOST,
        Self::CUT,
    ];

    /// The code for an error that ends the command.
    pub(crate) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Configuration { .. } => Self::SETTINGS,
            ErrorKind::Resolve { .. }
            | ErrorKind::Dial { .. }
            | ErrorKind::Proxy { .. }
            | ErrorKind::Hop { .. } => Self::UNREACHABLE,
            ErrorKind::Timeout { .. } => Self::TIMEOUT,
            ErrorKind::PeerMisbehaved { .. }
            | ErrorKind::PeerIncompatible { .. }
            | ErrorKind::PeerRejected { .. } => Self::PROTOCOL,
            ErrorKind::HostKeyUnknown { .. }
            | ErrorKind::HostKeyChanged { .. }
            | ErrorKind::HostKeyRevoked { .. }
            | ErrorKind::HostKeyRejected { .. }
            | ErrorKind::HostCertificate { .. } => Self::HOST_KEY,
            ErrorKind::Authentication { .. } | ErrorKind::Kerberos { .. } => Self::LOGIN,
            // Servers hang up on too many attempts.
            ErrorKind::Disconnected { .. } if error.step() == Step::Authenticate => Self::LOGIN,
            ErrorKind::Identity { .. } | ErrorKind::Agent { .. } => Self::IDENTITY,
            ErrorKind::Bind { .. } | ErrorKind::BindUnix { .. } | ErrorKind::ForwardRefused { .. } => {
                Self::LISTEN
            }
            ErrorKind::TargetRefused { .. }
            | ErrorKind::TargetUnreachable { .. }
            | ErrorKind::NotAllowed { .. }
            | ErrorKind::ClientMisbehaved { .. }
            | ErrorKind::TooMany { .. } => Self::TARGET,
            ErrorKind::Disconnected { .. }
            | ErrorKind::Lost { .. }
            | ErrorKind::PeerDead { .. }
            | ErrorKind::NotConnected { .. }
            | ErrorKind::NotReconnected { .. } => Self::LOST,
            ErrorKind::Stopped => Self::DONE,
            // Kinds that later versions of the library add.
            _ => Self::INTERNAL,
        }
    }
}

const fn exit(code: u8, meaning: &'static str) -> Exit {
    Exit { code, meaning }
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use underpass::{DisconnectReason, Endpoint, OpenFailureReason};

    use super::*;

    #[test]
    fn each_kind_of_error_has_its_code() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let address = "127.0.0.1:1".parse().unwrap();
        let target = Endpoint::from(("db", 1));
        let cases = [
            (Error::internal(Step::Carry, ""), 1),
            (Error::configuration(""), 2),
            (Error::resolve("h", refused()), 3),
            (Error::dial("h", Vec::new()), 3),
            (Error::proxy("h", "p", ""), 3),
            (Error::timeout(Step::Identify, "h", Duration::ZERO), 4),
            (Error::peer_misbehaved(Step::Carry, "h", ""), 5),
            (Error::peer_incompatible(Step::Negotiate, "h", "ciphers", Vec::new(), Vec::new()), 5),
            (Error::host_key_unknown("h", "", "", Vec::new()), 6),
            (Error::host_key_changed("h", "", "", None), 6),
            (Error::host_key_revoked("h", "", "", None), 6),
            (Error::host_key_rejected("h", "", ""), 6),
            (Error::authentication("h", "u", Vec::new(), Vec::new()), 7),
            (Error::disconnected(Step::Authenticate, "h", DisconnectReason::PROTOCOL_ERROR, b""), 7),
            (Error::identity("key", ""), 8),
            (Error::bind(address, refused()), 9),
            (Error::target_refused("h", &target, OpenFailureReason::CONNECT_FAILED, b""), 10),
            (Error::disconnected(Step::Carry, "h", DisconnectReason::BY_APPLICATION, b""), 11),
            (Error::lost(Step::Carry, "h", None), 11),
            (Error::peer_dead("h", Duration::ZERO), 11),
            (Error::not_reconnected(1, &Error::peer_dead("h", Duration::ZERO)), 11),
            (Error::stopped(), 0),
        ];
        for (error, code) in cases {
            assert_eq!(Exit::of(&error).code, code, "{error:?}");
        }
    }

    #[test]
    fn the_table_has_each_code_once_in_order() {
        assert!(Exit::ALL.is_sorted_by(|one, next| one.code < next.code));
    }
}
