//! Underpass against servers that its authors did not write.
//!
//! | module | holds |
//! |---|---|
//! | [`peer`] | the servers: OpenSSH's sshd, dropbear, asyncssh |
//! | [`proxy`] | the proxies before them: tinyproxy, dante, microsocks, stunnel |
//! | [`client`] | a client under test as a process: ours, or `ssh` to check the harness itself |
//! | [`component`] | the component under test |
//! | [`curl`] | curl as a client of our proxies |
//! | [`traffic`] | bytes through a forward, checked one by one |
//! | [`matrix`] | which algorithm is to be proven by which peer |
//! | [`interop`] | the matrix, run |
//! | [`record`] | a transcript for each algorithm of the matrix |
//! | [`settings`] | what both clients make of the same configuration files |
//! | [`agent`] | agents: OpenSSH's, and ones that misbehave |
//! | [`secrets`] | what a log must not hold |
//! | [`kerberos`] | a Kerberos realm, and an sshd that belongs to it |
//! | [`keys`] | host and user keys, made once |
//! | [`x509`] | X.509 certificates, made by `openssl` |
//! | [`account`] | the account that exists only for the peers |
//!
//! A peer that is missing on the machine is a failure, never a skip. `UNDERPASS_BIN` names a client binary to use
//! instead of building one; `UNDERPASS_CLIENT=ssh` runs the suite with OpenSSH's client instead.

pub mod account;
pub mod agent;
pub mod client;
pub mod component;
pub mod curl;
mod failure;
pub mod interop;
pub mod kerberos;
pub mod keys;
pub mod matrix;
pub mod memory;
pub mod peer;
pub mod process;
pub mod proxy;
pub mod record;
pub mod secrets;
pub mod settings;
pub mod token;
pub mod traffic;
pub mod x509;

/// Turns each function that takes a [`PeerKind`] into a module of tests, one for each peer.
///
/// ```
/// use underpass_conformance::{PeerKind, Result, with_each_peer};
///
/// with_each_peer!(has_a_name);
///
/// fn has_a_name(kind: PeerKind) -> Result<()> {
///     assert!(!kind.to_string().is_empty());
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! with_each_peer {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            use $crate::{PeerKind, Result};

            #[test]
            fn with_sshd() -> Result<()> {
                super::$test(PeerKind::Sshd)
            }

            #[test]
            fn with_dropbear() -> Result<()> {
                super::$test(PeerKind::Dropbear)
            }

            #[test]
            fn with_asyncssh() -> Result<()> {
                super::$test(PeerKind::Asyncssh)
            }
        }
    )+};
}

pub use client::Client;
pub use failure::{Failure, Result};
pub use peer::{Peer, PeerKind};
