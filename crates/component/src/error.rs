//! Errors as the interface has them: a code and a text.

use std::fmt;

use underpass::{ErrorKind, Step};

use crate::model::{Code, ErrorGroup, Refused};
use crate::table;

/// What went wrong: one of the interface's codes, its text, and what there is to say besides.
///
/// Codes from 10004 are those of sockets, as Windows numbers them, on every platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
}

impl Error {
    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The code's text, and after it what is the matter and what to do.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The error of that code, as the members of the tunnel have it.
    pub(crate) fn new(code: Code) -> Self {
        Self { code, message: crate::error_text(code).unwrap_or_default().to_owned() }
    }

    /// The error of that code, in the words of one group.
    pub(crate) fn of(group: ErrorGroup, code: Code) -> Self {
        let row = table::ERRORS.iter().find(|row| (row.group, row.code) == (group, code));
        Self { code, message: row.map_or_else(|| Self::new(code).message, |row| row.text.to_owned()) }
    }

    /// With more to say about it.
    #[must_use]
    pub(crate) fn because(mut self, detail: impl fmt::Display) -> Self {
        self.message = format!("{} {detail}", self.message);
        self
    }

    /// A value or a name that is no good.
    pub(crate) fn invalid(detail: impl fmt::Display) -> Self {
        Self::new(INVALID_ARGUMENT).because(detail)
    }

    /// Nobody has the number.
    pub(crate) fn no_such_client(id: impl fmt::Display) -> Self {
        Self::new(126).because(format!("There is no client {id}; client_count tells how many there are."))
    }
}

/// The code of sockets for it; the interface has none of its own.
pub(crate) const INVALID_ARGUMENT: Code = 10022;

/// What ended in time, and well.
pub(crate) const OK: (Code, &str) = (0, "OK");

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (error {})", self.message, self.code)
    }
}

impl std::error::Error for Error {}

impl From<&underpass::Error> for Error {
    fn from(error: &underpass::Error) -> Self {
        Self::new(code_of(error)).because(error)
    }
}

impl From<underpass::Error> for Error {
    fn from(error: underpass::Error) -> Self {
        Self::from(&error)
    }
}

/// The code that fits best. What the tunnel's own errors tell apart is in the text.
fn code_of(error: &underpass::Error) -> Code {
    match (error.kind(), error.step()) {
        (ErrorKind::Configuration { .. }, _) => INVALID_ARGUMENT,
        (ErrorKind::Resolve { .. }, _) => 11001,
        // None of the name's addresses was of the family that is wanted.
        (ErrorKind::Dial { attempts }, _) if attempts.is_empty() => 11004,
        (ErrorKind::Dial { attempts }, _) => match attempts.iter().all(|attempt| attempt.refused) {
            true => 10061,
            false => 1036,
        },
        (ErrorKind::Timeout { .. }, _) => 201,
        (ErrorKind::PeerIncompatible { .. }, _) => 1003,
        (ErrorKind::PeerRejected { .. }, Step::Negotiate) => 1003,
        (ErrorKind::PeerRejected { .. } | ErrorKind::PeerMisbehaved { .. }, Step::Identify) => 1002,
        (ErrorKind::PeerMisbehaved { .. }, Step::KeyExchange) => 1034,
        (ErrorKind::PeerMisbehaved { .. }, Step::HostKey) => 1031,
        (ErrorKind::PeerMisbehaved { .. }, Step::Carry) => 1023,
        (
            ErrorKind::HostKeyUnknown { .. }
            | ErrorKind::HostKeyChanged { .. }
            | ErrorKind::HostKeyRevoked { .. }
            | ErrorKind::HostKeyRejected { .. },
            _,
        ) => 1030,
        (ErrorKind::HostCertificate { .. }, _) => 1031,
        (
            ErrorKind::Authentication { .. }
            | ErrorKind::Kerberos { .. }
            | ErrorKind::Identity { .. }
            | ErrorKind::Agent { .. },
            _,
        ) => 1032,
        (ErrorKind::Bind { .. } | ErrorKind::BindUnix { .. }, _) => 10048,
        (
            ErrorKind::TargetRefused { .. }
            | ErrorKind::TargetUnreachable { .. }
            | ErrorKind::NotAllowed { .. }
            | ErrorKind::TooMany { .. },
            _,
        ) => 1020,
        (ErrorKind::Disconnected { .. } | ErrorKind::Lost { .. }, _) => 1001,
        (ErrorKind::PeerDead { .. }, _) => 1039,
        (ErrorKind::NotConnected { .. }, _) => 1117,
        // What was to be mended is the matter.
        (ErrorKind::NotReconnected { .. }, _) => {
            let broken = std::error::Error::source(error).and_then(|source| source.downcast_ref());
            broken.map_or(1036, code_of)
        }
        (ErrorKind::Stopped, _) => 10053,
        _ => 1036,
    }
}

/// Whose words a refusal has.
pub(crate) fn group_of(refused: Refused) -> ErrorGroup {
    match refused {
        Refused::WhileConnected => ErrorGroup::TcpClient,
        _ => ErrorGroup::SshTunnel,
    }
}

/// What the system says when it takes no socket.
pub(crate) fn of_socket(error: &std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let code = match error.kind() {
        Io::AddrInUse => 10048,
        Io::AddrNotAvailable => 10049,
        Io::PermissionDenied => 10013,
        Io::ConnectionRefused => 10061,
        Io::ConnectionReset => 10054,
        Io::NotConnected => 10057,
        Io::BrokenPipe => 10058,
        Io::WouldBlock => 10035,
        Io::ConnectionAborted => 10053,
        Io::TimedOut => 10060,
        Io::NetworkUnreachable => 10051,
        Io::HostUnreachable => 10065,
        _ => INVALID_ARGUMENT,
    };
    Error::new(code).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_two_groups_has_the_words_of_the_one_that_is_meant() {
        assert_eq!(Error::of(ErrorGroup::SshTunnel, 104).message(), "TCPServer is already listening.");
        let other = Error::of(ErrorGroup::TcpClient, 104);
        assert_eq!((other.code(), other.message().split('.').next()), (104, Some("Already connected")));
    }

    #[test]
    fn details_come_after_the_text() {
        let error = Error::new(1201).because("The target is away.");
        let text = "Could not forward connection. A detailed message follows. The target is away.";
        assert_eq!(error.message(), text);
        assert_eq!(error.to_string(), format!("{text} (error 1201)"));
    }

    #[test]
    fn each_code_that_we_make_has_a_text() {
        let io = [std::io::ErrorKind::AddrInUse, std::io::ErrorKind::Other];
        for error in io.map(|kind| of_socket(&kind.into())) {
            assert!(!error.message().is_empty() && crate::error_text(error.code()).is_some(), "{error}");
        }
        let wrong = underpass::Builder::new("-").settings().unwrap_err();
        assert_eq!(Error::from(wrong).code(), INVALID_ARGUMENT);
    }
}
