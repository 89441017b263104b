//! Certificate stores: each certificate with a private key is an entry.

use std::sync::Arc;

use underpass_crypto::{
    outside::{Holder, OutsideKey},
    x509::{MAX_CERTIFICATES, X509Certificate},
};
use underpass_keys::{Entry, KeyFileError, Private, PublicKey};

/// A certificate in a store.
struct Held<H> {
    certificate: X509Certificate,
    /// What the store calls it.
    name: String,
    /// Its private key, if there is one.
    holder: Option<H>,
}

/// Those with a private key, each with the authorities above it as far as they are in the store or among these.
fn entries_of<H: Holder + 'static>(held: Vec<Held<H>>, authorities: &[X509Certificate]) -> Vec<Entry> {
    let certificates: Vec<_> = held.iter().map(|held| held.certificate.clone()).collect();
    let all: Vec<_> = certificates.iter().chain(authorities).collect();
    let mut entries = Vec::new();
    for (own, held) in held.into_iter().enumerate() {
        let Some(holder) = held.holder else { continue };
        let chain = X509Certificate::chain(own, &all, MAX_CERTIFICATES);
        let public = held.certificate.key().ok().and_then(|key| PublicKey::from_blob(&key).ok());
        let key = public.as_ref().and_then(|public| OutsideKey::new(public.blob().to_vec(), holder));
        let unsupported = || KeyFileError::UnsupportedKeyType("of its certificate".to_owned());
        entries.push(Entry {
            private: key
                .map_or_else(|| Private::Unusable(unsupported()), |key| Private::Ready(Arc::new(key))),
            public,
            certificates: chain.into_iter().map(|at| all[at].der().to_vec()).collect(),
            subject: held.certificate.subject(),
            name: held.name,
            comment: String::new(),
        });
    }
    entries
}

#[cfg(windows)]
pub(super) use self::system::{entries, place};

#[cfg(windows)]
mod system {
    use underpass_crypto::x509::X509Certificate;
    use underpass_keys::{Entry, Passwords};
    use underpass_windows::certificates::{Certificate, Location, read};

    use super::super::{SystemStore, no_such_store};
    use super::{Held, entries_of};
    use crate::Error;

    /// What the store is, for people.
    pub(in super::super) fn place(store: SystemStore) -> &'static str {
        match store {
            SystemStore::User => r"Cert:\CurrentUser",
            SystemStore::Machine => r"Cert:\LocalMachine",
        }
    }

    /// Certificates that are damaged are passed over. The system asks for what opens a key by itself, so that there are no
    /// passwords.
    pub(in super::super) fn entries(
        store: SystemStore,
        name: &str,
        _passwords: Passwords<'_>,
        silent: bool,
    ) -> Result<Vec<Entry>, Error> {
        let name = if name.trim().is_empty() { PERSONAL } else { name.trim() };
        let location = match store {
            SystemStore::User => Location::CurrentUser,
            SystemStore::Machine => Location::LocalMachine,
        };
        let unreadable = |error: std::io::Error| {
            Error::identity(place(store), format!("the store `{}`: {error}", name.escape_debug()))
                .with_source(error)
        };
        let found = match read(location, name).map_err(unreadable)? {
            // It comes into being with its first certificate.
            None if name.eq_ignore_ascii_case(PERSONAL) => Vec::new(),
            found => found.ok_or_else(|| no_such_store(name))?,
        };
        let parsed = |found: &Certificate| X509Certificate::from_der(found.der()).ok();
        let held = found.iter().filter_map(|found| {
            let holder = found.has_private_key().then(|| found.holder(silent));
            Some(Held { certificate: parsed(found)?, name: found.friendly_name(), holder })
        });
        // Without them, the server needs to have them.
        let authorities = read(location, AUTHORITIES).ok().flatten().unwrap_or_default();
        let authorities: Vec<_> = authorities.iter().filter_map(parsed).collect();
        let entries = entries_of(held.collect(), &authorities);
        if entries.is_empty() {
            let problem = format!("no certificate in the store `{}` has a private key", name.escape_debug());
            return Err(Error::identity(place(store), problem)
                .with_advice("import one into the store (certmgr.msc), or name the file of a key"));
        }
        Ok(entries)
    }

    /// The store of personal certificates.
    const PERSONAL: &str = "MY";

    /// The store of authorities between roots and persons.
    const AUTHORITIES: &str = "CA";
}

#[cfg(test)]
mod tests {
    use underpass_crypto::outside::Scheme;
    use underpass_keys::select;

    use super::*;

    /// Signs with nothing.
    struct Nobody;

    impl Holder for Nobody {
        fn sign(&self, _: Scheme, _: &[u8]) -> Result<Vec<u8>, String> {
            Err("the card is elsewhere".to_owned())
        }
    }

    fn held(certificate: &X509Certificate, name: &str, holder: Option<Nobody>) -> Held<Nobody> {
        Held { certificate: certificate.clone(), name: name.to_owned(), holder }
    }

    #[test]
    fn certificates_with_a_private_key_are_entries_that_are_chosen_by_subject_or_name() {
        let file = include_bytes!("../../../crypto/src/x509/tests/good-p256.pem");
        let chain = X509Certificate::all_from(file, MAX_CERTIFICATES).unwrap();
        let [own, above, ..] = &chain[..] else { panic!("{} certificates", chain.len()) };
        let store = vec![held(above, "authority", None), held(own, "webmail", Some(Nobody))];
        let entries = entries_of(store, &chain[1..]);
        assert_eq!(entries.len(), 1, "an authority without a key is none");
        let subject = own.subject();
        for wanted in [subject.as_str(), "WEBMAIL", "*"] {
            assert_eq!(select(&entries, wanted).map(|entry| entry.subject.as_str()), Some(subject.as_str()));
        }
        assert!(select(&entries, "nobody else").is_none());
        let ders: Vec<_> = chain.iter().map(|certificate| certificate.der().to_vec()).collect();
        assert_eq!(entries[0].certificates, ders);
        let Private::Ready(signer) = &entries[0].private else { panic!("{:?}", entries[0].private) };
        assert_eq!(signer.public_key(), own.key().unwrap());
        let error = signer.sign(signer.algorithms()[0], b"data").unwrap_err();
        assert_eq!(error.to_string(), "the card is elsewhere");
    }
}
