//! X.509 certificates (RFC 5280): whose they are, and which key they belong to. Nobody here decides whether to trust
//! one.

use underpass_crypto::x509::X509Certificate;

use crate::{Entry, KeyFileError, MAX_CHAIN, PublicKey, Store};

/// A certificate in a file.
pub(crate) struct Certificate {
    inner: X509Certificate,
    /// Absent for a key that SSH has no name for.
    public: Option<PublicKey>,
    /// What the file calls it.
    pub(crate) name: String,
}

impl Certificate {
    /// From DER.
    pub(crate) fn parse(der: &[u8]) -> Result<Self, KeyFileError> {
        let inner = X509Certificate::from_der(der)
            .map_err(|_| KeyFileError::Malformed("a certificate in it is damaged or breaks RFC 5280"))?;
        let public = inner.key().ok().and_then(|key| PublicKey::from_blob(&key).ok());
        Ok(Self { inner, public, name: String::new() })
    }

    fn certifies(&self, key: &PublicKey) -> bool {
        self.public.as_ref().is_some_and(|public| public.blob() == key.blob())
    }
}

/// Gives each key its certificate and those of the authorities above it. What is left over becomes an entry of its own.
pub(crate) fn attach(mut keys: Vec<Entry>, certificates: Vec<Certificate>) -> Vec<Entry> {
    let mut used = vec![false; certificates.len()];
    // The public half of a key that is locked is not known: it can only be told by being the only one.
    let alone = keys.len() == 1;
    for key in keys.iter_mut().filter(|key| key.certificates.is_empty()) {
        let own = match &key.public {
            Some(public) => certificates.iter().position(|one| one.certifies(public)),
            None if alone => certificates.iter().position(|one| !is_authority(one, &certificates)),
            None => None,
        };
        if let Some(own) = own {
            let chain = chain(own, &certificates);
            chain.iter().for_each(|link| used[*link] = true);
            certify(key, chain.into_iter().map(|link| &certificates[link]));
        }
    }
    let left = certificates.iter().zip(used).filter(|(_, used)| !used).map(|(certificate, _)| {
        let mut entry = Entry::default();
        certify(&mut entry, [certificate]);
        entry
    });
    keys.extend(left);
    keys
}

impl Store {
    /// The certificate of `key`, followed by those of the authorities above it, in DER, as far as they are in the store.
    /// Without a key it is that of whoever stands above nobody: the one that a file of certificates is about.
    pub fn chain_of(&self, key: Option<&PublicKey>) -> Vec<Vec<u8>> {
        let all = self.entries().iter().flat_map(|entry| &entry.certificates);
        let all: Vec<_> = all.filter_map(|der| Certificate::parse(der).ok()).collect();
        let own = all.iter().position(|one| match key {
            Some(key) => one.certifies(key),
            None => !is_authority(one, &all),
        });
        own.map(|own| chain(own, &all))
            .unwrap_or_default()
            .into_iter()
            .map(|at| all[at].inner.der().to_owned())
            .collect()
    }
}

/// Whether it stands above another one.
fn is_authority(certificate: &Certificate, all: &[Certificate]) -> bool {
    all.iter().any(|one| certificate.inner.is_above(&one.inner))
}

/// Gives a key the chain that belongs to it, its own certificate first.
pub(crate) fn certify<'a>(key: &mut Entry, chain: impl IntoIterator<Item = &'a Certificate>) {
    for certificate in chain {
        if key.certificates.is_empty() {
            key.subject = certificate.inner.subject();
            if key.public.is_none() {
                key.public.clone_from(&certificate.public);
            }
            if key.name.is_empty() {
                key.name.clone_from(&certificate.name);
            }
        }
        key.certificates.push(certificate.inner.der().to_owned());
    }
}

/// From one certificate upwards, as far as the authorities are among `all`.
fn chain(own: usize, all: &[Certificate]) -> Vec<usize> {
    let all: Vec<_> = all.iter().map(|certificate| &certificate.inner).collect();
    X509Certificate::chain(own, &all, MAX_CHAIN)
}
