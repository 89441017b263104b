//! Whose cryptography secures connections: a setting of the process, and one of each component.

use std::sync::atomic::{AtomicBool, Ordering};

use underpass::Cryptography;

use crate::Error;
use crate::store::Store;

/// `UseFIPSCompliantAPI`, which holds for every component of the process.
static FIPS: AtomicBool = AtomicBool::new(false);

pub(crate) fn is_fips() -> bool {
    FIPS.load(Ordering::Relaxed)
}

/// Sets `UseFIPSCompliantAPI`. Connections that there are go on as they are.
///
/// # Errors
/// 211: there is no validated module.
pub(crate) fn use_fips(on: bool) -> Result<(), Error> {
    if on {
        check(Cryptography::Fips)?;
    }
    FIPS.store(on, Ordering::Relaxed);
    Ok(())
}

/// Whether `UseInternalSecurityAPI` may have the value.
///
/// # Errors
/// 211: the system has no library.
pub(crate) fn check_internal(on: bool) -> Result<(), Error> {
    if on { Ok(()) } else { check(Cryptography::OpenSsl) }
}

/// What a new connection is secured with. Where the default is the system's, on Windows, that means our own unless
/// somebody has asked for it.
pub(crate) fn of(store: &Store) -> Cryptography {
    if is_fips() {
        Cryptography::Fips
    } else if store.flag_if_set("UseInternalSecurityAPI") == Some(false) {
        Cryptography::OpenSsl
    } else {
        Cryptography::BuiltIn
    }
}

fn check(cryptography: Cryptography) -> Result<(), Error> {
    cryptography.version().map(drop).map_err(|error| {
        let advice = error.advice().unwrap_or_default();
        Error::new(211).because(format!("{}; {advice}.", error.kind()))
    })
}
