//! What a failure says about the next attempt.

use underpass_wire::DisconnectReason;

use crate::{Error, ErrorKind, Step};

/// Whether the same settings may work later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlook {
    /// They may; how soon depends on the failure.
    MayPass(Pace),
    /// Somebody said no. Somebody may change their mind, but until then each attempt looks like an attack.
    Refused,
    /// They will not, before somebody changes something.
    Lasting,
}

/// How soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// After the usual wait.
    Usual,
    /// After a longer one: the server may be overloaded, or a firewall may be counting.
    Slower,
    /// After the longest.
    Slowest,
}

pub(super) fn of(error: &Error) -> Outlook {
    match error.kind() {
        ErrorKind::Resolve { .. }
        | ErrorKind::Dial { .. }
        | ErrorKind::Proxy { .. }
        | ErrorKind::Hop { .. }
        | ErrorKind::PeerDead { .. }
        | ErrorKind::NotConnected { .. } => Outlook::MayPass(Pace::Usual),
        // Whoever accepts and says nothing has more to do than it can.
        ErrorKind::Timeout { .. } if error.step() == Step::Identify => Outlook::MayPass(Pace::Slower),
        ErrorKind::Timeout { .. } | ErrorKind::Lost { .. } => Outlook::MayPass(pace(error.step())),
        ErrorKind::Disconnected { reason, .. } => disconnected(*reason, error.step()),
        // A server above its limit of connections says so in a line that is not SSH, and so does the login page of a
        // network; a MAC that does not fit is damage on the way.
        ErrorKind::PeerMisbehaved { .. } => Outlook::MayPass(Pace::Slower),
        // Where it ends a connection to a server, that one is behind another.
        ErrorKind::TargetRefused { .. } => Outlook::MayPass(Pace::Usual),
        ErrorKind::Kerberos { may_pass: true, .. } => Outlook::MayPass(Pace::Usual),
        ErrorKind::Kerberos { may_pass: false, .. } => Outlook::Lasting,
        ErrorKind::HostKeyUnknown { .. }
        | ErrorKind::HostKeyChanged { .. }
        | ErrorKind::HostKeyRevoked { .. }
        | ErrorKind::HostKeyRejected { .. }
        | ErrorKind::HostCertificate { .. }
        | ErrorKind::Authentication { .. }
        | ErrorKind::Identity { .. }
        | ErrorKind::Agent { .. } => Outlook::Refused,
        // Software has to be changed, or settings.
        ErrorKind::PeerIncompatible { .. }
        | ErrorKind::PeerRejected { .. }
        | ErrorKind::Configuration { .. } => Outlook::Lasting,
        // The ports stay bound while a tunnel reconnects, so this is its start, and somebody sees it.
        ErrorKind::Bind { .. } | ErrorKind::BindUnix { .. } | ErrorKind::ForwardRefused { .. } => {
            Outlook::Lasting
        }
        // These end connections through a tunnel, not the tunnel.
        ErrorKind::TargetUnreachable { .. }
        | ErrorKind::NotAllowed { .. }
        | ErrorKind::ClientMisbehaved { .. }
        | ErrorKind::TooMany { .. } => Outlook::Lasting,
        // It is to be reported, and another attempt would hide it.
        ErrorKind::Internal { .. } => Outlook::Lasting,
        ErrorKind::NotReconnected { .. } | ErrorKind::Stopped => Outlook::Lasting,
    }
}

/// A connection that breaks while logging in was hardly broken by the network: programs like fail2ban silence
/// addresses that failed to. Before the server's first word it is different: whatever stands before a server that is
/// away, a balancer or a container's port, accepts and drops; sshd above its `MaxStartups` says so.
fn pace(step: Step) -> Pace {
    match step {
        Step::Negotiate | Step::KeyExchange | Step::HostKey | Step::Authenticate => Pace::Slower,
        Step::Configure
        | Step::Identify
        | Step::Resolve
        | Step::Dial
        | Step::Listen
        | Step::OpenChannel
        | Step::OpenTarget
        | Step::Ready
        | Step::Carry
        | Step::Stop => Pace::Usual,
    }
}

