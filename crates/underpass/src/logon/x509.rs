//! X.509 certificates of users, which come with their keys or in files of their own.

use std::path::Path;

use underpass_crypto::algorithms::x509::X509Identity;
use underpass_crypto::x509::X509Certificate;
use underpass_keys::{Passwords, PublicKey, Store};

use super::candidate::Candidate;
use super::certificate::{Certified, mistake};
use crate::algorithms::of_users;
use crate::{Error, Event, Settings};

/// A key with the certificates that came with it, once for each algorithm that the settings permit. Certificates that
/// cannot be used are passed over with a warning: the key may be all that counts.
///
/// # Errors
/// The settings' list of algorithms is wrong.
pub(super) fn with_its_own(settings: &Settings, key: &Candidate) -> Result<Vec<Candidate>, Error> {
    if key.chain.is_empty() {
        return Ok(Vec::new());
    }
    let permitted = permitted(settings)?;
    match identities(&key.chain, &permitted) {
        Ok((certified, identities)) if certified == key.public => {
            Ok(identities.into_iter().map(|it| key.certified(&key.name, Certified::X509(it))).collect())
        }
        outcome => {
            let problem = outcome.err().unwrap_or_else(|| "it is another key's".to_owned());
            let text = format!("{}: its X.509 certificate is not shown: {problem}", key.name);
            settings.tell(|| Event::Warning { text });
            Ok(Vec::new())
        }
    }
}

/// What a file of certificates has for one of the keys, or else, for an agent's, the certificate that it is about: the key
/// that is certified, and what it shows.
///
/// # Errors
/// It holds no certificate, or one that is of no use.
pub(super) fn of_file(
    settings: &Settings,
    keys: &[Candidate],
    path: &Path,
    bytes: &[u8],
) -> Result<(Vec<u8>, Vec<X509Identity>), Error> {
    let problem = |problem: String| mistake(path, problem);
    let store = Store::open(bytes, Passwords::from(settings.passphrase.as_ref()))
        .map_err(|error| problem(error.to_string()))?;
    let public = keys.iter().filter_map(|key| PublicKey::from_blob(&key.public).ok());
    let of_a_key = public.map(|key| store.chain_of(Some(&key))).find(|chain| !chain.is_empty());
    let chain = of_a_key.unwrap_or_else(|| store.chain_of(None));
    if chain.is_empty() {
        return Err(problem(format!("it is {} without a certificate", store.format())));
    }
    identities(&chain, &permitted(settings)?).map_err(problem)
}

/// The key that the first certificate is about, and what it shows under these algorithms.
fn identities(chain: &[Vec<u8>], permitted: &[&str]) -> Result<(Vec<u8>, Vec<X509Identity>), String> {
    let read = || {
        let chain = chain.iter().map(|der| X509Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
        let mut identities = X509Identity::each(&chain)?;
        identities.retain(|identity| permitted.contains(&identity.algorithm()));
        Ok((chain[0].key()?, identities))
    };
    read().map_err(|error: underpass_crypto::x509::X509Error| error.to_string())
}

/// The names of the algorithms with which any server is tried.
fn permitted(settings: &Settings) -> Result<Vec<&'static str>, Error> {
    let (everywhere, if_listed) = of_users(settings)?;
    Ok(everywhere.into_iter().chain(if_listed).map(|algorithm| algorithm.name).collect())
}
