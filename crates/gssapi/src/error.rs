use std::fmt;

use crate::ffi::Failure;

/// Why Kerberos did not do what it was asked for. Shown, it is one sentence with the library's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    cause: Cause,
    /// What the library says: about the call, then about the mechanism.
    words: Vec<String>,
}

/// What is wrong, as far as the library's numbers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// There is no GSSAPI library.
    LibraryMissing,
    /// The library cannot turn a password into credentials.
    NoPasswords,
    /// The user has no ticket.
    NoCredentials,
    /// The ticket has expired.
    Expired,
    /// No KDC answers.
    KdcUnreachable,
    /// Nobody knows which KDC is responsible.
    UnknownRealm,
    /// The KDC does not know the server.
    UnknownServer,
    /// The KDC does not know the user.
    UnknownUser,
    /// The password is not the user's.
    WrongPassword,
    /// The clocks of two machines differ too much.
    ClockSkew,
    /// A name is not one.
    BadName,
    /// The peer's proof is not valid.
    Forged,
    /// Something else; the library's words tell.
    Other,
}

impl Error {
    /// What is wrong.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// What to do about it, without a full stop.
    pub fn advice(&self) -> &'static str {
        match self.cause {
            Cause::LibraryMissing if cfg!(windows) => {
                "Kerberos of Windows (SSPI) is not supported: install MIT Kerberos for Windows and name its gssapi64.dll, \
                 or log on in another way"
            }
            Cause::LibraryMissing => {
                "install it (libgssapi-krb5-2 on Debian, krb5-libs on Fedora, krb5 on Alpine and Arch), or name it by its \
                 path"
            }
            Cause::NoPasswords => "run kinit and use the ticket that it gets",
            Cause::NoCredentials => "run kinit, and check KRB5CCNAME",
            Cause::Expired => "run kinit again",
            Cause::KdcUnreachable => "check the network, and the kdc lines of the realm in krb5.conf",
            Cause::UnknownRealm => {
                "check the realms and domain_realm sections of krb5.conf, or name the realm"
            }
            Cause::UnknownServer => {
                "use the server's full name, or name its principal; its administrator can add host/NAME to the KDC"
            }
            Cause::UnknownUser => "check the principal and its realm",
            Cause::WrongPassword => "check the password, and the principal that it is for",
            Cause::ClockSkew => "set the clocks of this machine, the server and the KDC right",
            Cause::BadName => "check the spelling of the principal",
            Cause::Forged => {
                "somebody may be intercepting the connection, or the server's keytab is out of date"
            }
            Cause::Other => {
                "the server's and the KDC's log say more; KRB5_TRACE=/dev/stderr shows what the library does"
            }
        }
    }

    pub(crate) fn missing(problem: String) -> Self {
        Self { cause: Cause::LibraryMissing, words: vec![problem] }
    }

    pub(crate) fn no_passwords() -> Self {
        Self { cause: Cause::NoPasswords, words: Vec::new() }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let cause = cause(failure.major, failure.minor);
        let mut words = vec![failure.major_text, failure.minor_text];
        words.retain(|words| !words.is_empty());
        // "Unspecified GSS failure.  Minor code may provide more information" tells nothing once it does.
        if words.len() > 1 && failure.major == FAILURE {
            words.remove(0);
        }
        Self { cause, words }
    }
}

/// The mechanism's number says more, where it is known.
fn cause(major: u32, minor: u32) -> Cause {
    if let Some((_, cause)) = MINORS.iter().find(|(code, _)| *code == minor.cast_signed()) {
        return *cause;
    }
    match major {
        NO_CRED | DEFECTIVE_CREDENTIAL => Cause::NoCredentials,
        CREDENTIALS_EXPIRED => Cause::Expired,
        BAD_NAME | BAD_NAMETYPE => Cause::BadName,
        BAD_SIG => Cause::Forged,
        // What only informs: a proof that came twice or out of order.
        _ if major & 0xffff_0000 == 0 && major != 0 => Cause::Forged,
        _ => Cause::Other,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause {
            Cause::LibraryMissing => "there is no GSSAPI library",
            Cause::NoPasswords => "the GSSAPI library takes no passwords",
            Cause::NoCredentials => "there are no Kerberos credentials",
            Cause::Expired => "the Kerberos ticket has expired",
            Cause::KdcUnreachable => "the KDC cannot be reached",
            Cause::UnknownRealm => "the Kerberos realm is not known",
            Cause::UnknownServer => "the KDC does not know the server",
            Cause::UnknownUser => "the KDC does not know the user",
            Cause::WrongPassword => "the KDC does not take the password",
            Cause::ClockSkew => "the clocks differ too much for Kerberos",
            Cause::BadName => "this is no Kerberos name",
            Cause::Forged => "the server's proof is not valid",
            Cause::Other => "Kerberos failed",
        })?;
        match self.words.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", self.words.join(": ")),
        }
    }
}