fn disconnected(reason: DisconnectReason, step: Step) -> Outlook {
    match (reason, step) {
        (DisconnectReason::TOO_MANY_CONNECTIONS, _) => Outlook::MayPass(Pace::Slowest),
        (
            DisconnectReason::HOST_NOT_ALLOWED_TO_CONNECT
            | DisconnectReason::NO_MORE_AUTH_METHODS_AVAILABLE
            | DisconnectReason::ILLEGAL_USER_NAME
            | DisconnectReason::AUTH_CANCELLED_BY_USER,
            _,
        ) => Outlook::Refused,
        // What OpenSSH calls too many failures to log in.
        (DisconnectReason::PROTOCOL_ERROR, Step::Authenticate) => Outlook::Refused,
        (DisconnectReason::PROTOCOL_VERSION_NOT_SUPPORTED, _) => Outlook::Lasting,
        _ => Outlook::MayPass(pace(step)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn goodbye(reason: DisconnectReason, step: Step) -> Outlook {
        of(&Error::disconnected(step, "bastion", reason, b""))
    }

    #[test]
    fn what_the_network_or_the_server_did_may_pass() {
        let usual = Outlook::MayPass(Pace::Usual);
        let waited = Duration::from_secs(30);
        assert_eq!(of(&Error::resolve("bastion", std::io::ErrorKind::NotFound.into())), usual);
        assert_eq!(of(&Error::dial("bastion", Vec::new())), usual);
        assert_eq!(of(&Error::timeout(Step::Dial, "bastion", waited)), usual);
        assert_eq!(of(&Error::peer_dead("bastion", waited)), usual);
        assert_eq!(of(&Error::lost(Step::Carry, "bastion", None)), usual);
        assert_eq!(of(&Error::lost(Step::Identify, "bastion", None)), usual);
        assert_eq!(goodbye(DisconnectReason::BY_APPLICATION, Step::Carry), usual);
    }

    #[test]
    fn trouble_while_logging_in_is_taken_for_overload() {
        let slower = Outlook::MayPass(Pace::Slower);
        assert_eq!(of(&Error::timeout(Step::Authenticate, "bastion", Duration::ZERO)), slower);
        assert_eq!(of(&Error::timeout(Step::Identify, "bastion", Duration::ZERO)), slower);
        assert_eq!(of(&Error::lost(Step::KeyExchange, "bastion", None)), slower);
        assert_eq!(of(&Error::peer_misbehaved(Step::Identify, "bastion", "Exceeded MaxStartups")), slower);
        assert_eq!(goodbye(DisconnectReason::BY_APPLICATION, Step::KeyExchange), slower);
    }

    #[test]
    fn a_server_that_has_too_many_connections_is_given_the_most_time() {
        for step in [Step::Identify, Step::Carry] {
            assert_eq!(
                goodbye(DisconnectReason::TOO_MANY_CONNECTIONS, step),
                Outlook::MayPass(Pace::Slowest)
            );
        }
    }

    #[test]
    fn a_no_is_a_no_in_whatever_words() {
        let refusals = [
            Error::host_key_unknown("bastion", "ssh-ed25519", "SHA256:x", Vec::new()),
            Error::host_key_changed("bastion", "ssh-ed25519", "SHA256:x", None),
            Error::host_key_revoked("bastion", "ssh-ed25519", "SHA256:x", None),
            Error::authentication("bastion", "me", Vec::new(), Vec::new()),
        ];
        for error in refusals {
            assert_eq!(of(&error), Outlook::Refused, "{error}");
        }
        assert_eq!(goodbye(DisconnectReason::PROTOCOL_ERROR, Step::Authenticate), Outlook::Refused);
        assert_eq!(goodbye(DisconnectReason::HOST_NOT_ALLOWED_TO_CONNECT, Step::Identify), Outlook::Refused);
    }

    #[test]
    fn what_a_person_has_to_mend_lasts() {
        let lasting = [
            Error::configuration("x"),
            Error::peer_incompatible(Step::KeyExchange, "bastion", "ciphers", Vec::new(), Vec::new()),
            Error::internal(Step::Carry, "x"),
            Error::stopped(),
        ];
        for error in lasting {
            assert_eq!(of(&error), Outlook::Lasting, "{error}");
        }
        assert_eq!(
            goodbye(DisconnectReason::PROTOCOL_VERSION_NOT_SUPPORTED, Step::Identify),
            Outlook::Lasting
        );
    }
}
