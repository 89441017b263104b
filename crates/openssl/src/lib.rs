//! The algorithms of SSH by the system's OpenSSL (3.0 or later), for those who want the cryptography of their distribution,
//! or a validated module.
//!
//! Nothing is linked: [`provider`] loads `libcrypto` when it is called, and a machine without it gets an [`Error`] that says
//! so. The library is used in a context of our own, so that a program that uses it as well, such as a Python interpreter,
//! notices nothing.
//!
//! ```no_run
//! use underpass_openssl::{Mode, provider, version};
//!
//! # fn example() -> Result<(), underpass_openssl::Error> {
//! let fips = provider(Mode::Fips)?;
//! println!("{}: {:?}", version(Mode::Fips)?, fips.ciphers);
//! # Ok(())
//! # }
//! ```
//!
//! What the values of a [`Provider`] do is done by the library: agreement, hashing and derivation of keys, ciphers, MACs,
//! verifying; and signing with the keys of [`signer`]. What is drawn at random for a key comes from the library's own
//! generator. What is only public or has no secret is done here: frames of keys and signatures, the order of packets.

mod agreement;
mod cipher;
mod error;
mod ffi;
mod hashing;
mod mac;
mod module;
mod signer;
mod values;
mod verify;

use std::sync::Arc;

use underpass_crypto::{Provider, Signer};

pub use error::{Cause, Error};

use module::{Fips, System};

/// Which part of OpenSSL is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Its default provider.
    System,
    /// Its FIPS provider: the validated module that distributions ship. Nothing else is used, and what is not approved is
    /// not there. The provider is found as the library's configuration file says, or the one that `OPENSSL_CONF` names.
    Fips,
}

/// The algorithms that the library has, best first. Loads it, once.
///
/// # Errors
/// The library or its FIPS provider is not there, or does not work.
pub fn provider(mode: Mode) -> Result<&'static Provider, Error> {
    match mode {
        Mode::System => module::load::<System>().map(|module| &module.provider),
        Mode::Fips => module::load::<Fips>().map(|module| &module.provider),
    }
}

/// The same key, signing in the library. `None` for keys whose numbers are not in this process, on tokens and with agents,
/// and for those of kinds that only we know. A key with a certificate is none either: give the key that it is made of, and
/// join the result with the certificate.
///
/// # Errors
/// The library is not there, or does not sign with such a key.
pub fn signer(mode: Mode, key: &dyn Signer) -> Result<Option<Arc<dyn Signer>>, Error> {
    match mode {
        Mode::System => signer::signer::<System>(key),
        Mode::Fips => signer::signer::<Fips>(key),
    }
}

/// The library's name, version and date, and those of the FIPS provider where it is used.
///
/// # Errors
/// Those of [`provider`].
pub fn version(mode: Mode) -> Result<String, Error> {
    match mode {
        Mode::System => module::load::<System>().map(|module| module.version.clone()),
        Mode::Fips => module::load::<Fips>().map(|module| module.version.clone()),
    }
}

/// What the [`provider`]'s values are made of, by the library's names, and the part of the library that each is taken from:
/// `default` or `fips`. For those who have to show it.
///
/// # Errors
/// Those of [`provider`].
pub fn origins(mode: Mode) -> Result<Vec<(&'static str, String)>, Error> {
    match mode {
        Mode::System => module::load::<System>().map(|module| values::origins::<System>(&module.context)),
        Mode::Fips => module::load::<Fips>().map(|module| values::origins::<Fips>(&module.context)),
    }
}