impl std::error::Error for Error {}

/// The routine errors of RFC 2744 section 3.9.1, in their place.
const BAD_NAME: u32 = 2 << 16;
const BAD_NAMETYPE: u32 = 3 << 16;
const BAD_SIG: u32 = 6 << 16;
const NO_CRED: u32 = 7 << 16;
const DEFECTIVE_CREDENTIAL: u32 = 10 << 16;
const CREDENTIALS_EXPIRED: u32 = 11 << 16;
const FAILURE: u32 = 13 << 16;

/// Kerberos' own numbers, which MIT and Heimdal share: those of RFC 4120 section 7.5.9 count from here.
const PROTOCOL: i32 = -1_765_328_384;

const MINORS: [(i32, Cause); 13] = [
    (PROTOCOL + 1, Cause::Expired),          // KDC_ERR_NAME_EXP
    (PROTOCOL + 6, Cause::UnknownUser),      // KDC_ERR_C_PRINCIPAL_UNKNOWN
    (PROTOCOL + 7, Cause::UnknownServer),    // KDC_ERR_S_PRINCIPAL_UNKNOWN
    (PROTOCOL + 18, Cause::UnknownUser),     // KDC_ERR_CLIENT_REVOKED
    (PROTOCOL + 24, Cause::WrongPassword),   // KDC_ERR_PREAUTH_FAILED
    (PROTOCOL + 31, Cause::WrongPassword), // KRB_AP_ERR_BAD_INTEGRITY: the reply does not open with the password
    (PROTOCOL + 32, Cause::Expired),       // KRB_AP_ERR_TKT_EXPIRED
    (PROTOCOL + 37, Cause::ClockSkew),     // KRB_AP_ERR_SKEW
    (PROTOCOL + 68, Cause::UnknownRealm),  // KDC_ERR_WRONG_REALM
    (PROTOCOL + 141, Cause::NoCredentials), // KRB5_CC_NOTFOUND
    (PROTOCOL + 154, Cause::UnknownRealm), // KRB5_REALM_UNKNOWN
    (PROTOCOL + 156, Cause::KdcUnreachable), // KRB5_KDC_UNREACH
    (PROTOCOL + 195, Cause::NoCredentials), // KRB5_FCC_NOFILE
];

#[cfg(test)]
mod tests {
    use super::*;

    fn error(major: u32, minor: i32) -> Error {
        let (major_text, minor_text) = ("of the call".to_owned(), "of the mechanism".to_owned());
        Failure { major, minor: minor.cast_unsigned(), major_text, minor_text }.into()
    }

    #[test]
    fn the_mechanisms_number_tells_more_than_the_calls() {
        for (major, minor, cause) in [
            (NO_CRED, 0, Cause::NoCredentials),
            (NO_CRED, PROTOCOL + 32, Cause::Expired),
            (FAILURE, -1_765_328_377, Cause::UnknownServer),
            (FAILURE, -1_765_328_228, Cause::KdcUnreachable),
            (FAILURE, -1_765_328_353, Cause::WrongPassword),
            (FAILURE, -1_765_328_347, Cause::ClockSkew),
            (FAILURE, 7, Cause::Other),
            (CREDENTIALS_EXPIRED, 7, Cause::Expired),
            (BAD_SIG, 0, Cause::Forged),
            (2, 0, Cause::Forged),
        ] {
            let error = error(major, minor);
            assert_eq!(error.cause(), cause, "{major:x} {minor}");
            assert!(!error.advice().is_empty() && !error.advice().ends_with('.'));
        }
    }

    #[test]
    fn the_librarys_words_are_told_as_far_as_they_say_anything() {
        assert_eq!(error(FAILURE, 7).to_string(), "Kerberos failed (of the mechanism)");
        assert_eq!(
            error(NO_CRED, 7).to_string(),
            "there are no Kerberos credentials (of the call: of the mechanism)"
        );
        assert_eq!(Error::no_passwords().to_string(), "the GSSAPI library takes no passwords");
    }
}
